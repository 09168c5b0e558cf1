package disk

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"

	"tagma/checkpoint/journal"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// tree is a disk with two directories, j and k, of two files each, all of them durable.
func tree(t *testing.T) *Disk {
	t.Helper()
	d := New()
	for _, path := range []string{"j/a", "j/b", "k/a", "k/c"} {
		must(t, d.MkdirAll(path[:1]))
		f, err := d.Create(path)
		must(t, err)
		_, err = f.WriteAt(filled(path[0]), 0)
		must(t, errors.Join(err, f.Sync(), d.SyncDir(path[:1])))
	}
	d.Settle()
	return d
}

func listed(t *testing.T, d *Disk, dir string, want ...string) {
	t.Helper()
	names, err := d.ReadDir(dir)
	if !slices.Equal(names, want) || (err == nil) != (want != nil) || err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s: %v, %v", dir, names, err)
	}
}

func TestRename_ADirectoryMovesWithItsFilesOnceItIsSynced(t *testing.T) {
	d := tree(t)
	must(t, d.Rename("j", "l"))
	listed(t, d, "j")
	listed(t, d, "l", "a", "b")
	d.Crash(All, nil)
	listed(t, d, "j", "a", "b")
	listed(t, d, "l")
	must(t, errors.Join(d.Rename("j", "l"), d.SyncDir(".")))
	d.Settle()
	d.Crash(All, nil)
	listed(t, d, "j")
	listed(t, d, "l", "a", "b")
	if _, err := d.Lock("j"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if err := d.Rename("l", "k"); !errors.Is(err, syscall.ENOTEMPTY) {
		t.Error(err)
	}
}

func TestMkdirAll_MakesEarlierNamesDurable(t *testing.T) {
	d := tree(t)
	must(t, errors.Join(d.Rename("j", "l"), d.MkdirAll("j")))
	d.Crash(All, nil)
	listed(t, d, "j", []string{}...)
	listed(t, d, "l", "a", "b")
}

func TestRemoveAll_ACrashCanLeaveAPart(t *testing.T) {
	chance := rand.New(rand.NewPCG(1, 1))
	left := map[int]bool{}
	for range 100 {
		d := tree(t)
		must(t, errors.Join(d.RemoveAll("k"), d.RemoveAll("nothing")))
		listed(t, d, "k")
		d.Crash(Holes, chance)
		names, _ := d.ReadDir("k")
		left[len(names)] = true
		listed(t, d, "j", "a", "b")
	}
	if len(left) != 3 {
		t.Errorf("files left: %v", left)
	}
}

// D8.3: whenever the process or the machine stops while a journal is set aside, the whole journal has one of its two
// names.
func TestD8_3_SettingAJournalAsideSurvivesACrash(t *testing.T) {
	const home, aside = "home/journal", "home/journal.aside"
	held := func(d *Disk, dir string) string {
		found, err := journal.Peek(dir, journal.Options{FS: d})
		if err != nil || len(found) == 0 {
			return ""
		}
		return string(found[0].Data)
	}
	create := func(d *Disk, name string) {
		anchor := []journal.Entry{{Data: []byte(name)}}
		j, err := journal.Create(home, anchor, journal.Options{FS: d, SegmentBytes: 4096})
		must(t, err)
		must(t, j.Close())
		d.Settle()
	}
	chance := rand.New(rand.NewPCG(1, 1))
	for _, loss := range Losses() {
		for calls, done := 0, false; !done; calls++ {
			d := New()
			create(d, "first")
			_, err := journal.SetAside(d, home)
			must(t, err)
			create(d, "second")
			d.FailAfter(calls, ErrIO)
			_, err = journal.SetAside(d, home)
			done = err == nil
			d.FailAfter(0, nil)
			d.Crash(loss, chance)
			if held(d, home) != "second" {
				if held(d, aside) != "second" {
					t.Fatalf("%s after %d calls: %q aside", loss, calls, held(d, aside))
				}
			} else if _, err = journal.SetAside(d, home); err != nil {
				t.Fatal(err)
			}
			create(d, "third")
			d.Crash(All, nil)
			if held(d, home) != "third" || held(d, aside) != "second" {
				t.Fatalf("%s after %d calls: %q, %q aside", loss, calls, held(d, home), held(d, aside))
			}
		}
	}
}
