package store

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"tagma/checkpoint/merkle"
	"tagma/statemachine"
)

func pin(t testing.TB, s *Store, seq uint64) (*merkle.Snapshot, statemachine.StorageView) {
	t.Helper()
	tree, view, err := s.Pin(seq)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tree.Release)
	t.Cleanup(view.Close)
	return tree, view
}

func requireNotPinned(t testing.TB, s *Store, seq uint64) {
	t.Helper()
	tree, view, err := s.Pin(seq)
	if err == nil {
		tree.Release()
		view.Close()
	}
	if !errors.Is(err, statemachine.ErrNotRetained) {
		t.Errorf("a pin at %d: %v, want it not to be retained", seq, err)
	}
}

// requirePinned reads values and tree of the whole pin, as a donor does.
func requirePinned(t testing.TB, tree *merkle.Snapshot, view statemachine.StorageView, root [32]byte) {
	t.Helper()
	again := merkle.New()
	for e, err := range view.Scan(nil, nil) {
		if err != nil {
			t.Error(err)
		}
		again.Set(e.Key, e.Value)
	}
	n, ok := tree.Node(nil)
	if !ok || n.Digest() != root || tree.Root() != root || again.Root() != root {
		t.Error("the pinned tree or the pinned values are not those of the checkpoint")
	}
}

func TestX2_APinStaysAsItIsWhileTheStoreGoesOn(t *testing.T) {
	j := record(7, 400)
	s := open(t, t.TempDir())
	load(t, s, 0)
	j.execute(t, s, 0, 100)
	tree, view := pin(t, s, 100)
	var donor sync.WaitGroup
	donor.Go(func() {
		for range 20 {
			requirePinned(t, tree, view, j.m.root(100))
		}
	})
	for seq := uint64(100); seq < 400; seq += 10 {
		j.execute(t, s, seq, seq+10)
		s.Discard(seq + 10)
	}
	donor.Wait()
	requirePinned(t, tree, view, j.m.root(100))
	requireNotPinned(t, s, 100)
}

// K4: while ordering is stalled, the newest stable checkpoint can be pinned, however many unstable checkpoints lie
// above it.
func TestK4_EveryCheckpointFromTheFloorOnCanBePinned(t *testing.T) {
	j := record(8, 60)
	dir := t.TempDir()
	s := open(t, dir)
	load(t, s, 0)
	j.execute(t, s, 0, 60)
	for seq := uint64(0); seq <= 60; seq += 5 {
		if kept := seq%interval == 0; !kept {
			requireNotPinned(t, s, seq)
			continue
		}
		tree, view := pin(t, s, seq)
		requirePinned(t, tree, view, j.m.root(seq))
		view.Close()
		tree.Release()
	}
	s.Discard(50)
	requireNotPinned(t, s, 40)
	if len(s.kept) != 2 {
		t.Errorf("%d trees are kept, want those of 50 and 60", len(s.kept))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	load(t, s, 60)
	tree, view := pin(t, s, 60)
	requirePinned(t, tree, view, j.m.root(60))
}

func TestX2_AnAdoptedStateCanBePinnedAndOlderOnesCannot(t *testing.T) {
	j := record(9, 60)
	s := open(t, t.TempDir())
	load(t, s, 0)
	j.execute(t, s, 0, 20)
	old, oldView := pin(t, s, 20)
	g := stage(t, s, 50)
	stageWrite(t, g, missing(t, g, j.m[50]))
	adopt(t, g, j.m.root(50))
	requirePinned(t, old, oldView, j.m.root(20))
	requireNotPinned(t, s, 20)
	tree, view := pin(t, s, 50)
	j.execute(t, s, 50, 60)
	s.Discard(60)
	requirePinned(t, tree, view, j.m.root(50))
}

// Long values are staged over short ones, and short ones over long ones, and some of either are deleted. When
// execution continues after Adopt, it must know how many parts the adopted values have.
func TestX4_ValuesInPartsAreStagedAndTakenOver(t *testing.T) {
	s := open(t, t.TempDir())
	load(t, s, 0)
	long := func(tag string, parts int) string { return tag + strings.Repeat("v", parts*s.cut.usual) }
	write(t, s, set(1, put("a", long("1", 3)), put("b", long("1", 2)), put("c", "short"), put("d", long("1", 1))))
	g := stage(t, s, 5)
	want := map[string]string{"a": "short", "c": long("5", 2), "d": long("5", 2), "e": long("5", 1)}
	stageWrite(t, g, missing(t, g, want))
	requireState(t, s, 1, map[string]string{"a": long("1", 3), "b": long("1", 2), "c": "short", "d": long("1", 1)})
	adopt(t, g, model{want}.root(0))
	requireState(t, s, 5, want)
	write(t, s, set(6, put("c", "short"), remove("d"), put("e", long("6", 0))))
	if left := partsAt(s, 6); len(left) != 0 {
		t.Errorf("parts left behind: %q", left)
	}
}

func partsAt(s *Store, at uint64) (left []string) {
	snapshot := s.engine.At(at)
	defer snapshot.Discard()
	for item := range snapshot.Items(partPrefix, nil) {
		left = append(left, string(item.Key()))
	}
	return left
}

// A crash may leave any of the parts of a long value that was being staged; the test tries each combination. If the
// value is staged again, the stage finds the missing parts. If the value is executed instead, the old and new parts
// together are the right value.
func TestX7_HalfALongValueLeftByAStageDoesNoHarm(t *testing.T) {
	for left := range 8 {
		for _, executed := range []bool{false, true} {
			s := open(t, t.TempDir())
			load(t, s, 0)
			value := strings.Repeat("x", s.cut.usual) + strings.Repeat("y", s.cut.usual) + "z"
			write(t, s, set(1, put("k", "old"), put("gone", value)))
			leaveSome(t, s, left, put("k", value))
			if executed {
				write(t, s, set(3, put("k", value)), set(9))
				s.Discard(9)
				if got := get(t, s, 9, "k"); got != value {
					t.Errorf("%b left: the value has %d bytes after executing, want %d", left, len(got), len(value))
				}
				continue
			}
			g := stage(t, s, 9)
			want := map[string]string{"k": value}
			stageWrite(t, g, missing(t, g, want))
			adopt(t, g, model{want}.root(0))
			requireState(t, s, 9, want)
		}
	}
}

// leaveSome writes the entry of w at version 9 and its two parts. Each bit of left says whether one of them is
// written.
func leaveSome(t *testing.T, s *Store, left int, w statemachine.Write) {
	t.Helper()
	size := s.cut.usual
	var entries []Entry
	for i, e := range []Entry{
		{Key: stored(w.Key), Value: w.Value[:size], Meta: 2, Version: 9},
		{Key: storedPart(1, w.Key), Value: w.Value[size : 2*size], Version: 9},
		{Key: storedPart(2, w.Key), Value: w.Value[2*size:], Version: 9},
	} {
		if left&(1<<i) != 0 {
			entries = append(entries, e)
		}
	}
	if err := s.engine.Write(entries); err != nil {
		t.Fatal(err)
	}
}
