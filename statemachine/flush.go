package statemachine

import (
	"bytes"
	"fmt"
	"slices"
)

// Flush makes every applied batch durable in one write request. An error is final, as Apply's is.
func (s *Service) Flush() error {
	if s.failed != nil || len(s.unwritten) == 0 {
		return s.failed
	}
	if err := s.storage.Write(s.unwritten); err != nil {
		s.failed = fmt.Errorf("write batches %d to %d: %w", s.flushed+1, s.executed, err)
		return s.failed
	}
	view, err := s.storage.View(s.executed)
	if err != nil {
		s.failed = fmt.Errorf("open the state at sequence number %d just written: %w", s.executed, err)
		return s.failed
	}
	s.rebase(view)
	s.changes.flushed()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flushed, s.unwritten = s.executed, nil
	return nil
}

// Checkpoint flushes and returns the root of the state after seq, which must be the last applied batch (K1).
func (s *Service) Checkpoint(seq uint64) ([32]byte, error) {
	if seq != s.executed {
		panic(fmt.Sprintf("statemachine: checkpoint at %d after batch %d", seq, s.executed))
	}
	if err := s.Flush(); err != nil {
		return [32]byte{}, err
	}
	root, err := s.storage.Checkpoint(seq)
	if err != nil {
		s.failed = fmt.Errorf("take the checkpoint at sequence number %d: %w", seq, err)
	}
	return root, s.failed
}

// Close releases the service's view of the storage, which stays open. Nothing is flushed.
func (s *Service) Close() { s.rebase(emptyView{}) }

// takeWrites returns what the batch changed, ascending by key: application keys, and one record each for the agreed
// time and every client and session touched.
func (s *Service) takeWrites(now int64) []Write {
	t := &s.touched
	w := make([]Write, 0, len(s.changes.dirty)+1+len(t.clients)+len(t.sessions))
	w = s.changes.appendWrites(w)
	w = append(w, Write{Key: keyTime, Value: encodeTime(now)})
	for _, c := range t.clients {
		c.touched = false
		w = append(w, Write{Key: clientKey(c.key), Value: c.encode()})
	}
	for _, held := range t.sessions {
		held.touched = false
		record := Write{Key: sessionKey(held.owner.key, held.number), Delete: held.evicted}
		if !held.evicted {
			record.Value = held.encode()
		}
		w = append(w, record)
	}
	t.clients, t.sessions = t.clients[:0], t.sessions[:0]
	slices.SortFunc(w, func(a, b Write) int { return bytes.Compare(a.Key, b.Key) })
	return w
}
