package store

import (
	"fmt"

	"tagma/statemachine"
)

// Write makes the sets durable before it returns, in one request to the engine. It skips sets at or below the last
// sequence number written, which the store already holds. Even a set without writes must be passed, so that its
// sequence number becomes readable. The first error is final: later calls return it and write nothing.
func (s *Store) Write(sets []statemachine.WriteSet) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	sets, err := s.unwritten(sets)
	if err != nil || len(sets) == 0 {
		return err
	}
	if err := s.writeBatch(s.engine, &s.content, sets); err != nil {
		return s.fail(fmt.Errorf("write sequence numbers %d to %d to the store at %s: %w",
			sets[0].Seq, sets[len(sets)-1].Seq, s.dir, err))
	}
	s.wrote, s.top = true, sets[len(sets)-1].Seq
	s.mu.Lock()
	defer s.mu.Unlock()
	s.written = sets[len(sets)-1].Seq
	return nil
}

// unwritten returns the sets above the last sequence number written.
func (s *Store) unwritten(sets []statemachine.WriteSet) ([]statemachine.WriteSet, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writable(); err != nil {
		return nil, err
	}
	for i := 1; i < len(sets); i++ {
		if sets[i].Seq <= sets[i-1].Seq {
			return nil, fmt.Errorf("write sets out of order: %d after %d", sets[i].Seq, sets[i-1].Seq)
		}
	}
	for len(sets) > 0 && sets[0].Seq <= s.written {
		sets = sets[1:]
	}
	return sets, nil
}

// writable returns why nothing may be written, or nil. The caller must hold s.mu.
func (s *Store) writable() error {
	switch {
	case s.closed:
		return ErrClosed
	case s.failed != nil:
		return s.failed
	case s.stage != nil:
		return ErrStaging
	case s.moved:
		return ErrMoved
	case !s.loaded:
		return ErrNotLoaded
	}
	return nil
}

// writeBatch writes the sets durably and updates the content. A crash may leave any part of them (D5).
func (s *Store) writeBatch(to Engine, c *content, sets []statemachine.WriteSet) error {
	var entries []Entry
	for _, set := range sets {
		for _, w := range set.Writes {
			var err error
			if entries, err = c.add(entries, s.cut, set.Seq, w); err != nil {
				return fmt.Errorf("key %.64q: %w", w.Key, err)
			}
		}
	}
	if len(entries) == 0 {
		return to.Failure()
	}
	if err := to.Write(entries); err != nil {
		return err
	}
	for _, set := range sets {
		c.apply(set.Writes)
	}
	if to != s.engine { // another engine's versions are not the store's
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.maxVersion = max(s.maxVersion, entries[len(entries)-1].Version)
	return nil
}

// Checkpoint returns the root over the state after seq (K1). Everything up to seq is already durable, because Write
// syncs. The tree rehashes what changed since the last root. Batches after the last one written, up to seq, must not
// have written anything. The tree is kept for Pin until the floor passes it.
func (s *Store) Checkpoint(seq uint64) (root [32]byte, err error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	err = s.writable()
	written := s.written
	if err == nil {
		s.written = max(written, seq)
	}
	s.mu.Unlock()
	switch {
	case err != nil:
		return root, fmt.Errorf("checkpoint at %d: %w", seq, err)
	case seq < written:
		return root, fmt.Errorf("checkpoint at %d: the state is at %d already", seq, written)
	}
	if err := s.engine.Failure(); err != nil {
		return root, s.fail(fmt.Errorf("checkpoint at %d: %w", seq, err))
	}
	tree := s.tree.Snapshot()
	s.keep(seq, tree)
	return tree.Root(), nil
}
