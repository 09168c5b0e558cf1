package pbft

import (
	"slices"
	"time"

	"tagma/pbft/msglog"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// The nulls that an idle cluster orders for a replica that waits for a later checkpoint (D8.9).

// maxNullsInFlight bounds the nulls that a primary proposes at a time for replicas that ask for them.
const maxNullsInFlight = 64

// askForNulls asks the others to move on, each timeout: while this replica is silent, up to the first checkpoint that
// ends it, and while nobody serves a state that it needs, up to the checkpoint after the next one.
func (r *Replica) askForNulls() {
	until := wire.Seq(0)
	switch k := r.cfg.CheckpointInterval; {
	case r.silent():
		until = min((r.silentUntil()+k-1)/k*k, wire.MaxSeq)
	case r.transfer.starving:
		until = r.log.Low + 2*r.cfg.CheckpointInterval
	default:
		return
	}
	if r.mono < r.recovery.askAgain {
		return
	}
	r.recovery.askAgain = r.mono + r.cfg.ViewTimeout
	r.emit(port.Broadcast{Msg: &wire.Recover{Until: until}})
}

// onRecover notes up to where a replica wants the order to go on, as often as it may wish. What f+1 replicas ask for is
// heard at once: one of them is correct, and kept to that.
func (r *Replica) onRecover(m *wire.Recover, from port.Source) {
	if from.Loopback {
		return
	}
	p := &r.peers[from.Replica]
	switch {
	case m.Until <= r.log.Low:
		r.drop(m, port.ReasonBelowWindow)
		return
	case m.Until > r.log.Low+3*r.cfg.LogWindow:
		r.drop(m, port.ReasonAboveWindow)
		return
	}
	r.recovery.wished = max(r.recovery.wished, m.Until)
	switch p.wish.Hear(m.Until, r.mono, r.cfg.ViewTimeout) {
	case msglog.WishKnown:
		r.drop(m, port.ReasonDuplicate)
	case msglog.WishTooSoon:
		r.drop(m, port.ReasonTooOften)
	}
	r.propose()
}

// wanted is up to where the order is to go on; 0 if nobody is waiting.
func (r *Replica) wanted() wire.Seq {
	until, wished := wire.Seq(0), make([]wire.Seq, 0, r.cfg.N())
	for i := range r.peers {
		until = max(until, r.peers[i].wish.Granted)
		wished = append(wished, r.peers[i].wish.Asked)
	}
	slices.Sort(wished)
	return max(until, wished[len(wished)-r.cfg.Weak()])
}

// passWishes tells the primary what others wait for: it may not have been asked, or not have been far enough to listen.
func (r *Replica) passWishes() {
	if !r.active || r.isPrimary() || r.leftBehind() || r.mono < r.recovery.passAgain || !r.withheld(r.cfg.ViewTimeout/4) {
		return
	}
	r.recovery.passAgain = r.mono + r.cfg.ViewTimeout/4
	r.send(r.cfg.Primary(r.view), &wire.Recover{Until: r.wanted()})
}

// proposeWanted orders nulls for those who want the order to go on, while no request does it.
func (r *Replica) proposeWanted() {
	done := max(r.handed, r.log.Low)
	if r.recovery.wished <= done {
		return
	}
	until := r.wanted()
	for r.pool.Queued == 0 && r.proposed < min(until, r.log.High()) && r.proposed < done+maxNullsInFlight {
		r.assign(wire.NullBody)
	}
}

// withheld reports whether the primary has ordered nothing for that long though somebody waits for more: its absence is
// timed like a request.
func (r *Replica) withheld(limit time.Duration) bool {
	since := max(r.change.progressAt, r.change.activatedAt)
	for i := range r.peers {
		p := &r.peers[i]
		if p.wish.Granted > max(r.handed, r.log.Low) && r.mono-max(p.wish.At, since) >= limit {
			return true
		}
	}
	return false
}
