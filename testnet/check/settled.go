package check

import (
	"fmt"
	"time"

	"tagma/pbft/wire"
)

// Recovery is what a run showed after its last fault ended.
type Recovery struct {
	// Committed is how long the first commit after the last fault took. CaughtUp is how long it took until every
	// correct replica had executed what any of them had executed when the faults ended. Negative: it never happened.
	Committed, CaughtUp time.Duration
	// Within bounds both; 0 means any time, but both must have happened.
	Within time.Duration
	// Views and Before are the highest view at the end, and when the last fault ended. MostViews bounds the difference.
	Before, Views wire.View
	MostViews     int
	// Behind are correct replicas that have not executed as much as the others at the end, except those that only a
	// state transfer can bring up to date.
	Behind []wire.ReplicaID
}

// ViewsAfter bounds the views that may come after the last fault: two for each faulty replica, and four (V9).
func ViewsAfter(faulty int) int { return 4 + 2*faulty }

// Settled checks I15: after its faults a run commits, catches up, and stays in one view, within bounds.
func Settled(r Recovery) Result {
	v := verdict{checked: 4}
	switch {
	case r.Committed < 0:
		v.fail("nothing was committed after the faults had ended")
	case r.Within > 0 && r.Committed > r.Within:
		v.fail("the first commit after the faults took %v, more than %v", r.Committed, r.Within)
	}
	switch {
	case r.CaughtUp < 0:
		v.fail("not every correct replica caught up after the faults had ended")
	case r.Within > 0 && r.CaughtUp > r.Within:
		v.fail("catching up after the faults took %v, more than %v", r.CaughtUp, r.Within)
	}
	if r.Views > r.Before && int(r.Views-r.Before) > r.MostViews {
		v.fail("the view went from %d to %d after the faults had ended, by more than %d", r.Before, r.Views, r.MostViews)
	}
	if len(r.Behind) > 0 {
		v.fail("replicas %v are behind in the end", r.Behind)
	}
	result := v.result(i15)
	result.Timed = !result.Held
	return result
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
