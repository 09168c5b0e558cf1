package pbft

import (
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// Timers (T1, T3). They compare the last Tick's monotonic time with earlier times, so none has to be cancelled.

// onTick sets the current time and does whatever has become due.
func (r *Replica) onTick(e port.Tick) {
	r.mono, r.wall = max(r.mono, e.Mono), e.Wall
	if !r.started {
		r.start()
	}
	r.pool.At(r.mono)
	r.pool.Tick(r.mono, r.cfg.ViewTimeout/2, r.pool.Oldest != nil)
	if r.handed >= r.log.High() {
		r.change.fullAt = r.mono
	}
	r.retryWaiting()
	r.advance()
	r.ask()
	r.checkReach()
	r.hearDue(e.Due)
	r.pull()
	r.joinViewChange()
	r.askForNulls()
	r.passWishes()
	r.relayAgain(r.cfg.ViewTimeout / 4)
	r.pardon()
	if cause := r.expired(); cause != "" {
		r.suspectNow(cause)
	}
	r.propose()
	r.beat()
	r.reportStatus()
}

// start sets the moment from which timers count. The primary gets one more timeout, because it may be starting as well.
func (r *Replica) start() {
	r.started = true
	c := &r.change
	c.activatedAt, c.heardAt, c.progressAt, c.quorumAt = r.mono, r.mono+r.cfg.ViewTimeout, r.mono, r.mono
	if r.transfer.on || r.doubted {
		r.startTransfer()
	}
	if r.contradicted() { // the divergence that was reported before the restart persists (K2)
		r.diverged = false
		r.checkDivergence()
	}
	r.reportSplits()
	r.offer()
	r.resume()
}

// resume does what a crash may have prevented: to send a durable pre-prepare, and to vote for an accepted one.
func (r *Replica) resume() {
	if !r.active {
		return
	}
	for seq := r.log.Low + 1; seq <= min(r.log.Seen, r.log.High()); seq++ {
		s := r.log.Peek(seq)
		if s == nil || !s.Accepted || s.Body(s.Digest) == nil {
			continue
		}
		if r.isPrimary() && s.Cert == nil {
			for id := range r.cfg.N() {
				if to := wire.ReplicaID(id); to != r.cfg.Self {
					r.send(to, r.proposalOf(s))
				}
			}
		}
		r.vote(s)
	}
}

// timeout is the current timeout: T, doubled for each view without a newly executed request, up to MaxViewTimeout (V7).
func (r *Replica) timeout() time.Duration {
	t := r.cfg.ViewTimeout
	for v := r.change.progressView + 1; v < r.view && t < r.cfg.MaxViewTimeout; v++ {
		t *= 2
	}
	return min(t, r.cfg.MaxViewTimeout)
}

// pardon restarts the timers of a replica that has lately heard from fewer than Q−1 others, where replicas only crash
// (F4). In such a cluster a single Suspect changes the view. Without pardon, a replica that was cut off would replace a
// correct primary when it returns.
func (r *Replica) pardon() {
	heard := 0
	for i := 0; r.cfg.Crash && i < len(r.peers); i++ {
		if p := &r.peers[i]; wire.ReplicaID(i) != r.cfg.Self && p.status != nil && r.mono-p.heardAt < r.timeout() {
			heard++
		}
	}
	if c := &r.change; r.cfg.Crash && heard < r.cfg.Quorum()-1 {
		c.activatedAt, c.heardAt, c.progressAt, c.quorumAt = r.mono, r.mono, r.mono, r.mono
	}
}

// expired is the reason for which this replica must suspect the primary, "" if there is none.
func (r *Replica) expired() port.Cause {
	c, limit := &r.change, r.timeout()
	switch {
	case c.proven:
		return port.CauseProof
	case !r.active && c.quorum && (c.spoilt || r.mono-c.quorumAt >= limit):
		return port.CauseNewView
	case !r.active:
	case !r.isPrimary() && r.mono-c.heardAt >= limit:
		return port.CauseSilence
	case r.leftBehind():
	case r.owed(limit):
		return port.CauseRequest
	case r.withheld(limit), r.overdue(limit):
		return port.CauseWithheld
	case r.stalled(limit):
		return port.CauseStall
	}
	return ""
}

// owed reports whether the oldest request has waited for at least limit for an order that the primary owes (T1). The
// primary owes none while the whole window is ordered here and waits for execution: then only a checkpoint makes room,
// and checkpoints do not depend on the primary. While there is room, a slow execution is no excuse: the primary can
// still order. Requests of clients that are not known to be light have timers of their own (T4).
func (r *Replica) owed(limit time.Duration) bool {
	free := max(r.change.activatedAt, r.change.fullAt)
	for p := r.pool.Oldest; p != nil && r.mono-free >= limit; p = p.Next {
		since, owed, inTurn := r.pool.OwedSince(p)
		if owed && r.mono-since >= limit {
			return true
		}
		if !inTurn {
			return false
		}
	}
	return false
}

// stalled reports whether a pre-prepare of this view is accepted, and nothing has committed for at least limit.
func (r *Replica) stalled(limit time.Duration) bool {
	c := &r.change
	if r.mono-max(c.progressAt, c.activatedAt) < limit {
		return false
	}
	for seq := r.firstMissing(); seq <= min(r.log.Seen, r.log.High()); seq++ {
		if s := r.log.Peek(seq); s != nil && s.Accepted && s.Cert == nil {
			return r.mono-s.AcceptedAt >= limit
		}
	}
	return false
}

// heardPrimary notes that the current primary is alive.
func (r *Replica) heardPrimary(v wire.View) {
	if v == r.view {
		r.change.heardAt = max(r.change.heardAt, r.mono)
	}
}

// beat sends a heartbeat when a primary has sent nothing for a quarter of a timeout: backups see that it is alive.
func (r *Replica) beat() {
	if r.active && r.isPrimary() && r.mayVote(r.view) && r.mono-r.lastProposal >= r.cfg.ViewTimeout/4 {
		r.lastProposal = r.mono
		r.emit(port.Broadcast{Msg: &wire.Heartbeat{View: r.view}})
	}
}

func (r *Replica) onHeartbeat(m *wire.Heartbeat, from port.Source) {
	switch {
	case from.Loopback:
	case from.Replica != r.cfg.Primary(m.View):
		r.drop(m, port.ReasonNotSender)
	case m.View != r.view:
		r.drop(m, port.ReasonOldView)
	default:
		r.heardPrimary(m.View)
	}
}

// retryWaiting tries early pre-prepares again: their view may be active by now, the window or the clock may have moved.
// Slots that were executed by certificate meanwhile are skipped.
func (r *Replica) retryWaiting() {
	if !r.active {
		return
	}
	for seq := max(r.handed, r.log.Low) + 1; seq <= min(r.log.Seen, r.log.High()); seq++ {
		s := r.log.Peek(seq)
		if s == nil {
			continue
		}
		if m := s.Waiting; m != nil && m.View <= r.view && !r.mustWait(m) {
			s.Waiting = nil
			r.onPrePrepare(m, port.Source{Replica: r.cfg.Primary(m.View)})
		}
		r.checkPrepared(s) // votes may have arrived before the window moved
	}
}
