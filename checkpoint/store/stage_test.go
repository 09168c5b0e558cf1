package store

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"tagma/checkpoint/merkle"
	"tagma/statemachine"
)

func stage(t testing.TB, s *Store, seq uint64) *Stage {
	t.Helper()
	g, err := s.Stage(seq)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

// missing returns the writes that the stage needs to have the wanted state. Like a receiver, it compares hashes of
// keys and values in the stage's tree, and never reads values.
func missing(t testing.TB, g *Stage, want map[string]string) (writes []statemachine.Write) {
	t.Helper()
	wanted := merkle.New()
	for k, v := range want {
		wanted.Set([]byte(k), []byte(v))
	}
	leaves, _ := g.Tree().Leaves(nil, g.Tree().Len())
	have := map[[32]byte][32]byte{}
	for _, l := range leaves {
		have[l.Key] = l.Value
	}
	for _, k := range slices.Sorted(maps.Keys(want)) {
		one := merkle.New()
		one.Set([]byte(k), []byte(want[k]))
		l, _ := one.Leaves(nil, 1)
		if have[l[0].Key] != l[0].Value {
			writes = append(writes, put(k, want[k]))
		}
	}
	scanned := 0
	for key, err := range g.Scan() {
		if err != nil {
			t.Fatal(err)
		}
		scanned++
		if _, ok := want[string(key)]; !ok {
			writes = append(writes, statemachine.Write{Key: key, Delete: true})
		}
	}
	if scanned != len(leaves) {
		t.Errorf("%d keys are visible, %d in the tree", scanned, len(leaves))
	}
	return writes
}

func stageWrite(t testing.TB, g *Stage, writes []statemachine.Write) {
	t.Helper()
	if err := g.Write(writes); err != nil {
		t.Fatal(err)
	}
}

func adopt(t testing.TB, g *Stage, root [32]byte) {
	t.Helper()
	if g.Tree().Root() != root {
		t.Fatal("the stage's root is not the wanted one")
	}
	if err := g.Adopt(); err != nil {
		t.Fatal(err)
	}
}

// requireState compares the whole state at one sequence number with the model.
func requireState(t testing.TB, s *Store, at uint64, want map[string]string) {
	t.Helper()
	v, err := s.View(at)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	got := map[string]string{}
	for e, err := range v.Scan(nil, nil) {
		if err != nil {
			t.Fatal(err)
		}
		got[string(e.Key)] = string(e.Value)
	}
	if !maps.Equal(got, want) {
		t.Fatalf("the state at %d has %d keys, want %d, or other values", at, len(got), len(want))
	}
}

// The store was executed up to 20, crashed, and was loaded at 10. The view at 30 sees the entries up to 20 that were
// left, so the tree of the stage must contain them.
func TestX4_AStageIsComparedWithLeftoversIncluded(t *testing.T) {
	j := record(3, 40)
	dir := t.TempDir()
	s := open(t, dir)
	load(t, s, 0)
	j.execute(t, s, 0, 20)
	s = open(t, crashImage(t, dir))
	load(t, s, 10)
	g := stage(t, s, 30)
	if g.Tree().Root() != j.m.root(20) {
		t.Error("the stage did not read the leftovers")
	}
	stageWrite(t, g, missing(t, g, j.m[30]))
	requireState(t, s, 10, j.m[10])
	if _, err := s.View(11); !errors.Is(err, ErrNotWritten) {
		t.Errorf("a view above the position before the switch: %v", err)
	}
	adopt(t, g, j.m.root(30))
	requireState(t, s, 30, j.m[30])
	if _, err := s.View(29); !errors.Is(err, statemachine.ErrNotRetained) {
		t.Errorf("a view below the adopted state: %v", err)
	}
	if s.Floor() != 30 || s.MaxVersion() != 30 {
		t.Errorf("floor %d, highest version %d, want 30 and 30", s.Floor(), s.MaxVersion())
	}
	j.execute(t, s, 30, 40)
	requireState(t, s, 40, j.m[40])
}

func TestX5_NothingIsWrittenBelowVersionsThatTheStoreHolds(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	load(t, s, 0)
	write(t, s, set(5, put("a", "1")), set(6))
	if _, err := s.Stage(5); !errors.Is(err, ErrAhead) {
		t.Errorf("a stage below the position: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	if _, err := s.Stage(4); !errors.Is(err, ErrAhead) {
		t.Errorf("a stage below what was found: %v", err)
	}
	if _, err := s.Stage(0); err == nil {
		t.Error("a stage at 0 was opened")
	}
	load(t, s, 0)
	g := stage(t, s, 7)
	stageWrite(t, g, []statemachine.Write{put("b", "2")})
	g.Close()
	if _, err := s.Stage(6); !errors.Is(err, ErrAhead) {
		t.Errorf("a stage below what an earlier one wrote: %v", err)
	}
	if s.MaxVersion() != 7 {
		t.Errorf("the highest version is %d, want 7", s.MaxVersion())
	}
}

// The store is at the stage's sequence number, but its state there is not the certified one.
func TestX5_AStoreThatDivergedAtTheStagesNumberIsServedAgainAfterAdoptOnly(t *testing.T) {
	s := open(t, t.TempDir())
	load(t, s, 0)
	write(t, s, set(9, put("a", "wrong"), put("b", "wrong")))
	checkpoint(t, s, 9)
	g := stage(t, s, 9)
	want := map[string]string{"a": "right"}
	stageWrite(t, g, missing(t, g, want))
	if _, err := s.View(9); !errors.Is(err, ErrNotLoaded) {
		t.Errorf("a view of a state in doubt: %v", err)
	}
	requireNotPinned(t, s, 9)
	g.Close()
	if err := s.Write([]statemachine.WriteSet{set(10, put("c", "1"))}); !errors.Is(err, ErrNotLoaded) {
		t.Errorf("a write upon a state in doubt: %v", err)
	}
	g = stage(t, s, 9)
	adopt(t, g, model{want}.root(0))
	requireState(t, s, 9, want)
}

// The process crashes before Adopt, or after it and before the caller has recorded the switch. The store is then at
// its old sequence number, and a newer checkpoint is staged over the entries that were left. Versions are discarded
// meanwhile, and the memtables are so small that badger compacts them.
func TestX6_X7_ACrashAtAnyMomentFindsTheOldPositionAndGoesOn(t *testing.T) {
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 17))
		j := record(seed+20, 300)
		dir := t.TempDir()
		s := open(t, dir)
		load(t, s, 0)
		j.execute(t, s, 0, 100)
		s.Discard(100)
		for target := uint64(150); target <= 250; target += 50 {
			g := stage(t, s, target)
			writes := missing(t, g, j.m[target])
			r.Shuffle(len(writes), func(a, b int) { writes[a], writes[b] = writes[b], writes[a] })
			if target == 150 {
				writes = writes[:r.IntN(len(writes)+1)]
			}
			for len(writes) > 0 {
				n := 1 + r.IntN(len(writes))
				stageWrite(t, g, writes[:n])
				writes = writes[n:]
				s.Discard(target)
			}
			requireState(t, s, 100, j.m[100])
			if target == 200 {
				adopt(t, g, j.m.root(target))
				s.Discard(target - 1) // this is below the adopted floor, so it must not make compaction drop anything
			}
			s = open(t, crashImage(t, dir))
			dir = s.dir
			if load(t, s, 100) != j.m.root(100) {
				t.Fatalf("seed %d: the old position is gone after a crash while %d was staged", seed, target)
			}
		}
		// These batches are executed instead: the entries that are left are the true values at their version.
		if seed%2 == 0 {
			j.execute(t, s, 100, 300)
		} else {
			g := stage(t, s, 260)
			stageWrite(t, g, missing(t, g, j.m[260]))
			adopt(t, g, j.m.root(260))
			j.execute(t, s, 260, 300)
		}
		s.Discard(300)
		requireState(t, s, 300, j.m[300])
		if s = open(t, crashImage(t, dir)); load(t, s, 300) != j.m.root(300) {
			t.Fatalf("seed %d: the state after the switch does not survive a crash", seed)
		}
	}
}

