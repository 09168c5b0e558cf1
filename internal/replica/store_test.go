package replica

import (
	"bytes"
	"fmt"
	"iter"
	"slices"
	"testing"

	"tagma/checkpoint/merkle"
	"tagma/checkpoint/store"
	"tagma/statemachine"
	"tagma/statemachine/memstore"
)

// medium is where the state lies: it outlives the process.
type medium struct {
	mem     *memstore.Store
	highest uint64 // version of a key
}

func newMedium() *medium { return &medium{mem: memstore.New()} }

// memStore is a Store in memory over a medium.
type memStore struct {
	*memstore.Store
	on     *medium
	tree   *merkle.Tree
	kept   map[uint64]*merkle.Snapshot
	pins   int
	staged *memStage
	fail   error // of what is written next
	doubts int
	closed bool
}

func openStore(on *medium) *memStore {
	return &memStore{Store: on.mem, on: on, tree: merkle.New(), kept: map[uint64]*merkle.Snapshot{}}
}

func (s *memStore) MaxVersion() uint64 { return s.on.highest }
func (s *memStore) Doubt()             { s.doubts++ }
func (s *memStore) Close() error       { s.closed = true; return nil }

// read is the tree of what is visible at a version.
func (s *memStore) read(at uint64) *merkle.Tree {
	tree := merkle.New()
	v, err := s.View(min(at, s.Last()))
	if err != nil {
		panic(err)
	}
	for e, err := range v.Scan(nil, nil) {
		if err != nil {
			panic(err)
		}
		tree.Set(e.Key, e.Value)
	}
	return tree
}

func (s *memStore) Load(at uint64) (root [32]byte, err error) {
	if s.Last() < at {
		_ = s.Store.Write([]statemachine.WriteSet{{Seq: at}}) // it is readable there, with what it has
	}
	s.tree = s.read(at)
	s.kept = map[uint64]*merkle.Snapshot{at: s.tree.Snapshot()}
	return s.tree.Root(), nil
}

func (s *memStore) Write(sets []statemachine.WriteSet) error {
	if s.fail != nil {
		return s.fail
	}
	for _, set := range sets {
		if len(set.Writes) > 0 {
			s.on.highest = max(s.on.highest, set.Seq)
		}
		for _, w := range set.Writes {
			grow(s.tree, w)
		}
	}
	return s.Store.Write(sets)
}

func grow(tree *merkle.Tree, w statemachine.Write) {
	if w.Delete {
		tree.Delete(w.Key)
	} else {
		tree.Set(w.Key, w.Value)
	}
}

func (s *memStore) Checkpoint(seq uint64) ([32]byte, error) {
	if s.fail != nil {
		return [32]byte{}, s.fail
	}
	s.kept[seq] = s.tree.Snapshot()
	return s.tree.Root(), nil
}

func (s *memStore) Pin(seq uint64) (*merkle.Snapshot, statemachine.StorageView, error) {
	tree := s.kept[seq]
	if tree == nil {
		return nil, nil, fmt.Errorf("pin %d: %w", seq, statemachine.ErrNotRetained)
	}
	v, err := s.View(seq)
	s.pins++
	return tree.Clone(), v, err
}

func (s *memStore) Stage(seq uint64) (Stage, error) {
	switch {
	case s.on.highest > seq:
		return nil, store.ErrAhead
	case s.staged != nil:
		return nil, store.ErrStaging
	}
	s.staged = &memStage{s: s, seq: seq, tree: s.read(seq)}
	return s.staged, nil
}

type memStage struct {
	s    *memStore
	seq  uint64
	tree *merkle.Tree
}

func (g *memStage) Tree() *merkle.Tree { return g.tree }

func (g *memStage) Write(writes []statemachine.Write) error {
	if g.s.fail != nil {
		return g.s.fail
	}
	var own []statemachine.Write
	for _, w := range writes {
		grow(g.tree, w)
		own = append(own, statemachine.Write{Key: bytes.Clone(w.Key), Value: bytes.Clone(w.Value), Delete: w.Delete})
	}
	g.s.on.highest = max(g.s.on.highest, g.seq)
	return g.s.Store.Write([]statemachine.WriteSet{{Seq: g.seq, Writes: own}})
}

func (g *memStage) Scan() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		v, err := g.s.View(min(g.seq, g.s.Last()))
		if err != nil {
			yield(nil, err)
			return
		}
		for e, err := range v.Scan(nil, nil) {
			if !yield(e.Key, err) {
				return
			}
		}
	}
}

func (g *memStage) Adopt() error {
	s := g.s
	if s.Last() < g.seq {
		_ = s.Store.Write([]statemachine.WriteSet{{Seq: g.seq}})
	}
	s.tree, s.staged = g.tree, nil
	s.kept = map[uint64]*merkle.Snapshot{g.seq: g.tree.Snapshot()}
	return nil
}

func (g *memStage) Close() {
	if g.s.staged == g {
		g.s.staged = nil
	}
}

// fill writes a state of so many keys at a version. States of one seed at different versions differ in a few keys.
func fill(t testing.TB, s Store, seq uint64, keys int) (root [32]byte) {
	t.Helper()
	var writes []statemachine.Write
	for i := range keys {
		value := bytes.Repeat([]byte{byte(i)}, 40)
		if i%64 == int(seq%64) {
			value = fmt.Appendf(nil, "written at %d", seq)
		}
		writes = append(writes, statemachine.Write{Key: fmt.Appendf(nil, "key %06d", i), Value: value})
	}
	slices.SortFunc(writes, func(a, b statemachine.Write) int { return bytes.Compare(a.Key, b.Key) })
	if err := s.Write([]statemachine.WriteSet{{Seq: seq, Writes: writes}}); err != nil {
		t.Fatal(err)
	}
	root, err := s.Checkpoint(seq)
	if err != nil {
		t.Fatal(err)
	}
	return root
}
