package watch

import (
	"bytes"
	"maps"
	"slices"
	"strconv"
)

// index finds the ranges that a key lies in. Most watches are of one prefix or of one key, which are found by the key's own
// beginnings, whatever their number. Other ranges are looked at one by one.
type index[L Link] struct {
	groups   map[string]*group[L] // by the encoded range
	prefixes map[string]*group[L]
	lengths  map[int]int          // how many prefixes have a length
	single   map[string]*group[L] // ranges of one key
	others   []*group[L]
	last     uint64
}

// group holds the watches of one range.
type group[L Link] struct {
	number     uint64
	name       string
	start, end []byte
	kind       kind
	subs       map[*sub[L]]struct{}
}

// kind says where a group is found.
type kind int

const (
	other kind = iota
	prefix
	single
)

func newIndex[L Link]() index[L] {
	return index[L]{
		groups: make(map[string]*group[L]), prefixes: make(map[string]*group[L]), lengths: make(map[int]int),
		single: make(map[string]*group[L]),
	}
}

// group returns the group of a range, a new one if there is none.
func (x *index[L]) group(start, end []byte) *group[L] {
	name := strconv.Itoa(len(start)) + ":" + string(start) + string(end)
	if g := x.groups[name]; g != nil {
		return g
	}
	x.last++
	g := &group[L]{number: x.last, name: name, start: bytes.Clone(start), end: bytes.Clone(end), subs: make(map[*sub[L]]struct{})}
	x.groups[name] = g
	switch {
	case bytes.Equal(prefixEnd(start), end):
		g.kind = prefix
		x.prefixes[string(start)] = g
		x.lengths[len(start)]++
	case len(end) == len(start)+1 && end[len(start)] == 0 && bytes.HasPrefix(end, start):
		g.kind = single
		x.single[string(start)] = g
	default:
		x.others = append(x.others, g)
	}
	return g
}

func (x *index[L]) drop(g *group[L]) {
	delete(x.groups, g.name)
	switch g.kind {
	case other:
		x.others = slices.DeleteFunc(x.others, func(o *group[L]) bool { return o == g })
	case single:
		delete(x.single, string(g.start))
	case prefix:
		delete(x.prefixes, string(g.start))
		if x.lengths[len(g.start)]--; x.lengths[len(g.start)] == 0 {
			delete(x.lengths, len(g.start))
		}
	}
}

// match calls found with each group whose range holds the key.
func (x *index[L]) match(key []byte, found func(*group[L])) {
	for n := range x.lengths {
		if n > len(key) {
			continue
		}
		if g := x.prefixes[string(key[:n])]; g != nil {
			found(g)
		}
	}
	if g := x.single[string(key)]; g != nil {
		found(g)
	}
	for _, g := range x.others {
		if g.spans(key) {
			found(g)
		}
	}
}

// spans reports whether the range holds the key.
func (g *group[L]) spans(key []byte) bool {
	return bytes.Compare(g.start, key) <= 0 && (len(g.end) == 0 || bytes.Compare(key, g.end) < 0)
}

// ordered lists the watches by their numbers, so that a simulation repeats.
func (g *group[L]) ordered() []*sub[L] {
	all := slices.Collect(maps.Keys(g.subs))
	slices.SortFunc(all, byNumber)
	return all
}

// prefixEnd is the end of the range of keys with a prefix; empty if there is no greater key.
func prefixEnd(prefix []byte) []byte {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] != 0xff {
			end := bytes.Clone(prefix[:i+1])
			end[i]++
			return end
		}
	}
	return nil
}
