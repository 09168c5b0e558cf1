package sim

import (
	"math/rand/v2"
	"slices"

	"tagma/statemachine"
	"tagma/testnet/sim/disk"
)

// medium is where a replica's state lies: it outlives the process. It loses in a crash what a real store may lose (D5): a
// write that was under way, as a tail or as a hole, down to single keys. What a write returned for, and the time of its sync
// is over, is durable.
type medium struct {
	keys    map[string]*cell
	order   []string // the keys, sorted; nil when one was added
	highest uint64   // the highest version of any key
	floor   uint64   // nobody reads below
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

func newMedium() *medium { return &medium{keys: map[string]*cell{}} }

func (s *medium) put(seq uint64, w statemachine.Write) {
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
func (s *medium) settle() {
	clear(s.flight)
	s.flight = s.flight[:0]
}

func (s *medium) sorted() []string {
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
func (s *medium) crash(l disk.Loss, chance *rand.Rand) {
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
func (s *medium) lose(key string, seq uint64) {
	c := s.keys[key]
	c.versions = slices.DeleteFunc(c.versions, func(v version) bool { return v.seq == seq })
	if len(c.versions) == 0 {
		delete(s.keys, key)
		s.order = nil
	}
}

// copy is a copy of everything that is durable.
func (s *medium) copy() *medium {
	out := newMedium()
	out.highest, out.floor = s.highest, s.floor
	for _, key := range s.sorted() {
		out.keys[key] = &cell{versions: slices.Clone(s.keys[key].versions)}
	}
	return out
}
