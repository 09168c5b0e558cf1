package check

import (
	"cmp"
	"slices"
	"time"
)

// witnessed reports whether the order in which a part's operations are said to have been executed (Call.Order) is one that
// explains the history. It is not believed but checked, against the model and against the clock: where it fits, the search
// for an order is over before it begins, and where it does not, nothing is said. Operations whose outcome nobody knows are
// in the order if they were executed, and else did not happen.
func witnessed(part []Call) bool {
	order := make([]*Call, 0, len(part))
	for i := range part {
		switch c := &part[i]; {
		case c.Order > 0:
			order = append(order, c)
		case c.Known:
			return false
		}
	}
	slices.SortStableFunc(order, func(a, b *Call) int { return cmp.Compare(a.Order, b.Order) })
	var w world
	latest := time.Duration(-1) // the latest invocation so far: what comes later must not have returned before it
	for i, c := range order {
		if i > 0 && c.Order == order[i-1].Order {
			return false
		}
		latest = max(latest, c.Invoked)
		if c.Known && c.Returned < latest {
			return false
		}
		next, out := w.do(&c.Op)
		if c.Known && !out.explains(&c.Out) {
			return false
		}
		w = next
	}
	return true
}
