package pbft

import "time"

// The silence of a replica that had forgotten what it signed (D8.7), its end (D8.8), and the nulls that an idle cluster
// orders for it (D8.9).

// recovery is what this life of the replica began with; its view is 0 if nothing was forgotten.
type recovery struct {
	until    Seq  // R
	view     View // V*
	suspects []Suspect
	life     Life

	askAgain time.Duration // when Recover is to be sent next
}

// silent reports whether this replica must not vote at all: something that it forgot may lie above h.
func (r *Replica) silent() bool { return r.recovery.view > 0 && r.log.low < r.recovery.until }

// mayVote reports whether it may vote in a view, or ask for it: never in one in which it may have voted before.
func (r *Replica) mayVote(v View) bool { return !r.silent() && v >= r.recovery.view }

// joinViewChange makes up for a ViewChange that silence kept back (D8.8): with the Suspects of any one for the view.
func (r *Replica) joinViewChange() {
	if r.recovery.view == 0 || r.active || !r.mayVote(r.view) {
		return
	}
	for _, m := range r.change.votes {
		if m != nil && m.View == r.view && !r.change.sent {
			r.contribute(m.Suspects)
		}
	}
}

// maxRecoverWait bounds how long a replica waits that asks for nulls again and again.
const maxRecoverWait = time.Minute

// maxNullsInFlight bounds the nulls that a primary proposes at a time for those who ask for them.
const maxNullsInFlight = 64

// askForNulls asks the others to move on, each timeout: while this replica is silent, up to the first checkpoint that ends it,
// and while nobody serves a state that it needs, up to the checkpoint after the next one.
func (r *Replica) askForNulls() {
	until := Seq(0)
	switch k := r.cfg.CheckpointInterval; {
	case r.silent():
		until = min((r.recovery.until+k-1)/k*k, MaxSeq)
	case r.transfer.starving:
		until = r.log.low + 2*r.cfg.CheckpointInterval
	default:
		return
	}
	if r.mono < r.recovery.askAgain {
		return
	}
	r.recovery.askAgain = r.mono + r.cfg.ViewTimeout
	r.emit(Broadcast{&Recover{Until: until}})
}

// onRecover notes up to where a replica wants the order to go on. A wish costs everybody work, so each further one of a
// replica doubles its wait.
func (r *Replica) onRecover(m *Recover, from Source) {
	if from.Loopback {
		return
	}
	p := &r.peers[from.Replica]
	switch {
	case m.Until <= r.log.low:
		r.drop(m, ReasonBelowWindow)
	case m.Until > r.log.low+3*r.cfg.LogWindow:
		r.drop(m, ReasonAboveWindow)
	case m.Until <= p.wanted:
		r.drop(m, ReasonDuplicate)
	case r.mono < p.wantsAgain:
		r.drop(m, ReasonTooOften)
	default:
		p.wanted, p.wantedAt = m.Until, r.mono
		p.wantsWait = min(max(2*p.wantsWait, r.cfg.ViewTimeout), maxRecoverWait)
		p.wantsAgain = r.mono + p.wantsWait
		r.propose()
	}
}

// wanted is up to where somebody wants the order to go on, and since when; 0 if nobody does.
func (r *Replica) wanted() (until Seq, since time.Duration) {
	for i := range r.peers {
		if p := &r.peers[i]; p.wanted > max(until, r.log.low) {
			until, since = p.wanted, p.wantedAt
		}
	}
	return until, since
}

// proposeWanted orders nulls for those who want the order to go on, while no request does it.
func (r *Replica) proposeWanted() {
	until, _ := r.wanted()
	done := max(r.handed, r.log.low)
	for r.pool.queued == 0 && r.proposed < min(until, r.log.high()) && r.proposed < done+maxNullsInFlight {
		r.assign(NullBody)
	}
}

// withheld reports whether the primary has ordered nothing for that long though somebody wants the order to go on. It is
// timed like a request (D8.9).
func (r *Replica) withheld(limit time.Duration) bool {
	until, since := r.wanted()
	return until > max(r.handed, r.log.low) && r.mono-max(since, r.change.progressAt, r.change.activatedAt) >= limit
}
