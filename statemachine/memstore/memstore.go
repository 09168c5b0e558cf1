// Package memstore is a statemachine.Storage in memory, for tests, examples and simulations. It keeps every version
// until Discard, so that tests can read past states and restart from any of them. It is not durable. Its root is a
// digest over all entries, so the time of a checkpoint grows with the size of the state.
package memstore

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"iter"
	"slices"
	"sync"

	"tagma/statemachine"
)

// Store is an in-memory versioned storage. It is safe for concurrent use.
type Store struct {
	mu    sync.RWMutex
	keys  map[string][]version // ascending by seq
	order []string             // the sorted keys; a slice is replaced, never modified; nil after keys were added
	floor uint64               // the lowest sequence number that can be read
	last  uint64               // the highest one written
}

// version is the value of a key from batch seq on.
type version struct {
	seq     uint64
	value   []byte
	deleted bool
}

// New returns an empty store, the state after sequence number 0.
func New() *Store { return &Store{keys: make(map[string][]version)} }

// View opens the state after sequence number at. Later writes do not change what the view reads. What Discard removes,
// it can no longer read.
func (s *Store) View(at uint64) (statemachine.StorageView, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if at < s.floor {
		return nil, fmt.Errorf("memstore: view at %d, the lowest retained is %d: %w",
			at, s.floor, statemachine.ErrNotRetained)
	}
	if at > s.last {
		return nil, fmt.Errorf("memstore: view at %d, the last written is %d", at, s.last)
	}
	return view{store: s, at: at}, nil
}

// Write stores the sets without copying them.
func (s *Store) Write(sets []statemachine.WriteSet) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, set := range sets {
		for _, w := range set.Writes {
			versions, exists := s.keys[string(w.Key)]
			if !exists {
				s.order = nil
			}
			v := version{seq: set.Seq, value: w.Value, deleted: w.Delete}
			i, found := slices.BinarySearchFunc(versions, set.Seq, compareVersion)
			if found {
				versions[i] = v
			} else {
				s.keys[string(w.Key)] = slices.Insert(versions, i, v)
			}
		}
		s.last = max(s.last, set.Seq)
	}
	return nil
}

// Checkpoint returns the SHA-256 of all keys and values of the state after seq, ascending by key, each preceded by its
// length as 8 bytes, big endian.
func (s *Store) Checkpoint(seq uint64) (root [32]byte, err error) {
	v, err := s.View(seq)
	if err != nil {
		return root, fmt.Errorf("memstore: checkpoint: %w", err)
	}
	defer v.Close()
	h := sha256.New()
	var buf []byte
	for e, err := range v.Scan(nil, nil) {
		if err != nil {
			return root, fmt.Errorf("memstore: checkpoint at %d: %w", seq, err)
		}
		buf = binary.BigEndian.AppendUint64(buf[:0], uint64(len(e.Key)))
		buf = append(buf, e.Key...)
		buf = binary.BigEndian.AppendUint64(buf, uint64(len(e.Value)))
		buf = append(buf, e.Value...)
		h.Write(buf)
	}
	return [32]byte(h.Sum(nil)), nil
}

// Discard removes the versions that no view at or above below can see.
func (s *Store) Discard(below uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if below <= s.floor {
		return
	}
	s.floor = below
	for key, versions := range s.keys {
		i := newest(versions, below)
		if i > 0 {
			versions = slices.Delete(versions, 0, i)
		}
		if i >= 0 && versions[0].deleted {
			versions = slices.Delete(versions, 0, 1)
		}
		s.keys[key] = versions
		if len(versions) == 0 {
			delete(s.keys, key)
			s.order = nil
		}
	}
}

// Last returns the highest sequence number that was written.
func (s *Store) Last() uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.last
}

// sorted returns the keys in ascending order.
func (s *Store) sorted() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.order == nil {
		s.order = make([]string, 0, len(s.keys))
		for key := range s.keys {
			s.order = append(s.order, key)
		}
		slices.Sort(s.order)
	}
	return s.order
}

// between returns the keys start ≤ key < end that have any version.
func (s *Store) between(start, end []byte) []string {
	keys := s.sorted()
	from, _ := slices.BinarySearch(keys, string(start))
	to := len(keys)
	if end != nil {
		to, _ = slices.BinarySearch(keys, string(end))
	}
	return keys[from:max(from, to)]
}

// newest returns the index of the highest version ≤ at, or -1 if there is none.
func newest(versions []version, at uint64) int {
	i, found := slices.BinarySearchFunc(versions, at, compareVersion)
	if found {
		return i
	}
	return i - 1
}

func compareVersion(v version, seq uint64) int { return cmp.Compare(v.seq, seq) }

type view struct {
	store *Store
	at    uint64
}

func (v view) Get(key []byte) (value []byte, found bool, err error) {
	v.store.mu.RLock()
	defer v.store.mu.RUnlock()
	versions := v.store.keys[string(key)]
	if i := newest(versions, v.at); i >= 0 && !versions[i].deleted {
		return versions[i].value, true, nil
	}
	return nil, false, nil
}

func (v view) Scan(start, end []byte) iter.Seq2[statemachine.Entry, error] {
	return func(yield func(statemachine.Entry, error) bool) {
		for e, err := range v.Walk(start, end, false) {
			if !e.Deleted && !yield(e, err) {
				return
			}
		}
	}
}

// Walk implements statemachine.StorageView.
func (v view) Walk(start, end []byte, down bool) iter.Seq2[statemachine.Entry, error] {
	return func(yield func(statemachine.Entry, error) bool) {
		keys := v.store.between(start, end)
		for i := range keys {
			if down {
				i = len(keys) - 1 - i
			}
			if e, exists := v.entry(keys[i]); exists && !yield(e, nil) {
				return
			}
		}
	}
}

// entry returns what the view sees of a key, which may be that it was deleted.
func (v view) entry(key string) (e statemachine.Entry, exists bool) {
	v.store.mu.RLock()
	defer v.store.mu.RUnlock()
	versions := v.store.keys[key]
	i := newest(versions, v.at)
	if i < 0 {
		return e, false
	}
	return statemachine.Entry{Key: []byte(key), Value: versions[i].value, Deleted: versions[i].deleted}, true
}

func (view) Close() {}
