package sim

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"

	"tagma/checkpoint/merkle"
	"tagma/statemachine"
	"tagma/testnet/sim/disk"
)

// store is a versioned storage in memory that loses in a crash what the real one may lose (D5): a write that was under
// way, as a tail or as a hole, down to single keys. What a Write returned for, and the time of its sync is over, is durable.
// Its root is the one of the real store.
type store struct {
	keys    map[string]*cell
	order   []string // the keys, sorted; nil when one was added
	tree    *merkle.Tree
	last    uint64 // the highest sequence number written or passed
	highest uint64 // the highest version of any key
	floor   uint64 // the lowest sequence number that can be read
	flight  []statemachine.WriteSet
	failure error // what every write returns, if it is to fail
}

// cell is what a key held, ascending by seq.
type cell struct{ versions []version }

type version struct {
	seq     uint64
	value   []byte
	deleted bool
}

func newStore() *store { return &store{keys: map[string]*cell{}, tree: merkle.New()} }

// Write implements statemachine.Storage. The sets are durable once they are settled.
func (s *store) Write(sets []statemachine.WriteSet) error {
	if s.failure != nil {
		return s.failure
	}
	s.settle()
	for _, set := range sets {
		if set.Seq <= s.last {
			continue
		}
		for _, w := range set.Writes {
			s.put(set.Seq, w)
			if w.Delete {
				s.tree.Delete(w.Key)
			} else {
				s.tree.Set(w.Key, w.Value)
			}
		}
		s.last = set.Seq
		s.flight = append(s.flight, set)
	}
	return nil
}

func (s *store) put(seq uint64, w statemachine.Write) {
	c := s.keys[string(w.Key)]
	if c == nil {
		c = &cell{}
		s.keys[string(w.Key)] = c
		s.order = nil
	}
	s.highest = max(s.highest, seq)
	v := version{seq: seq, value: w.Value, deleted: w.Delete}
	i := len(c.versions)
	for i > 0 && c.versions[i-1].seq >= seq {
		i--
	}
	if i < len(c.versions) && c.versions[i].seq == seq {
		c.versions[i] = v
		return
	}
	c.versions = slices.Insert(c.versions, i, v)
	if len(c.versions) > 1 && c.versions[1].seq <= s.floor { // nobody can read what lies below
		c.versions = slices.Delete(c.versions, 0, c.newest(s.floor))
	}
}

// newest is the index of the highest version ≤ at, or −1.
func (c *cell) newest(at uint64) int {
	i := len(c.versions) - 1
	for i >= 0 && c.versions[i].seq > at {
		i--
	}
	return i
}

func (c *cell) at(seq uint64) ([]byte, bool) {
	i := c.newest(seq)
	if i < 0 || c.versions[i].deleted {
		return nil, false
	}
	return c.versions[i].value, true
}

// settle ends the sync of the last write.
func (s *store) settle() {
	clear(s.flight)
	s.flight = s.flight[:0]
}

// Checkpoint implements statemachine.Storage.
func (s *store) Checkpoint(seq uint64) (root [32]byte, err error) {
	if s.failure != nil {
		return root, s.failure
	}
	if seq < s.last {
		return root, fmt.Errorf("checkpoint at %d: the state is at %d already", seq, s.last)
	}
	s.last = seq
	return s.tree.Root(), nil
}

// Discard implements statemachine.Storage. Old versions go when their key is written again.
func (s *store) Discard(below uint64) { s.floor = max(s.floor, below) }

// Load takes up the state at a sequence number, and returns its root. Versions above it stay, unseen.
func (s *store) Load(at uint64) [32]byte {
	s.tree.Reset()
	for _, key := range s.sorted() {
		if value, found := s.keys[key].at(at); found {
			s.tree.Set([]byte(key), value)
		}
	}
	s.last = at
	return s.tree.Root()
}

func (s *store) sorted() []string {
	if s.order == nil {
		s.order = make([]string, 0, len(s.keys))
		for key := range s.keys { //nolint:revive // sorted below
			s.order = append(s.order, key)
		}
		slices.Sort(s.order)
	}
	return s.order
}

// crash loses what was in flight, or a part of it.
func (s *store) crash(l disk.Loss, chance *rand.Rand) {
	flight := s.flight
	s.flight = nil
	if l == disk.Kill {
		return
	}
	kept := 0
	if l == disk.Tail {
		for _, set := range flight {
			kept += len(set.Writes)
		}
		kept = chance.IntN(kept + 1)
	}
	for _, set := range flight {
		for _, w := range set.Writes {
			kept--
			if lost := l == disk.All || l == disk.Tail && kept < 0 || l == disk.Holes && chance.IntN(2) == 0; lost {
				s.lose(string(w.Key), set.Seq)
			}
		}
	}
	s.highest = 0
	for _, key := range s.sorted() {
		versions := s.keys[key].versions
		s.highest = max(s.highest, versions[len(versions)-1].seq)
	}
}

// lose forgets one version of a key.
func (s *store) lose(key string, seq uint64) {
	c := s.keys[key]
	c.versions = slices.DeleteFunc(c.versions, func(v version) bool { return v.seq == seq })
	if len(c.versions) == 0 {
		delete(s.keys, key)
		s.order = nil
	}
}

// copyOf is the state of another store after a sequence number: what a transfer would bring.
func copyOf(from *store, at uint64) *store {
	s := newStore()
	for _, key := range from.sorted() {
		c := from.keys[key]
		if i := c.newest(at); i >= 0 && !c.versions[i].deleted {
			s.put(c.versions[i].seq, statemachine.Write{Key: []byte(key), Value: c.versions[i].value})
		}
	}
	s.last, s.floor = at, at
	return s
}

// View implements statemachine.Storage.
func (s *store) View(at uint64) (statemachine.StorageView, error) {
	if at < s.floor {
		return nil, fmt.Errorf("view at %d, the lowest retained is %d: %w", at, s.floor, statemachine.ErrNotRetained)
	}
	return view{s, at}, nil
}

type view struct {
	s  *store
	at uint64
}

func (view) Close() {}

func (v view) Get(key []byte) (value []byte, found bool, err error) {
	if c := v.s.keys[string(key)]; c != nil {
		value, found = c.at(v.at)
	}
	return value, found, nil
}

func (v view) Scan(start, end []byte) iter.Seq2[statemachine.Entry, error] {
	return func(yield func(statemachine.Entry, error) bool) {
		keys := v.s.sorted()
		from, _ := slices.BinarySearch(keys, string(start))
		for _, key := range keys[from:] {
			if end != nil && key >= string(end) {
				return
			}
			value, found, _ := v.Get([]byte(key)) // never fails
			if found && !yield(statemachine.Entry{Key: []byte(key), Value: value}, nil) {
				return
			}
		}
	}
}
