package store

import (
	"fmt"
	"slices"

	"tagma/checkpoint/merkle"
	"tagma/statemachine"
)

// keptTree is the tree of the state after checkpoint seq. The trees of all checkpoints from the floor on are kept.
// The newest stable checkpoint is the lowest that other replicas may need. While ordering is stalled, no newer
// checkpoint becomes stable (K4), so at most the checkpoints of one window lie above it. The trees share what did not
// change between them.
type keptTree struct {
	seq  uint64
	tree *merkle.Snapshot
}

// Pin opens the state after checkpoint seq for a donor (X2): its tree, and a view of its values. If that tree is not
// kept any more or lies below the floor, the error wraps statemachine.ErrNotRetained. The caller must release the
// tree and close the view. Until then neither changes. Meanwhile the store copies every part of the tree that it
// changes, and does not discard any version that the view sees.
func (s *Store) Pin(seq uint64) (*merkle.Snapshot, statemachine.StorageView, error) {
	tree := s.keptClone(seq)
	if tree == nil {
		return nil, nil, fmt.Errorf("pin the checkpoint at %d: %w: its tree is not kept", seq, statemachine.ErrNotRetained)
	}
	view, err := s.View(seq)
	if err != nil {
		tree.Release()
		return nil, nil, fmt.Errorf("pin the checkpoint at %d: %w", seq, err)
	}
	return tree, view, nil
}

func (s *Store) keptClone(seq uint64) *merkle.Snapshot {
	s.keeping.Lock()
	defer s.keeping.Unlock()
	for _, k := range s.kept {
		if k.seq == seq {
			return k.tree.Clone()
		}
	}
	return nil
}

// keep adds the tree after seq, and replaces an earlier one of the same sequence number.
func (s *Store) keep(seq uint64, tree *merkle.Snapshot) {
	s.keepIf(func(k keptTree) bool { return k.seq != seq })
	s.keeping.Lock()
	defer s.keeping.Unlock()
	s.kept = append(s.kept, keptTree{seq, tree})
}

func (s *Store) keepFrom(floor uint64) { s.keepIf(func(k keptTree) bool { return k.seq >= floor }) }
func (s *Store) keepNone()             { s.keepIf(func(keptTree) bool { return false }) }

// keepIf releases the trees that are not wanted.
func (s *Store) keepIf(wanted func(keptTree) bool) {
	s.keeping.Lock()
	defer s.keeping.Unlock()
	s.kept = slices.DeleteFunc(s.kept, func(k keptTree) bool {
		if wanted(k) {
			return false
		}
		k.tree.Release()
		return true
	})
}
