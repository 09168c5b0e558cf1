package store

import (
	"bytes"
	"errors"
	"fmt"
	"iter"

	"tagma/checkpoint/merkle"
	"tagma/statemachine"
)

// Stage takes the state after one sequence number from elsewhere (X4). Meanwhile the store stays as it is: its views,
// its floor, and the last sequence number written. Only one goroutine at a time may use a stage.
type Stage struct {
	store *Store
	seq   uint64
	content
	shared bool        // the content is the store's own, not a copy
	next   *generation // the generation that the stage fills; nil: it writes into the present one
	whole  bool        // next holds all entries of the content

	copying bool     // what is being written is copied from the present generation
	differs [][]byte // the first keys that were written without being copied
	others  int      // how many such keys there are
}

// holdsAll reports whether the content in memory is all that a read at any later version would see, because the store
// holds nothing above it. Then a stage need not read the disk, and if it soon follows another stage, it costs only
// what differs between the two (X9).
func (s *Store) holdsAll() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return (s.loaded || s.moved) && s.maxVersion <= s.top
}

// Stage begins to take the state after seq from elsewhere. It reads everything visible at version seq into a tree of
// its own, including what crashed runs and earlier stages left. A view at seq would see all of that, and not only
// what was executed. So all of it must be compared with the wanted state. Reading takes at most two seconds for a
// million keys, and as much memory again as the store's tree. If no crash or stage left anything, the content in
// memory is the same and is used instead, at no cost.
//
// It returns ErrAhead if the store is at a later sequence number or holds anything of one, and ErrStaging if a stage
// is open already. Until Adopt or Close nothing else may be written, and Checkpoint is refused.
//
// Stage may be called without a Load before. If the store is at seq already, a stage there means that its state may
// be wrong. Then, as after a failed Load, no view of the store can be opened until Adopt, and open views may see what
// the stage writes.
//
// What the stage writes at seq counts in MaxVersion. The caller's journal must therefore hold the certificate of seq
// before the first write; otherwise the next start would find a store that is ahead of its journal.
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

// openStage makes g the store's stage. Close of the store then waits until Stage has finished reading.
func (s *Store) openStage(g *Stage, renews bool) (inDoubt bool, err error) {
	s.writing.Lock() // waits for a write that is under way
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

// Tree returns the tree over what is visible at the stage's version; Write keeps it up to date. A value of which a
// crash left only some parts has zeros as its digest. The tree belongs to the store: the caller may only read it, and
// not after Adopt.
func (g *Stage) Tree() *merkle.Tree { return g.tree }

// Write writes at the stage's version and returns once the writes are durable. The writes may be in any order; each key
// must occur once. As with Store.Write, the first error is final for the whole store.
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

// Scan yields the keys visible at the stage's version, ascending. The caller may keep them. Keys that are written or
// deleted during the scan may be yielded or not. An error ends the scan.
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

// Adopt makes the stage's state the store's: its tree, the last sequence number written, and the floor. From now on
// views below the floor are refused, and older trees are released. The caller must have compared the tree's root with
// the certified one. Everything is synced before Adopt returns.
//
// The versions of the former state stay on disk until Discard is called for the new floor. So if a crash comes before
// the caller's own record of the switch, a start still finds the former state (X6). The caller must call Discard only
// after that record.
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

// Close gives the stage up. The values that it wrote stay at its version, as after a crash. After Adopt, Close does nothing.
func (g *Stage) Close() {
	g.store.mu.Lock()
	defer g.store.mu.Unlock()
	if g.store.stage == g {
		g.store.stage = nil
		if g.next != nil {
			_ = g.next.engine.Drop() // what remains of it is removed before the next renewal, or by a start
		}
	}
}

// usable returns why the stage cannot be used, or nil.
func (g *Stage) usable() error {
	g.store.mu.Lock()
	defer g.store.mu.Unlock()
	return g.whyNot()
}

// startReading makes Close of the store wait. The caller must call reading.Done afterwards.
func (g *Stage) startReading() error {
	g.store.mu.Lock()
	defer g.store.mu.Unlock()
	if err := g.whyNot(); err != nil {
		return err
	}
	g.store.reading.Add(1)
	return nil
}

// whyNot does what usable does, for a caller that holds store.mu.
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
