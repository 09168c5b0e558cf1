package sim

import (
	"fmt"
	"iter"
	"slices"

	"tagma/checkpoint/merkle"
	"tagma/checkpoint/store"
	"tagma/internal/replica"
	"tagma/statemachine"
)

// opened is a store as a process has it open: a versioned storage over a medium, with the tree of the real one.
type opened struct {
	on    *medium
	tree  *merkle.Tree
	last  uint64 // the highest sequence number written or passed
	floor uint64 // the lowest one that can be read
	kept  []kept // trees of the checkpoints from the floor on, the newest last
}

// kept is the tree of a checkpoint.
type kept struct {
	seq  uint64
	tree *merkle.Snapshot
}

func openMedium(on *medium) *opened { return &opened{on: on, tree: merkle.New()} }

// MaxVersion implements replica.Store.
func (s *opened) MaxVersion() uint64 { return s.on.highest }

// Close implements replica.Store.
func (s *opened) Close() error { return nil }

// Write implements statemachine.Storage. The sets are durable once they are settled.
func (s *opened) Write(sets []statemachine.WriteSet) error {
	if s.on.failure != nil {
		return s.on.failure
	}
	s.on.settle()
	for _, set := range sets {
		if set.Seq <= s.last {
			continue
		}
		for _, w := range set.Writes {
			s.on.put(set.Seq, w)
			grow(s.tree, w)
		}
		s.last = set.Seq
		s.on.flight = append(s.on.flight, set)
	}
	return nil
}

func grow(t *merkle.Tree, w statemachine.Write) {
	if w.Delete {
		t.Delete(w.Key)
	} else {
		t.Set(w.Key, w.Value)
	}
}

// Checkpoint implements statemachine.Storage.
func (s *opened) Checkpoint(seq uint64) (root [32]byte, err error) {
	if s.on.failure != nil {
		return root, s.on.failure
	}
	if seq < s.last {
		return root, fmt.Errorf("checkpoint at %d: the state is at %d already", seq, s.last)
	}
	s.last = seq
	s.keep(seq)
	return s.tree.Root(), nil
}

func (s *opened) keep(seq uint64) {
	s.kept = append(s.kept, kept{seq, s.tree.Snapshot()})
}

func (s *opened) release(i int) {
	s.kept[i].tree.Release()
	s.kept = slices.Delete(s.kept, i, i+1)
}

// Discard implements statemachine.Storage. Old versions go when their key is written again.
func (s *opened) Discard(below uint64) {
	s.floor = max(s.floor, min(below, s.last))
	s.on.floor = s.floor
	for len(s.kept) > 0 && s.kept[0].seq < s.floor {
		s.release(0)
	}
}

// Load implements replica.Store. Versions above stay, unseen.
func (s *opened) Load(at uint64) (root [32]byte, err error) {
	for len(s.kept) > 0 {
		s.release(0)
	}
	s.fill(s.tree, at)
	s.last, s.floor, s.on.floor = at, at, at // nothing is forgotten on account of an earlier process
	s.keep(at)
	return s.tree.Root(), nil
}

func (s *opened) fill(t *merkle.Tree, at uint64) {
	t.Reset()
	for _, key := range s.on.sorted() {
		if value, found := s.on.keys[key].at(at); found {
			t.Set([]byte(key), value)
		}
	}
}

// Pin implements replica.Store.
func (s *opened) Pin(seq uint64) (*merkle.Snapshot, statemachine.StorageView, error) {
	for _, k := range s.kept {
		if k.seq == seq && seq >= s.floor {
			return k.tree.Clone(), s.copyAt(seq), nil
		}
	}
	return nil, nil, fmt.Errorf("pin the state after %d: %w", seq, statemachine.ErrNotRetained)
}

// copyAt is a view that nothing is discarded under: the values at a sequence number.
func (s *opened) copyAt(seq uint64) statemachine.StorageView {
	held := newMedium()
	for _, key := range s.on.sorted() {
		if value, found := s.on.keys[key].at(seq); found {
			held.keys[key] = &cell{versions: []version{{seq: seq, value: value}}}
		}
	}
	return view{held, seq}
}

// Doubt implements replica.Store. Every stage reads the medium.
func (s *opened) Doubt() {}

// Stage implements replica.Store.
func (s *opened) Stage(seq uint64) (replica.Stage, error) {
	if s.on.highest > seq {
		return nil, fmt.Errorf("stage the state after %d, the store holds %d: %w", seq, s.on.highest, store.ErrAhead)
	}
	g := &stage{s: s, seq: seq, tree: merkle.New()}
	s.fill(g.tree, seq)
	return g, nil
}

// stage is a state that is being taken in.
type stage struct {
	s    *opened
	seq  uint64
	tree *merkle.Tree
}

func (g *stage) Tree() *merkle.Tree { return g.tree }

// Write puts keys at the version of the stage. The last write is durable when the record of the switch is asked for.
func (g *stage) Write(writes []statemachine.Write) error {
	on := g.s.on
	if on.failure != nil {
		return on.failure
	}
	on.settle()
	for _, w := range writes {
		w.Key, w.Value = slices.Clone(w.Key), slices.Clone(w.Value)
		on.put(g.seq, w)
		grow(g.tree, w)
	}
	on.flight = append(on.flight, statemachine.WriteSet{Seq: g.seq, Writes: slices.Clone(writes)})
	return nil
}

func (g *stage) Scan() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for _, key := range slices.Clone(g.s.on.sorted()) {
			c := g.s.on.keys[key]
			if c == nil {
				continue
			}
			if _, found := c.at(g.seq); found && !yield([]byte(key), nil) {
				return
			}
		}
	}
}

// Adopt makes the stage's state the store's.
func (g *stage) Adopt() error {
	s := g.s
	for len(s.kept) > 0 {
		s.release(0)
	}
	s.tree, s.last, s.floor = g.tree, g.seq, g.seq
	s.on.floor = g.seq
	s.keep(g.seq)
	return nil
}

func (g *stage) Close() {}

// View implements statemachine.Storage.
func (s *opened) View(at uint64) (statemachine.StorageView, error) {
	if at < s.floor {
		return nil, fmt.Errorf("view at %d, the lowest retained is %d: %w", at, s.floor, statemachine.ErrNotRetained)
	}
	return view{s.on, at}, nil
}

type view struct {
	on *medium
	at uint64
}

func (view) Close() {}

func (v view) Get(key []byte) (value []byte, found bool, err error) {
	if c := v.on.keys[string(key)]; c != nil {
		value, found = c.at(v.at)
	}
	return value, found, nil
}

func (v view) Scan(start, end []byte) iter.Seq2[statemachine.Entry, error] {
	return func(yield func(statemachine.Entry, error) bool) {
		keys := v.on.sorted()
		from, _ := slices.BinarySearch(keys, string(start))
		for _, key := range keys[from:] {
			if end != nil && key >= string(end) {
				return
			}
			value, found, _ := v.Get([]byte(key)) // never fails
			if found && !yield(statemachine.Entry{Key: []byte(key), Value: value}, nil) {
				return
			}
		}
	}
}