// Closing a view after Adopt, or calling Discard for less than the adopted floor, must not let compaction drop
// versions of the former state.
func TestX6_TheOldPositionStaysUntilTheNewFloorIsDiscarded(t *testing.T) {
	s := open(t, t.TempDir())
	load(t, s, 0)
	overwrite(t, s, 0, 100, s.Discard)
	root := checkpoint(t, s, 100)
	v, err := s.View(100)
	if err != nil {
		t.Fatal(err)
	}
	g := stage(t, s, 200)
	var writes []statemachine.Write
	for key := range 100 {
		writes = append(writes, put(fmt.Sprintf("key%03d", key), "staged"))
	}
	stageWrite(t, g, writes)
	adopt(t, g, g.Tree().Root())
	v.Close()
	s.Discard(150)
	overwrite(t, s, 200, 500, func(uint64) {})
	if err := badgerOf(s).Flatten(1); err != nil {
		t.Fatal(err)
	}
	if load(t, open(t, crashImage(t, s.dir)), 100) != root {
		t.Fatal("the old position is gone before the new floor was discarded")
	}
	s.Discard(200)
	overwrite(t, s, 500, 800, func(uint64) {})
	if err := badgerOf(s).Flatten(1); err != nil {
		t.Fatal(err)
	}
	if load(t, open(t, crashImage(t, s.dir)), 100) == root {
		t.Error("the old position is still there after the new floor was discarded: this test would notice nothing")
	}
}
