package store

import (
	"bytes"
	"fmt"
	"iter"
	"sync"

	"tagma/statemachine"
)

// View opens the state after sequence number at. Below the floor it returns statemachine.ErrNotRetained (C9); above the
// last sequence number written it returns ErrNotWritten. An open view prevents discarding of what it sees.
func (s *Store) View(at uint64) (statemachine.StorageView, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return nil, ErrClosed
	case !s.loaded:
		return nil, ErrNotLoaded
	case at < s.floor:
		return nil, fmt.Errorf("view at %d: %w: the oldest is %d", at, statemachine.ErrNotRetained, s.floor)
	case at > s.written:
		return nil, fmt.Errorf("view at %d: %w: the newest is %d", at, ErrNotWritten, s.written)
	}
	return s.see(at), nil
}

// Newest opens the state at the highest version in the store. It is not verified, because a crash may have left only
// parts of it. It is meant for a look before anything is executed.
func (s *Store) Newest() (statemachine.StorageView, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	return s.see(s.maxVersion), nil
}

// see opens a state. The caller must hold the lock.
func (s *Store) see(at uint64) statemachine.StorageView {
	s.views[at]++
	s.reading.Add(1)
	from := s.generation
	v := &view{from: from, snapshot: from.engine.At(at)}
	v.release = sync.OnceFunc(func() {
		v.snapshot.Discard()
		s.unpin(from, at)
		s.reading.Done()
	})
	return v
}

type view struct {
	from     *generation
	snapshot Snapshot
	release  func()
}

// Close may be called more than once.
func (v *view) Close() { v.release() }

func (v *view) Get(key []byte) (value []byte, found bool, err error) {
	item, err := v.snapshot.Get(stored(key))
	if err != nil {
		return nil, false, fmt.Errorf("read key %.64q: %w", key, err)
	}
	if item == nil {
		return nil, false, nil
	}
	if value, err = readValue(v.snapshot, item, nil); err != nil {
		return nil, false, fmt.Errorf("read the value of key %.64q: %w", key, err)
	}
	return value, true, nil
}

func (v *view) Scan(start, end []byte) iter.Seq2[statemachine.Entry, error] {
	return func(yield func(statemachine.Entry, error) bool) {
		for item := range v.snapshot.Items(keyPrefix, stored(start)) {
			if end != nil && bytes.Compare(item.Key()[1:], end) >= 0 {
				return
			}
			if !v.yield(item, yield) {
				return
			}
		}
	}
}

func (v *view) Walk(start, end []byte, down bool) iter.Seq2[statemachine.Entry, error] {
	return func(yield func(statemachine.Entry, error) bool) {
		to := []byte{keyPrefix + 1} // above every key
		if end != nil {
			to = stored(end)
		}
		for item := range v.snapshot.Walk(stored(start), to, down) {
			if item.IsDeletedOrExpired() {
				if !yield(statemachine.Entry{Key: bytes.Clone(item.Key()[1:]), Deleted: true}, nil) {
					return
				}
			} else if !v.yield(item, yield) {
				return
			}
		}
	}
}

// yield passes on an entry, or the error of reading it, and reports whether to continue.
func (v *view) yield(item Item, yield func(statemachine.Entry, error) bool) bool {
	key := bytes.Clone(item.Key()[1:])
	value, err := readValue(v.snapshot, item, nil)
	if err != nil {
		yield(statemachine.Entry{}, fmt.Errorf("read the value of key %.64q: %w", key, err))
		return false
	}
	return yield(statemachine.Entry{Key: key, Value: value}, nil)
}
