package pbft

import (
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// This file makes a lagging replica follow with the help of the logs and journals of others (X0). The replica asks for
// the batches that it lacks, in order, and asks again as soon as an answer has helped.

// pull asks for batches if this replica lags, no useful answer is on its way, and there is room for the batches.
func (r *Replica) pull() {
	if r.leftBehind() || !r.lags() {
		r.follow.Drop()
		return
	}
	want := r.log.FirstLacking(r.handed + wire.Seq(len(r.backlog)))
	r.follow.Lacks(want)
	if !r.log.Holds(want) {
		return
	}
	if helper, ask := r.follow.Ask(want, r.mono); ask {
		r.send(helper, &wire.FetchSlots{From: want, Most: maxPushedSlots})
	}
}

// lags reports whether this replica has missed something: either a stable checkpoint lies above what it executed, or
// others have executed more and it has made no progress for a moment.
func (r *Replica) lags() bool {
	if r.log.Low > r.handed {
		return true
	}
	quiet, executed := r.mono-r.change.progressAt >= r.cfg.ViewTimeout/16, r.executedElsewhere()
	return executed > r.handed && quiet || executed > r.handed+r.cfg.CheckpointInterval
}

// onSlots handles the message that ends an answer.
func (r *Replica) onSlots(m *wire.Slots, from port.Source) {
	if !r.follow.Answered(m, from.Replica, r.mono) {
		r.drop(m, port.ReasonUnasked)
		return
	}
	if m.Next <= m.From {
		r.checkReach()
	}
	r.pull()
}
