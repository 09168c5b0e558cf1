package statemachine

import (
	"bytes"
	"math"
	"slices"
	"sync/atomic"
)

// Bounds of gaps: their number, their bytes, and how many deleted keys make a gap. Skipping a gap takes about as long as
// passing a few dozen deleted keys.
const (
	maxGaps     = 4096
	maxGapBytes = 4 << 20
	leastGap    = 32
)

// gaps are intervals of keys in which no application key exists, although there are many deleted keys. A deleted key
// takes time to pass, because the storage and the layers above it keep a version for it, which says that the key is
// deleted. A range that has passed such an interval remembers it, and later ranges skip it.
//
// Without gaps a client could put and delete 100,000 keys. Then each of its ranges over these keys would cost almost
// nothing in units of cost, and would take every replica a long time. Deleted keys cannot have a cost, because replicas
// differ in which of their versions still exist. For the same reason, gaps must not change any result.
//
// Gaps belong to the state on which batches execute. A write makes a gap smaller (cut). A deletion does not change gaps.
// Neither does the storage when it takes over writes from the layers, because no key begins to exist by that.
type gaps struct {
	list  []gap // ascending; no two of them touch or overlap
	bytes int   // the length of all keys in list
	least int   // the number of deleted keys that make a gap

	passed atomic.Uint64 // how many deleted keys all ranges together have passed
}

// forget leaves no gap.
func (g *gaps) forget() { g.list, g.bytes = nil, 0 }

// gap is an interval of keys, from ≤ key < to. Its bounds are never modified, because gaps share them.
type gap struct {
	from, to []byte
	dead     int // at most this many deleted keys are in the gap
}

func (g gap) size() int { return len(g.from) + len(g.to) }

// count says that a deleted key was passed.
func (g *gaps) count() {
	if g != nil {
		g.passed.Add(1)
	}
}

// above returns the first gap that ends above key.
func (g *gaps) above(key []byte) (gap, bool) {
	if i := g.search(key); g != nil && i < len(g.list) {
		return g.list[i], true
	}
	return gap{}, false
}

// below returns the last gap that begins below key.
func (g *gaps) below(key []byte) (gap, bool) {
	if g == nil {
		return gap{}, false
	}
	i, _ := slices.BinarySearchFunc(g.list, key, func(x gap, key []byte) int { return bytes.Compare(x.from, key) })
	if i == 0 {
		return gap{}, false
	}
	return g.list[i-1], true
}

// search returns the index of the first gap that ends above key.
func (g *gaps) search(key []byte) int {
	if g == nil {
		return 0
	}
	i, found := slices.BinarySearchFunc(g.list, key, func(x gap, key []byte) int { return bytes.Compare(x.to, key) })
	if found {
		i++
	}
	return i
}

// add records that no key exists with from ≤ key < to, after a walk passed this many deleted keys there. The new gap is
// merged with the gaps that it touches. If the walk skipped gaps, it touches those.
func (g *gaps) add(from, to []byte, dead int, leapt bool) {
	if g == nil || dead < g.least && !leapt || bytes.Compare(from, to) >= 0 {
		return
	}
	i, j := g.touched(from, to)
	sum := gap{from, to, dead}
	for _, x := range g.list[i:j] {
		sum = gap{least(x.from, sum.from), greatest(x.to, sum.to), min(sum.dead+x.dead, math.MaxInt32)}
	}
	switch {
	case j == i+1 && len(sum.from) == len(g.list[i].from) && len(sum.to) == len(g.list[i].to) &&
		bytes.Equal(sum.from, g.list[i].from) && bytes.Equal(sum.to, g.list[i].to):
		return // the gap is known already
	case i == j && dead < g.least:
		return // the gap that the walk skipped was cut meanwhile
	}
	sum.from, sum.to = bytes.Clone(sum.from), bytes.Clone(sum.to)
	g.replace(i, j, sum)
	g.limit()
}

// touched returns the gaps that touch an interval, as indices i ≤ x < j.
func (g *gaps) touched(from, to []byte) (i, j int) {
	i, _ = slices.BinarySearchFunc(g.list, from, func(x gap, key []byte) int { return bytes.Compare(x.to, key) })
	for j = i; j < len(g.list) && bytes.Compare(g.list[j].from, to) <= 0; j++ {
	}
	return i, j
}

// cut removes a key from the gaps, because it may exist from now on.
func (g *gaps) cut(key []byte) {
	if g == nil || len(g.list) == 0 {
		return
	}
	i := g.search(key)
	if i == len(g.list) || bytes.Compare(g.list[i].from, key) > 0 {
		return
	}
	g.replace(i, i+1, g.list[i].without(nil, [][]byte{bytes.Clone(key)})...)
	g.limit()
}

// cutAll removes many keys, in any order, in one pass over the gaps.
func (g *gaps) cutAll(keys [][]byte) {
	if g == nil || len(g.list) == 0 || len(keys) == 0 {
		return
	}
	slices.SortFunc(keys, bytes.Compare)
	var pieces []gap
	for _, x := range g.list {
		i, _ := slices.BinarySearchFunc(keys, x.from, bytes.Compare)
		j, _ := slices.BinarySearchFunc(keys, x.to, bytes.Compare)
		pieces = x.without(pieces, keys[i:max(i, j)])
	}
	g.replace(0, len(g.list), pieces...)
	g.limit()
}

// without appends the pieces of a gap that remain after some keys, which are in ascending order, were removed from it.
// The number of deleted keys in each piece is not known, and the next walk over it need not know it.
func (g gap) without(pieces []gap, keys [][]byte) []gap {
	for _, key := range keys {
		if piece := (gap{g.from, key, g.dead}); bytes.Compare(piece.from, piece.to) < 0 {
			pieces = append(pieces, piece)
		}
		g.from = append(bytes.Clone(key), 0)
	}
	if bytes.Compare(g.from, g.to) < 0 {
		pieces = append(pieces, g)
	}
	return pieces
}

// replace replaces list[i:j] by other gaps.
func (g *gaps) replace(i, j int, by ...gap) {
	for _, x := range g.list[i:j] {
		g.bytes -= x.size()
	}
	for _, x := range by {
		g.bytes += x.size()
	}
	g.list = slices.Replace(g.list, i, j, by...)
}

// limit drops the half of the gaps with the fewest deleted keys when there are too many gaps. A dropped gap is found
// again by the next range. That costs a replica much less than it cost the client to make so many gaps.
func (g *gaps) limit() {
	for len(g.list) > maxGaps || g.bytes > maxGapBytes {
		worth := make([]int, len(g.list))
		for i, x := range g.list {
			worth[i] = x.dead
		}
		slices.Sort(worth)
		middle, more := worth[len(worth)/2], len(g.list)/2 // more is how many gaps may still be dropped
		g.list = slices.DeleteFunc(g.list, func(x gap) bool {
			if x.dead > middle || more == 0 {
				return false
			}
			more--
			g.bytes -= x.size()
			return true
		})
	}
}
