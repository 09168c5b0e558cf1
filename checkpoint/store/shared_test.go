package store

import (
	"errors"
	"testing"

	"tagma/statemachine"
)

// X9: if the disk holds nothing above the last sequence number written, a stage uses the tree in memory. So does a
// stage that follows another.
func TestX9_AStageReadsTheDiskOnlyForWhatIsNotInMemory(t *testing.T) {
	j := record(5, 60)
	s := open(t, t.TempDir())
	load(t, s, 0)
	j.execute(t, s, 0, 20)
	for _, at := range []uint64{30, 40} { // the first stage is closed before it is complete
		g := stage(t, s, at)
		if !g.shared {
			t.Fatalf("the stage at %d read the disk", at)
		}
		writes := missing(t, g, j.m[at])
		if at == 30 {
			stageWrite(t, g, writes[:len(writes)/2])
			g.Close()
			requireState(t, s, 20, j.m[20])
			if err := s.Write([]statemachine.WriteSet{set(21, put("k", "v"))}); !errors.Is(err, ErrMoved) {
				t.Fatalf("a write beside half a state: %v", err)
			}
			if _, err := s.Checkpoint(21); !errors.Is(err, ErrMoved) {
				t.Fatalf("a checkpoint of half a state: %v", err)
			}
			continue
		}
		stageWrite(t, g, writes)
		adopt(t, g, j.m.root(at))
	}
	j.execute(t, s, 40, 60)
	requireState(t, s, 60, j.m[60])
}

// X4: entries that an earlier run left above the present sequence number are only on the disk, so the stage reads the
// disk.
func TestX4_AStageReadsTheDiskForLeftovers(t *testing.T) {
	j := record(6, 60)
	dir := t.TempDir()
	s := open(t, dir)
	load(t, s, 0)
	j.execute(t, s, 0, 20)
	s = open(t, crashImage(t, dir))
	load(t, s, 10)
	if g := stage(t, s, 30); g.shared {
		t.Fatal("leftovers are not in memory")
	} else {
		g.Close()
	}
}
