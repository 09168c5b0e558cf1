package check

import (
	"cmp"
	"slices"
	"time"
)

// witnessed reports whether the order in which a part's operations are said to have been executed (Call.Order) explains
// the history. The order is checked with the model and with the times of the calls. If it explains the history, no
// search is needed. If not, nothing is decided. Operations of one batch have the same place. Operations without a place,
// such as reads at the end, get the first place after everything that had returned before they were invoked. Among
// operations with the same place an order is searched, within bounds. Operations of unknown outcome are in the order if
// they were executed; otherwise they did not happen.
func witnessed(part []Call) bool {
	order := make([]*Call, 0, len(part))
	for i := range part {
		if c := &part[i]; c.Order > 0 || c.Known {
			order = append(order, c)
		}
	}
	places := places(order)
	slices.SortStableFunc(order, func(a, b *Call) int {
		return cmp.Or(cmp.Compare(places[a], places[b]), cmp.Compare(a.Returned, b.Returned))
	})
	s := guided{places: places, left: triesPerCall * len(order)}
	return s.explains(nil, -1, order)
}

// triesPerCall bounds how many orders are tried. Nearly all operations of a batch are independent, so the first order
// that is tried usually fits.
const triesPerCall = 64

// places returns the positions of the calls in the order: given ones, and computed ones for calls without.
func places(order []*Call) map[*Call]uint64 {
	byReturn := slices.SortedFunc(slices.Values(order), func(a, b *Call) int { return cmp.Compare(a.Returned, b.Returned) })
	highest := make([]uint64, len(byReturn)+1) // of all calls that returned before the call with this index
	for i, c := range byReturn {
		highest[i+1] = highest[i]
		if c.Known {
			highest[i+1] = max(highest[i], c.Order)
		}
	}
	places := make(map[*Call]uint64, len(order))
	for _, c := range order {
		if places[c] = c.Order; c.Order == 0 {
			before, _ := slices.BinarySearchFunc(byReturn, c.Invoked, func(b *Call, at time.Duration) int { return cmp.Compare(b.Returned, at) })
			places[c] = highest[before]
		}
	}
	return places
}

// guided is a search among the orders that agree with the positions.
type guided struct {
	places map[*Call]uint64
	left   int // how many tries are left
}

// explains reports whether the remaining calls are possible after a world. Latest is the latest invocation of the calls
// before; no remaining call may have returned before that time. It changes the order of calls with the same position.
func (s *guided) explains(w world, latest time.Duration, rest []*Call) bool {
	for i := 0; i < len(rest) && s.places[rest[i]] == s.places[rest[0]]; i++ {
		if s.left--; s.left < 0 {
			return false
		}
		c := rest[i]
		until := max(latest, c.Invoked)
		if c.Known && c.Returned < until {
			continue
		}
		next, out := w.do(&c.Op)
		if c.Known && !out.explains(&c.Out) {
			continue
		}
		copy(rest[1:i+1], rest[:i])
		rest[0] = c
		if len(rest) == 1 || s.explains(next, until, rest[1:]) {
			return true
		}
		copy(rest[:i], rest[1:i+1])
		rest[i] = c
	}
	return len(rest) == 0
}
