package statemachine

import (
	"bytes"
	"math"
	"slices"
	"sync/atomic"
)

// The bounds of gaps, and the number of deleted keys that make a gap. A leap over a gap takes about as long as a walk
// over a few dozen deleted keys.
const (
	maxGaps     = 4096
	maxGapBytes = 4 << 20
	leastGap    = 32
)

// gaps are the stretches in which no application key exists although versions of deleted keys are left: in the storage,
// where a deletion is a version like others, or in the layers above it. A range leaps over gaps, so only the first
// range passes a deleted key, and later ones do not. Without gaps a client could put and delete 100,000 keys, and then
// hold up every replica with ranges over the left versions, at the cost of an empty range. Deleted keys cannot have a
// cost, since replicas differ in which versions are left. For the same reason gaps change no result.
//
// Gaps belong to the state that batches execute on. A write makes a gap smaller (cut). A deletion leaves the gaps as
// they are, and so does the storage when it takes over writes from the layers, because no key begins to exist by that.
type gaps struct {
	list  []gap // ascending; no two of them touch
	bytes int   // the length of all keys in list
	least int   // the number of deleted keys that make a gap

	passed atomic.Uint64 // how many deleted keys all ranges have passed
}

// forget leaves no gap.
func (g *gaps) forget() { g.list, g.bytes = nil, 0 }

// gap is the stretch from ≤ key < to. Its keys are never modified, because gaps share them.
type gap struct {
	from, to []byte
	dead     int // at most so many deleted keys lie in the gap
}

func (g gap) size() int { return len(g.from) + len(g.to) }

// count says that a deleted key was passed.
func (g *gaps) count() {
	if g != nil {
		g.passed.Add(1)
	}
}

// above returns the first gap that reaches beyond key.
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

// search returns the index of the first gap that reaches beyond key.
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

// add remembers that no key exists with from ≤ key < to, where a walk passed so many deleted keys. The new gap is
// joined with the gaps that it touches. It touches at least one if the walk leapt on its way.
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
		return // the gap that the walk leapt over was cut meanwhile
	}
	sum.from, sum.to = bytes.Clone(sum.from), bytes.Clone(sum.to)
	g.replace(i, j, sum)
	g.limit()
}

// touched returns the half-open range of indices i ≤ x < j of the gaps that touch an interval.
func (g *gaps) touched(from, to []byte) (i, j int) {
	i, _ = slices.BinarySearchFunc(g.list, from, func(x gap, key []byte) int { return bytes.Compare(x.to, key) })
	for j = i; j < len(g.list) && bytes.Compare(g.list[j].from, to) <= 0; j++ {
	}
	return i, j
}

// cut takes a key out of the gaps: it may exist from now on.
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

// cutAll cuts many keys, in any order, in one pass over the gaps.
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

// without appends the pieces of a gap that are left without some of its keys, which are in ascending order. Nobody
// knows how many deleted keys lie in each piece, and the next walk over it does not need to know.
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

// replace puts gaps in the place of list[i:j].
func (g *gaps) replace(i, j int, by ...gap) {
	for _, x := range g.list[i:j] {
		g.bytes -= x.size()
	}
	for _, x := range by {
		g.bytes += x.size()
	}
	g.list = slices.Replace(g.list, i, j, by...)
}

// limit forgets the half of the gaps with the fewest deleted keys when there are too many gaps. A client spends far
// more on making so many gaps than a replica spends on the walk that finds one of them again.
func (g *gaps) limit() {
	for len(g.list) > maxGaps || g.bytes > maxGapBytes {
		worth := make([]int, len(g.list))
		for i, x := range g.list {
			worth[i] = x.dead
		}
		slices.Sort(worth)
		middle, more := worth[len(worth)/2], len(g.list)/2 // more: how many gaps may still go
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
