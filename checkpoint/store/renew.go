package store

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"tagma/checkpoint/merkle"
	"tagma/statemachine"
)

// A state that is wrong, or whose files are damaged, is rebuilt in a new generation: a second engine beside the
// present one (K2, X5). Right entries of the present generation are copied, and only the others are fetched (X4). So
// a damaged table does not cost a whole transfer, nothing is written below existing versions, and damaged files
// disappear. The state can also be rebuilt at a checkpoint below what was executed. That matters because such a
// checkpoint exists already, while the others may need this replica in order to reach the next one.

// Renew begins to rebuild the state after seq, like Stage, but in a new generation of the store. It reads the disk at
// that version and ignores what is in memory. The store does not change until Adopt. The caller must call Complete
// before Adopt. Renew also returns ErrStaging while the generation that an earlier stage replaced is still being read.
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
	if err != nil && !errors.Is(err, ErrDamaged) { // then the new generation cannot be used
		g.Close()
		return nil, fmt.Errorf("take in the state after %d anew, in place of the store at %s: %w", seq, s.dir, err)
	}
	return g, nil
}

// Renews reports whether the stage fills a new generation.
func (g *Stage) Renews() bool { return g.next != nil }

// source is the engine over which the stage's tree was built.
func (g *Stage) source() Engine {
	if g.whole {
		return g.next.engine
	}
	return g.store.engine
}

// target is the engine to which the stage writes.
func (g *Stage) target() Engine {
	if g.next != nil {
		return g.next.engine
	}
	return g.store.engine
}

// Complete must be called when the stage's tree has the wanted root. It copies the entries of that tree that the
// present generation holds to the new one, and reads all of the new one back. If the disk returned other bytes than
// before, Complete reports false. The tree then describes what is really there; the caller must fetch the differences
// and call Complete again. A stage without a new generation is always complete.
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

// mostNamed is how many differing keys a stage lists.
const mostNamed = 8

// differ notes which writes of a new generation were not copied from the present one.
func (g *Stage) differ(writes []statemachine.Write) {
	if g.next == nil || g.copying {
		return
	}
	g.others += len(writes)
	for i := 0; i < len(writes) && len(g.differs) < mostNamed; i++ {
		g.differs = append(g.differs, writes[i].Key)
	}
}

// Differs returns how many keys of the new generation, including those that were only deleted, were not copied from the
// present one, and the first of them.
func (g *Stage) Differs() (first [][]byte, count int) { return g.differs, g.others }

// Bounds of what one write copies.
const (
	copiedKeys  = 1000
	copiedBytes = 1 << 20
)

// copyRight copies those entries of the present generation that are in the stage's tree. All other entries of the
// tree were written before, or will be fetched.
func (g *Stage) copyRight() (err error) {
	defer func() {
		_ = recover() // a panic of badger: what it could not read is not copied, and a later check finds that it is missing
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

// holds reports whether a tree contains this key with this value.
func holds(tree *merkle.Tree, key, value []byte) bool {
	digest, found := tree.Leaf(sha256.Sum256(key))
	return found && digest == sha256.Sum256(value)
}

// succeed makes the stage's generation the store's. It returns the former generation if that can be dropped. The caller
// must hold s.mu.
func (s *Store) succeed(g *Stage) *generation {
	if g.next == nil {
		return nil
	}
	s.before = s.generation
	s.generation, s.maxVersion = g.next, g.seq
	g.next = nil
	return s.unused(s.before)
}

// unused returns g if another generation has replaced it and nobody reads it any more. The caller must hold s.mu.
func (s *Store) unused(g *generation) *generation {
	if g == s.generation || len(g.views) > 0 {
		return nil
	}
	return g
}

// drop removes a generation, unless it is nil. After a failure its files stay until the next start removes them; until
// then the store cannot be renewed again.
func (s *Store) drop(g *generation) {
	if g == nil || g.engine.Drop() != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = nil
}
