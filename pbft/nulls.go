package pbft

import (
	"slices"
	"time"

	"tagma/pbft/msglog"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// This file orders nulls in an idle cluster, for a replica that waits for a later checkpoint (D8.9).

// maxNullsInFlight bounds how many nulls a primary has under way at a time for replicas that ask for them.
const maxNullsInFlight = 64

// askForNulls asks the others, once each timeout, to order further batches. A silent replica asks for batches up to the
// first checkpoint that ends its silence. A replica that needs a state which no other replica serves asks for batches up
// to the checkpoint after the next one.
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

// onRecover records up to which sequence number another replica wants batches to be ordered. The rate of such wishes is
// bounded. If f+1 replicas ask for a number, it is granted at once, because one of them is correct.
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

// wanted returns the sequence number up to which batches must be ordered for waiting replicas; 0 if none waits.
func (r *Replica) wanted() wire.Seq {
	until, wished := wire.Seq(0), make([]wire.Seq, 0, r.cfg.N())
	for i := range r.peers {
		until = max(until, r.peers[i].wish.Granted)
		wished = append(wished, r.peers[i].wish.Asked)
	}
	slices.Sort(wished)
	return max(until, wished[len(wished)-r.cfg.Weak()])
}

// passWishes tells the primary what other replicas wait for, because the primary may not have received their messages,
// or may have lagged too far to accept them.
func (r *Replica) passWishes() {
	if !r.active || r.isPrimary() || r.leftBehind() || r.mono < r.recovery.passAgain || !r.withheld(r.cfg.ViewTimeout/4) {
		return
	}
	r.recovery.passAgain = r.mono + r.cfg.ViewTimeout/4
	r.send(r.cfg.Primary(r.view), &wire.Recover{Until: r.wanted()})
}

// proposeWanted orders nulls up to the sequence number for which replicas wait, unless requests are ordered anyway.
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

// withheld reports whether the primary has ordered nothing for at least this long, although a replica waits for batches.
// Missing nulls are timed like a pending request.
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

// Batches without requests that the application needs at an agreed time, such as to let leases end on an idle cluster (T5).
// They have an agreed time, unlike nulls.

// due is what the application waits for.
type due struct {
	at    int64         // the agreed time; 0: nothing, or not known since a batch was executed
	last  int64         // the same as of the last Tick
	since time.Duration // from when on the primary owes the batch
}

// hearDue takes what the application waits for. The primary owes nothing before that time, nor while batches are being
// executed, because their results may change it.
func (r *Replica) hearDue(at int64) {
	d := &r.due
	if at == 0 || at != d.last || r.wall < at || r.handed != r.executed || !r.active {
		d.since = r.mono
	}
	d.at, d.last = at, at
}

// proposeDue orders a batch without requests once the application waits for one and no other batch is under way.
func (r *Replica) proposeDue() {
	d := &r.due
	if d.at == 0 || r.wall < d.at || r.pool.Queued > 0 || r.proposed != r.executed || r.proposed >= r.log.High() || !r.hasRoom() {
		return
	}
	d.at = 0
	r.assign(&wire.Body{Time: max(r.wall, 1)})
}

// overdue reports whether the primary has owed such a batch for at least limit. Where replicas only crash, it orders the
// batch as soon as its clock shows the time; one replica whose clock is ahead must not depose it (F3).
func (r *Replica) overdue(limit time.Duration) bool {
	d := &r.due
	return !r.cfg.Crash && d.last != 0 && r.wall >= d.last && r.mono-max(d.since, r.change.activatedAt) >= limit
}
