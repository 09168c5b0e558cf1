package processes

import (
	"strings"
	"time"

	"tagma/internal/node"
	"tagma/pbft/wire"
	"tagma/testnet/check"
)

// settledAfter judges what came after the last fault (I15). Expectations ask for times; more views than there
// may be are excused on a machine that was seen to starve processes.
func (r *run) settledAfter(finalView uint64) check.Result {
	after := check.Recovery{
		Committed: -1, CaughtUp: -1, Before: wire.View(r.before), Views: wire.View(finalView),
		MostViews: check.ViewsAfter(len(r.s.Faulty())),
	}
	if ms := r.recovery(r.table.last()); ms != nil {
		after.Committed = time.Duration(*ms) * time.Millisecond
	}
	if r.caughtUp >= 0 {
		after.CaughtUp = r.caughtUp
	}
	result := check.Settled(after)
	if why := r.starved(); why != "" && !result.Held {
		if after.MostViews = int(finalView); check.Settled(after).Held {
			result.Excused = why
		}
	}
	return result
}

// follow notes when the correct replicas that can follow have all executed the same.
func (r *run) follow(got map[int]node.Report) {
	executed := make(map[uint64]bool)
	for _, id := range r.standing() {
		report, answered := got[id]
		if !answered {
			return
		}
		if strings.HasPrefix(report.Health, "too far behind") {
			continue // only a transfer of the state can bring it up
		}
		executed[report.Executed] = true
	}
	if r.caughtUp < 0 && len(executed) == 1 {
		r.caughtUp = r.since() - r.table.last()
	}
}
