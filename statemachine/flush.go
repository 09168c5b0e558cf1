package statemachine

import (
	"bytes"
	"fmt"
	"slices"
)

// Sealed is a group of batches that is to be written as one.
type Sealed struct {
	storage Storage
	sets    []WriteSet
	upTo    uint64
}

// Seal closes the group of all batches that were applied since the last Seal. Until Settle the service does not expect
// the storage to hold them, so the caller may write them on another goroutine while it applies the next batches. Only
// one group may be sealed and not settled at a time.
func (s *Service) Seal() *Sealed {
	if s.sealed != nil {
		panic(fmt.Sprintf("statemachine: sealed up to %d while the batches up to %d are being written", s.executed, s.sealed.upTo))
	}
	s.sealed = &Sealed{storage: s.storage, sets: s.touched.addTo(s.unwritten), upTo: s.executed}
	s.layers.sealed, s.layers.changes = s.layers.changes, s.layers.spare
	s.layers.spare = nil
	return s.sealed
}

// Write makes the group durable, in one write request.
func (x *Sealed) Write() error {
	if len(x.sets) == 0 {
		return nil
	}
	if err := x.storage.Write(x.sets); err != nil {
		return fmt.Errorf("write batches %d to %d: %w", x.sets[0].Seq, x.upTo, err)
	}
	return nil
}

// Checkpoint makes the group durable and returns the root of the state after its last batch (K1).
func (x *Sealed) Checkpoint() (root [32]byte, err error) {
	if err := x.Write(); err != nil {
		return root, err
	}
	if root, err = x.storage.Checkpoint(x.upTo); err != nil {
		err = fmt.Errorf("take the checkpoint at sequence number %d: %w", x.upTo, err)
	}
	return root, err
}

// Settle tells the service how writing the sealed group ended; without an error the storage holds it. An error is
// final, like that of Apply.
func (s *Service) Settle(err error) error {
	x := s.sealed
	s.sealed = nil
	if s.failed == nil {
		s.failed = err
	}
	if s.failed != nil {
		return s.failed
	}
	if len(x.sets) > 0 {
		view, err := s.storage.View(x.upTo)
		if err != nil {
			s.failed = fmt.Errorf("open the state at sequence number %d just written: %w", x.upTo, err)
			return s.failed
		}
		s.rebase(view)
	}
	s.layers.settle(s.recent)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flushed, s.unwritten = x.upTo, slices.Clone(s.unwritten[len(x.sets):])
	return nil
}

// Flush makes every applied batch durable in one write request. An error is final, like that of Apply.
func (s *Service) Flush() error {
	if s.failed != nil || len(s.unwritten) == 0 {
		return s.failed
	}
	return s.Settle(s.Seal().Write())
}

// Checkpoint flushes and returns the root of the state after seq, which must be the sequence number of the last applied
// batch (K1).
func (s *Service) Checkpoint(seq uint64) ([32]byte, error) {
	if seq != s.executed {
		panic(fmt.Sprintf("statemachine: checkpoint at %d after batch %d", seq, s.executed))
	}
	if s.failed != nil {
		return [32]byte{}, s.failed
	}
	root, err := s.Seal().Checkpoint()
	return root, s.Settle(err)
}

// Close releases the service's view of the storage; the storage stays open. It flushes nothing.
func (s *Service) Close() { s.rebase(emptyView{}) }

// takeWrites returns the batch's changes to the application's keys and the agreed time, ascending by key. Seal adds the
// records of sessions.
func (s *Service) takeWrites(now int64) []Write {
	w := make([]Write, 0, len(s.layers.changes.dirty)+1)
	w = s.layers.changes.appendWrites(w)
	w = append(w, Write{Key: keyTime, Value: encodeTime(now)})
	slices.SortFunc(w, ascending)
	return w
}

func ascending(a, b Write) int { return bytes.Compare(a.Key, b.Key) }

// addTo returns the sets with one record for every client and session that was touched, and clears t. A record that
// several of the batches changed is written once, in the set of the last of them. One record is enough, because nothing
// reads sessions from a state between two writes.
func (t *touched) addTo(sets []WriteSet) []WriteSet {
	if len(t.clients)+len(t.sessions) == 0 {
		return sets
	}
	added := make([][]Write, len(sets))
	add := func(seq uint64, w Write) {
		i := seq - sets[0].Seq
		added[i] = append(added[i], w)
	}
	for _, c := range t.clients {
		add(c.touched, Write{Key: clientKey(c.key), Value: c.encode()})
		c.touched = 0
	}
	for _, held := range t.sessions {
		record := Write{Key: sessionKey(held.owner.key, held.number), Delete: held.evicted}
		if !held.evicted {
			record.Value = held.encode()
		}
		add(held.touched, record)
		held.touched = 0
	}
	t.clients, t.sessions = t.clients[:0], t.sessions[:0]
	complete := slices.Clone(sets) // queries read the original sets concurrently
	for i := range complete {
		if w := added[i]; len(w) > 0 {
			w = append(w, complete[i].Writes...)
			slices.SortFunc(w, ascending)
			complete[i].Writes = w
		}
	}
	return complete
}
