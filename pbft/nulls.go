package pbft

import (
	"slices"
	"time"

	"tagma/pbft/msglog"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// Nulls that an idle cluster orders for a replica that waits for a later checkpoint (D8.9).

// maxNullsInFlight bounds how many nulls a primary has under way at a time for replicas that ask for them.
const maxNullsInFlight = 64

// askForNulls asks the others, once each timeout, to order on. A silent replica asks up to the first checkpoint that
// ends its silence. A replica to which nobody serves a usable state asks up to the checkpoint after the next one.
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

// onRecover notes up to which sequence number another replica wants batches to be ordered, at a bounded rate. A number
// that f+1 replicas ask for is granted at once: one of them is correct and keeps to that rate.
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

// wanted is the sequence number up to which batches are to be ordered; 0 if no replica waits.
func (r *Replica) wanted() wire.Seq {
	until, wished := wire.Seq(0), make([]wire.Seq, 0, r.cfg.N())
	for i := range r.peers {
		until = max(until, r.peers[i].wish.Granted)
		wished = append(wished, r.peers[i].wish.Asked)
	}
	slices.Sort(wished)
	return max(until, wished[len(wished)-r.cfg.Weak()])
}

// passWishes tells the primary what other replicas wait for: the primary may not have received their messages, or may have
// been too far behind to take them.
func (r *Replica) passWishes() {
	if !r.active || r.isPrimary() || r.leftBehind() || r.mono < r.recovery.passAgain || !r.withheld(r.cfg.ViewTimeout/4) {
		return
	}
	r.recovery.passAgain = r.mono + r.cfg.ViewTimeout/4
	r.send(r.cfg.Primary(r.view), &wire.Recover{Until: r.wanted()})
}

// proposeWanted orders nulls up to what replicas wait for, while no client request moves the order there.
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

// withheld reports whether the primary has ordered nothing for that long although a replica waits for it. Missing nulls
// are timed like a pending request.
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
