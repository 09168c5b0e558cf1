package store

import (
	"bytes"
	"errors"
	"fmt"
	"iter"

	"tagma/checkpoint/merkle"
	"tagma/statemachine"
)

// Stage takes in the state after one sequence number from elsewhere (X4) while the store stays what it is: its views, its
// floor, and the last sequence number written. One goroutine at a time uses it.
type Stage struct {
	store *Store
	seq   uint64
	content
	shared bool        // the content is the store's own
	next   *generation // that it fills; nil: it writes beside what is there
	whole  bool        // next holds all of the content

	copying bool     // what is written is copied from the present generation
	differs [][]byte // the first keys of what was written otherwise
	others  int      // how many keys that was
}

// holdsAll reports whether what is in memory is all that a read at any later version would see: nothing lies above it in the
// store. Then a stage need not read the disk, and one that follows another soon costs no more than what differs (X9).
func (s *Store) holdsAll() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return (s.loaded || s.moved) && s.maxVersion <= s.top
}

// Stage begins to take in the state after seq. It reads everything visible at version seq into a tree of its own, what
// crashed runs and earlier stages left included: that, not what was executed, is what a view at seq would see, so that is
// what must be compared with the wanted state. It takes two seconds or less for a million keys, and as much memory again as
// the store's tree. Where nothing was left, what is in memory is the same, and is taken: that costs nothing.
//
// It returns ErrAhead if the store holds anything of a later sequence number, or is at one, and ErrStaging if a stage is
// open already. Until Adopt or Close nothing else may be written, and Checkpoint is refused.
//
// It need not follow a Load. If the store is at seq already, its state there is in doubt: no view of the store opens until
// Adopt, as after a failed Load, and those open already may see what is written.
//
// What is written at seq counts in MaxVersion. The caller's journal must hold the certificate of seq before the first
// write, else the next start finds a store ahead of its journal.
func (s *Store) Stage(seq uint64) (*Stage, error) {
	g := &Stage{store: s, seq: seq}
	inDoubt, err := s.openStage(g, false)
	if err != nil {
		return nil, fmt.Errorf("stage the state after %d in the store at %s: %w", seq, s.dir, err)
	}
	defer s.reading.Done()
	if inDoubt {
		s.keepNone()
	}
	if !inDoubt && s.holdsAll() {
		g.content, g.shared = s.content, true
		return g, nil
	}
	if g.content, err = readContent(s.engine, seq, true); err != nil {
		g.Close()
		return nil, fmt.Errorf("stage the state after %d in the store at %s: %w", seq, s.dir, err)
	}
	return g, nil
}

// openStage makes g the store's stage, and Close of the store wait until it was read.
func (s *Store) openStage(g *Stage, renews bool) (inDoubt bool, err error) {
	s.writing.Lock() // what is being written counts
	defer s.writing.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	newest := max(s.maxVersion, s.written)
	switch {
	case s.closed:
		return false, ErrClosed
	case s.failed != nil:
		return false, s.failed
	case s.stage != nil, renews && s.before != nil:
		return false, ErrStaging
	case g.seq == 0:
		return false, errors.New("the state after 0 is empty; there is nothing to take in")
	case newest > g.seq && !renews:
		return false, fmt.Errorf("%w: the newest is %d", ErrAhead, newest)
	}
	s.stage = g
	s.reading.Add(1)
	if s.loaded && s.written == g.seq && !renews {
		s.loaded, inDoubt = false, true
	}
	return inDoubt, nil
}

// Tree returns the tree over what is visible at the stage's version; Write keeps it up to date. A value that a crash left in
// part has zeros for its digest. The tree belongs to the store: the caller only reads it, and not after Adopt.
func (g *Stage) Tree() *merkle.Tree { return g.tree }

// Write writes at the stage's version, durably before it returns. The writes are in any order, each key once. As with
// Store.Write the first error is final for the whole store.
func (g *Stage) Write(writes []statemachine.Write) error {
	s := g.store
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := g.usable(); err != nil {
		return fmt.Errorf("write to the stage at %d: %w", g.seq, err)
	}
	if g.shared {
		s.moved, s.top = true, g.seq
	}
	if err := s.writeBatch(g.target(), &g.content, []statemachine.WriteSet{{Seq: g.seq, Writes: writes}}); err != nil {
		return s.fail(fmt.Errorf("write to the stage at %d in the store at %s: %w", g.seq, s.dir, err))
	}
	g.differ(writes)
	return nil
}

// Scan yields the keys visible at the stage's version, ascending; each is the caller's. Keys written or deleted since it
// began may be missing or there. An error ends it.
func (g *Stage) Scan() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if err := g.startReading(); err != nil {
			yield(nil, fmt.Errorf("scan the stage at %d: %w", g.seq, err))
			return
		}
		defer g.store.reading.Done()
		snapshot := g.source().At(g.seq)
		defer snapshot.Discard()
		for item := range snapshot.Items(keyPrefix, nil) {
			if !yield(bytes.Clone(item.Key()[1:]), nil) {
				return
			}
		}
	}
}

// Adopt makes the state after the stage's sequence number the store's: its tree, the last sequence number written, and the
// floor. Views below are refused from now on, and older trees are let go. The caller has compared the tree's root with the
// certified one. Everything is synced before Adopt returns.
//
// What the state before consisted of stays on disk until Discard is called for the new floor, so a crash before the
// caller's own record of the switch still finds it (X6). The caller calls Discard after that record only.
func (g *Stage) Adopt() error {
	s := g.store
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := g.usable(); err != nil {
		return fmt.Errorf("adopt the stage at %d: %w", g.seq, err)
	}
	if g.next != nil && !g.whole {
		return fmt.Errorf("adopt the stage at %d in the store at %s: its generation was not completed", g.seq, s.dir)
	}
	if err := errors.Join(g.target().Sync(), g.target().Failure()); err != nil {
		return s.fail(fmt.Errorf("adopt the stage at %d in the store at %s: %w", g.seq, s.dir, err))
	}
	s.keepNone()
	s.content, s.wrote = g.content, true
	s.moved, s.top = false, g.seq
	s.keep(g.seq, s.tree.Snapshot())
	s.mu.Lock()
	unused := s.succeed(g)
	defer s.drop(unused)
	defer s.mu.Unlock()
	s.loaded, s.written, s.floor, s.stage = true, g.seq, g.seq, nil
	s.discarding = false
	return nil
}

// Close gives the stage up. What it wrote stays at its version, as a crash would leave it. After Adopt it does nothing.
func (g *Stage) Close() {
	g.store.mu.Lock()
	defer g.store.mu.Unlock()
	if g.store.stage == g {
		g.store.stage = nil
		if g.next != nil {
			_ = g.next.engine.Drop() // what is left of it is removed before the next one, or by a start
		}
	}
}

// usable says why the stage cannot be used.
func (g *Stage) usable() error {
	g.store.mu.Lock()
	defer g.store.mu.Unlock()
	return g.whyNot()
}

// startReading makes Close of the store wait for a call of reading.Done.
func (g *Stage) startReading() error {
	g.store.mu.Lock()
	defer g.store.mu.Unlock()
	if err := g.whyNot(); err != nil {
		return err
	}
	g.store.reading.Add(1)
	return nil
}

// whyNot is usable with store.mu held.
func (g *Stage) whyNot() error {
	switch {
	case g.store.closed:
		return ErrClosed
	case g.store.failed != nil:
		return g.store.failed
	case g.store.stage != g:
		return ErrStageClosed
	}
	return nil
}
