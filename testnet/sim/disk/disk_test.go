package disk

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"tagma/checkpoint/journal"
)

func filled(b byte) []byte { return bytes.Repeat([]byte{b}, SectorBytes) }

// written is a disk with a file of six sectors, the first two of them durable.
func written(t *testing.T) (*Disk, journal.File) {
	t.Helper()
	d := New()
	f, err := d.Create("j/a")
	if err != nil {
		t.Fatal(err)
	}
	put := func(from, to int, b byte) {
		for i := from; i < to; i++ {
			if _, err := f.WriteAt(filled(b), int64(i*SectorBytes)); err != nil {
				t.Fatal(err)
			}
		}
	}
	put(0, 2, 1)
	if err := errors.Join(f.Sync(), d.SyncDir("j")); err != nil {
		t.Fatal(err)
	}
	d.Settle()
	put(1, 6, 2)
	return d, f
}

// content is the first byte of each sector.
func content(t *testing.T, d *Disk) []byte {
	t.Helper()
	f, err := d.Open("j/a", false)
	if err != nil {
		t.Fatal(err)
	}
	size, _ := f.Size()
	var out []byte
	for at := int64(0); at < size; at += SectorBytes {
		var b [1]byte
		if _, err := f.ReadAt(b[:], at); err != nil {
			t.Fatal(err)
		}
		out = append(out, b[0])
	}
	return out
}

func TestCrash_LosesWhatIsNotDurable(t *testing.T) {
	for _, synced := range []bool{false, true} { // a sync that has not ended makes nothing durable
		d, f := written(t)
		if synced {
			if err := f.Sync(); err != nil {
				t.Fatal(err)
			}
		}
		d.Crash(All, nil)
		if got := content(t, d); !bytes.Equal(got, []byte{1, 1}) {
			t.Errorf("synced %t: %v", synced, got)
		}
	}
	d, f := written(t)
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	d.Settle()
	d.Crash(All, nil)
	if got := content(t, d); !bytes.Equal(got, []byte{1, 2, 2, 2, 2, 2}) {
		t.Errorf("after its sync: %v", got)
	}
}

func TestCrash_AKilledProcessLosesNothing(t *testing.T) {
	d, _ := written(t)
	d.Crash(Kill, nil)
	if got := content(t, d); !bytes.Equal(got, []byte{1, 2, 2, 2, 2, 2}) {
		t.Errorf("%v", got)
	}
}

func TestCrash_TailsAndHolesKeepWholeSectors(t *testing.T) {
	chance := rand.New(rand.NewPCG(1, 1))
	holes, tails := 0, map[int]bool{}
	for range 200 {
		d, _ := written(t)
		d.Crash(Holes, chance)
		got := content(t, d)
		if got[0] != 1 {
			t.Fatalf("a durable sector is lost: %v", got)
		}
		if i := bytes.IndexByte(got[2:], 0); i >= 0 && bytes.IndexByte(got[2+i:], 2) > 0 {
			holes++
		}
		d, _ = written(t)
		d.Crash(Tail, chance)
		got = content(t, d)
		kept := bytes.Count(got, []byte{2})
		tails[kept] = true
		for i := range kept {
			if got[1+i] != 2 {
				t.Fatalf("not a tail: %v", got)
			}
		}
	}
	if holes == 0 || len(tails) != 6 {
		t.Errorf("%d holes, tails of lengths %v", holes, tails)
	}
}

func TestFailAfter_AFailedSyncForgetsWhatItHadToWrite(t *testing.T) {
	d, f := written(t)
	d.FailAfter(0, ErrIO)
	if err := f.Sync(); !errors.Is(err, ErrIO) {
		t.Fatal(err)
	}
	d.FailAfter(0, nil)
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	d.Settle()
	if got := content(t, d); got[5] != 2 {
		t.Errorf("the cache is gone too: %v", got)
	}
	d.Crash(Holes, rand.New(rand.NewPCG(1, 1)))
	if got := content(t, d); !bytes.Equal(got, []byte{1, 1, 0, 0, 0, 0}) {
		t.Errorf("%v", got)
	}
}

func TestLie_ALyingSyncIsNone(t *testing.T) {
	d, f := written(t)
	d.Lie(true)
	if err := f.Sync(); err != nil || d.Lied() != 1 {
		t.Fatal(err)
	}
	d.Settle()
	d.Crash(All, nil)
	if got := content(t, d); !bytes.Equal(got, []byte{1, 1}) {
		t.Errorf("%v", got)
	}
}

func TestFill_OnlyWhatNeedsRoomFails(t *testing.T) {
	d, f := written(t)
	d.Fill(true)
	if _, err := f.WriteAt(filled(3), 0); err != nil {
		t.Error(err)
	}
	if _, err := f.WriteAt(filled(3), 6*SectorBytes); !errors.Is(err, ErrFull) {
		t.Error(err)
	}
	if _, err := d.Create("j/b"); !errors.Is(err, ErrFull) {
		t.Error(err)
	}
}

func TestDamage_HitsWhatIsWritten(t *testing.T) {
	d, _ := written(t)
	before := d.Copy()
	if !d.FlipBit(rand.New(rand.NewPCG(1, 1))) || d.CutTail(2) != 2 {
		t.Fatal("nothing is written")
	}
	if got := content(t, d); got[4] != 0 || got[5] != 0 {
		t.Errorf("%v", got)
	}
	if got := content(t, before); !bytes.Equal(got, []byte{1, 2, 2, 2, 2, 2}) {
		t.Errorf("the copy changed: %v", got)
	}
	if New().FlipBit(rand.New(rand.NewPCG(1, 1))) {
		t.Error("an empty disk rots")
	}
}

func TestCrash_ANameThatWasNotSyncedIsGone(t *testing.T) {
	d, _ := written(t)
	if err := d.Rename("j/a", "j/b"); err != nil {
		t.Fatal(err)
	}
	d.Crash(All, nil)
	if names, _ := d.ReadDir("j"); len(names) != 1 || names[0] != "a" {
		t.Errorf("%v", names)
	}
}
