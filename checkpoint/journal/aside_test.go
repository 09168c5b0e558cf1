package journal

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// asideDisk returns a disk with two journals: the present one, and one that was set aside before. found is what the
// present journal holds.
func asideDisk(t *testing.T) (d *disk, found []Entry) {
	t.Helper()
	d, _ = smallJournal(t)
	_, err := SetAside(d, testDir)
	must(t, err)
	opt := Options{SegmentBytes: 16 * sectorBytes, FS: d}
	j, err := Create(testDir, anchor(), opt)
	must(t, err)
	must(t, j.Append([]Entry{{Seq: 77, Data: []byte("the newer one")}}))
	must(t, j.Close())
	found, err = Peek(testDir, opt)
	must(t, err)
	return d, found
}

// D8.3: the process crashes at each call of the disk while a journal is set aside. Afterwards the whole journal has
// one of its two names, and holds no file of another journal. SetAside can then be called again and completes the
// work. A journal that is made in its place does not change it.
func TestD8_3_SettingAsideSurvivesACrashAtAnyCall(t *testing.T) {
	calm, _ := asideDisk(t)
	before := calm.calls
	_, err := SetAside(calm, testDir)
	must(t, err)
	for call := 1; call <= calm.calls-before+1; call++ {
		for l := range lossKinds {
			for seed := range uint64(10) {
				t.Run(fmt.Sprintf("call %d loss %d seed %d", call, l, seed), func(t *testing.T) {
					crashAside(t, call, calm.calls-before, l, rand.New(rand.NewPCG(seed, 3)))
				})
			}
		}
	}
}

func crashAside(t *testing.T, call, calls int, l loss, rng *rand.Rand) {
	d, want := asideDisk(t)
	opt := Options{SegmentBytes: 16 * sectorBytes, FS: d}
	const aside = testDir + asideSuffix
	d.crashAt = d.calls + call
	to, err := SetAside(d, testDir)
	if done := call > calls; done != (err == nil) || done != (to == aside) {
		t.Fatalf("%q, %v", to, err)
	}
	d.restart(l, rng)
	holds := func(dir string) bool {
		found, err := Peek(dir, opt)
		return err == nil && slices.EqualFunc(found, want, equal)
	}
	_, err = Peek(testDir, opt)
	switch {
	case !errors.Is(err, ErrEmpty) && !holds(testDir), errors.Is(err, ErrEmpty) && !holds(aside):
		t.Fatalf("the journal is whole nowhere: %v", err)
	case call > calls && !errors.Is(err, ErrEmpty):
		t.Fatal("it was set aside and is back")
	case !errors.Is(err, ErrEmpty):
		_, err = SetAside(d, testDir)
		must(t, err)
	}
	j, err := Create(testDir, anchor(), opt)
	must(t, err)
	must(t, j.Close())
	d.restart(loseHoles, rng)
	if found, err := Peek(testDir, opt); err != nil || !slices.EqualFunc(found, anchor(), equal) || !holds(aside) {
		t.Fatalf("%d entries in the new journal, %v; the old one is aside: %t", len(found), err, holds(aside))
	}
}

// D6: when a call of the disk fails, SetAside returns the error, and can be called again.
func TestD6_SettingAsideAfterAFailureAtAnyCall(t *testing.T) {
	for call := 1; ; call++ {
		d, want := asideDisk(t)
		d.failAt, d.failure = d.calls+call, errors.New("input/output error")
		_, err := SetAside(d, testDir)
		if err == nil {
			return
		}
		if !errors.Is(err, d.failure) {
			t.Fatal(err)
		}
		d.failAt = 0
		_, err = SetAside(d, testDir)
		must(t, err)
		j, err := Create(testDir, nil, Options{SegmentBytes: 16 * sectorBytes, FS: d})
		must(t, err)
		must(t, j.Close())
		d.restart(loseAll, nil)
		found, err := Peek(testDir+asideSuffix, Options{FS: d})
		if err != nil || !slices.EqualFunc(found, want, equal) {
			t.Fatalf("call %d: %v", call, err)
		}
	}
}

// D8.3: on files of the operating system, SetAside renames a damaged journal and removes the one that was set aside
// earlier. It accepts that there is no directory, and refuses a journal that is in use.
func TestD8_3_SettingAsideOnRealFiles(t *testing.T) {
	dir, j := created(t, small())
	if _, err := SetAside(nil, dir); !errors.Is(err, ErrInUse) {
		t.Fatal(err)
	}
	must(t, j.Close())
	must(t, os.MkdirAll(filepath.Join(dir+asideSuffix, "deep"), 0o700))
	must(t, os.WriteFile(filepath.Join(dir, segmentName(1)), []byte("rot"), 0o600))
	for _, want := range []string{dir + asideSuffix, ""} {
		to, err := SetAside(nil, dir+"/")
		if to != want || err != nil {
			t.Fatalf("%q, %v", to, err)
		}
		held, err := os.ReadDir(dir + asideSuffix)
		if err != nil || len(held) != 1 || held[0].Name() != segmentName(1) {
			t.Fatalf("%v, %v", held, err)
		}
		if _, err := Peek(dir, small()); !errors.Is(err, ErrEmpty) {
			t.Fatal(err)
		}
	}
	must(t, os.Mkdir(dir, 0o700))
	must(t, os.WriteFile(filepath.Join(dir, segmentName(1)+tempSuffix), nil, 0o600))
	if to, err := SetAside(nil, dir); to != "" || err != nil {
		t.Fatalf("%q, %v", to, err)
	}
	if held, err := os.ReadDir(dir + asideSuffix); err != nil || len(held) != 1 {
		t.Fatalf("an unfinished journal took the place of the one aside: %v, %v", held, err)
	}
	must(t, os.WriteFile(filepath.Join(dir, "foreign"), nil, 0o600))
	if to, err := SetAside(nil, dir); to == "" || err != nil {
		t.Fatalf("%q, %v", to, err)
	}
	j, err := Create(dir, anchor(), small())
	must(t, err)
	must(t, j.Close())
}
