package pbft

import (
	"time"

	"tagma/pbft/wire"
)

// allowance bounds for how many slots a peer is helped. A Status is short and unsigned, and its answer is long: without a
// bound, a faulty replica that always lacks everything is sent the window again sixteen times a timeout, by everybody. What
// is ordered meanwhile is granted several times over, so that whoever lags catches up; time grants a little. The zero value
// is full.
type allowance struct {
	spent   int           // slots, less what was granted since
	at      time.Duration // up to when time was granted for
	ordered wire.Seq      // up to where slots were granted for
}

const (
	grantedPerTimeout = 256 // slots; all of them in a small window, so that nothing is spared on a lossy link
	grantedPerSlot    = 2   // for each slot that was handed to execution here; there are several to ask
)

// allowed is what there is at most: enough for two windows.
func allowed(c *wire.Config) int { return max(grantedPerTimeout, 2*int(c.LogWindow)) }

// refill grants what time and progress since the last call are worth.
func (a *allowance) refill(r *Replica) {
	granted := 0
	each := r.cfg.ViewTimeout / grantedPerTimeout
	if n := (r.mono - a.at) / each; n > 0 {
		granted = int(n)
		a.at += n * each
	}
	if r.handed > a.ordered {
		granted += grantedPerSlot * int(min(r.handed-a.ordered, r.cfg.LogWindow))
		a.ordered = r.handed
	}
	a.spent = max(0, a.spent-granted)
}

// spend takes so many slots, if there is one left: what is long is not kept back for what it lacks of them.
func (a *allowance) spend(c *wire.Config, slots int) bool {
	if a.spent >= allowed(c) {
		return false
	}
	a.spent += slots
	return true
}
