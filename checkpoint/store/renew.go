package store

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"tagma/checkpoint/merkle"
	"tagma/statemachine"
)

// A state that is wrong, or whose files are damaged, is taken in anew in a generation of its own, an engine beside the
// present one (K2, X5): what the present one holds that is right is copied, and only the rest is fetched (X4). So one
// damaged table costs no whole transfer, nothing is written below versions that history wrote, damaged files go, and the
// checkpoint may lie below what was executed: it is there already, even if the others need this replica for the next one.

// Renew begins to take in the state after seq, as Stage does, into another generation of the store. It reads the disk at
// that version, whatever is in memory. The store stays what it is until Adopt. The caller completes the stage before.
// It returns ErrStaging too while what an earlier one replaced is still read.
func (s *Store) Renew(seq uint64) (*Stage, error) {
	g := &Stage{store: s, seq: seq}
	if _, err := s.openStage(g, true); err != nil {
		return nil, fmt.Errorf("take in the state after %d anew, in place of the store at %s: %w", seq, s.dir, err)
	}
	defer s.reading.Done()
	next, err := s.engine.Next()
	if err == nil {
		g.next = newGeneration(next)
		g.content, err = readContent(s.engine, seq, true)
	}
	if err != nil && !errors.Is(err, ErrDamaged) { // then nothing of it is of use
		g.Close()
		return nil, fmt.Errorf("take in the state after %d anew, in place of the store at %s: %w", seq, s.dir, err)
	}
	return g, nil
}

// Renews reports whether the stage fills a generation of its own.
func (g *Stage) Renews() bool { return g.next != nil }

// source is what the stage's tree is over.
func (g *Stage) source() Engine {
	if g.whole {
		return g.next.engine
	}
	return g.store.engine
}

// target is where the stage's writes go.
func (g *Stage) target() Engine {
	if g.next != nil {
		return g.next.engine
	}
	return g.store.engine
}

// Complete copies to a new generation what the present one holds of the stage's tree, which is the wanted one by now, and
// reads all of it back. It reports false if the disk gave other bytes than before: then the tree is over what is there, and
// what differs is to be fetched and Complete called again. A stage that fills no generation is complete.
func (g *Stage) Complete() (bool, error) {
	if g.next == nil {
		return true, nil
	}
	if err := g.startReading(); err != nil {
		return false, fmt.Errorf("complete the stage at %d: %w", g.seq, err)
	}
	defer g.store.reading.Done()
	if !g.whole {
		if err := g.copyRight(); err != nil {
			return false, fmt.Errorf("complete the stage at %d: %w", g.seq, err)
		}
	}
	found, err := readContent(g.next.engine, g.seq, true)
	if err != nil {
		return false, fmt.Errorf("complete the stage at %d: %w", g.seq, err)
	}
	equal := found.tree.Root() == g.tree.Root()
	g.content, g.whole = found, true
	return equal, nil
}

// mostNamed is how many keys a stage names that differ.
const mostNamed = 8

// differ notes what a new generation does not take from the present one.
func (g *Stage) differ(writes []statemachine.Write) {
	if g.next == nil || g.copying {
		return
	}
	g.others += len(writes)
	for i := 0; i < len(writes) && len(g.differs) < mostNamed; i++ {
		g.differs = append(g.differs, writes[i].Key)
	}
}

// Differs is what a new generation does not have from the present one: how many keys with their values, and the first of
// them. Those that were only deleted are among them.
func (g *Stage) Differs() (first [][]byte, count int) { return g.differs, g.others }

// Bounds of what is copied in one write.
const (
	copiedKeys  = 1000
	copiedBytes = 1 << 20
)

// copyRight copies what the present generation holds of the tree. What it holds otherwise was written or is fetched.
func (g *Stage) copyRight() (err error) {
	defer func() {
		_ = recover() // badger's: what it cannot read is missing, and found so
	}()
	g.copying = true
	defer func() { g.copying = false }()
	snapshot := g.store.engine.At(g.seq)
	defer snapshot.Discard()
	var writes []statemachine.Write
	bytes := 0
	flush := func() error {
		err := g.Write(writes)
		writes, bytes = nil, 0
		return err
	}
	for item := range snapshot.Items(keyPrefix, nil) {
		value, err := readValue(snapshot, item, nil)
		if err != nil {
			continue
		}
		key := append([]byte(nil), item.Key()[1:]...)
		if !holds(g.tree, key, value) {
			continue
		}
		writes = append(writes, statemachine.Write{Key: key, Value: value})
		if bytes += len(key) + len(value); len(writes) >= copiedKeys || bytes >= copiedBytes {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// holds reports whether a tree has this very entry.
func holds(tree *merkle.Tree, key, value []byte) bool {
	digest, found := tree.Leaf(sha256.Sum256(key))
	return found && digest == sha256.Sum256(value)
}

// succeed makes the stage's generation the store's; s.mu is held. It returns the one before if that is to be dropped.
func (s *Store) succeed(g *Stage) *generation {
	if g.next == nil {
		return nil
	}
	s.before = s.generation
	s.generation, s.maxVersion = g.next, g.seq
	g.next = nil
	return s.unused(s.before)
}

// unused returns a generation that another one has replaced, and that nobody reads any more; s.mu is held.
func (s *Store) unused(g *generation) *generation {
	if g == s.generation || len(g.views) > 0 {
		return nil
	}
	return g
}

// drop removes a generation, unless it is nil. A failure leaves files that the next start removes; until then there is no
// room for another one.
func (s *Store) drop(g *generation) {
	if g == nil || g.engine.Drop() != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = nil
}
