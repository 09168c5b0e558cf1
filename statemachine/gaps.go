package statemachine

import (
	"bytes"
	"math"
	"slices"
	"sync/atomic"
)

// What gaps hold at most, and how many deleted keys make one. A leap takes about as long as passing a few dozen of them.
const (
	maxGaps     = 4096
	maxGapBytes = 4 << 20
	leastGap    = 32
)

// gaps are the stretches in which no application key exists though something is left of deleted ones: in the storage, whose
// deletions are versions like others, or in the layers above it. A range leaps over them, so that a deleted key is passed
// once and not by every range to come. Without them a client could have 100,000 keys put and deleted, and hold up every
// replica with ranges over what is left of them, at the price of a range over nothing; a price for it there cannot be,
// since what is left differs between replicas. For the same reason gaps change no result.
//
// They belong to the state that batches execute on. A write makes a gap smaller (cut); a deletion leaves the gaps as they
// are, and what the storage takes over from the layers changes nothing in what exists.
type gaps struct {
	list  []gap // ascending; no two of them touch
	bytes int   // of their keys
	least int   // deleted keys that make a gap

	passed atomic.Uint64 // deleted keys, by all ranges
}

// forget leaves no gap.
func (g *gaps) forget() { g.list, g.bytes = nil, 0 }

// gap holds from ≤ key < to. Its keys are never modified: gaps share them.
type gap struct {
	from, to []byte
	dead     int // deleted keys that it is worth, at most
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

// add remembers that nothing exists with from ≤ key < to, where so many deleted keys were passed. It becomes one with the
// gaps that it touches, one of which it touches for sure if a walk leapt on its way.
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
		return // it is known
	case i == j && dead < g.least:
		return // what the walk leapt over was cut meanwhile
	}
	sum.from, sum.to = bytes.Clone(sum.from), bytes.Clone(sum.to)
	g.replace(i, j, sum)
	g.limit()
}

// touched returns the indices of the gaps that touch an interval, the second one exclusive.
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

// cutAll is cut for many keys, in any order, at the cost of one pass.
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

// without appends what is left of a gap without some of its keys, which are in order. How many deleted keys each piece is
// worth is not known; the next walk over it does not need to know.
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

// limit forgets the half of the gaps that is worth least when there are too many. Making so many costs a client far more
// than the walk that finds one of them again.
func (g *gaps) limit() {
	for len(g.list) > maxGaps || g.bytes > maxGapBytes {
		worth := make([]int, len(g.list))
		for i, x := range g.list {
			worth[i] = x.dead
		}
		slices.Sort(worth)
		middle, more := worth[len(worth)/2], len(g.list)/2 // of those worth as much as the middle one, some go
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
