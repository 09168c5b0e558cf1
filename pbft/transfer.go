package pbft

import (
	"time"

	"tagma/pbft/pool"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// When a replica needs the state from others (X1), and how it continues (X6, X8). Fetching happens outside the core.

// transfer says whether this replica can follow the others batch by batch.
type transfer struct {
	on       bool // it cannot, so it fetches a state, and executes nothing until it has one
	starving bool // no replica serves a useful state
	behind   bool // a stable checkpoint lies above what this replica executed
	since    time.Duration
}

// leftBehind reports whether no replica can give this one its next batch to execute. It votes, but cannot follow.
func (r *Replica) leftBehind() bool { return r.transfer.on || r.passed() }

// passed reports whether the next batch to execute lies below all slots of the ring.
func (r *Replica) passed() bool { return r.handed+wire.Seq(len(r.backlog)) < r.log.Floor() }

// checkReach begins a transfer when a stable checkpoint lies above what was executed and the batches up to there cannot
// be had: the ring has passed them, nobody holds the next one, or nothing was executed for a timeout.
func (r *Replica) checkReach() {
	t := &r.transfer
	if t.on || !r.started {
		return
	}
	if r.log.Low <= r.handed+wire.Seq(len(r.backlog)) {
		t.behind = false
		return
	}
	if !t.behind {
		t.behind, t.since = true, r.mono
	}
	if r.passed() || r.follow.Refused(r.handed+1) || r.stuck() {
		r.startTransfer()
	}
}

// stuck reports whether nothing was executed for a timeout, although the executor has finished all it was given.
func (r *Replica) stuck() bool {
	since := max(r.transfer.since, r.change.progressAt)
	return r.executed >= r.handed && r.mono-since >= r.cfg.ViewTimeout
}

// startTransfer stops execution and drops the pending requests: this replica will not see them executed, and must
// suspect nobody for that. The record of the target is durable before anything is written to the store for it.
// Otherwise, if the replica crashed, the store would be ahead of the journal, and the next start would take the journal
// for an old copy (D8.3).
func (r *Replica) startTransfer() {
	r.transfer.on, r.transfer.since = true, r.mono
	r.backlog = nil
	r.pool = pool.New(r.cfg.N(), r.cfg.ViewTimeout)
	r.follow.Begin()
	r.retarget()
}

// retarget names the newest stable checkpoint as the one to fetch.
func (r *Replica) retarget() {
	if cert := r.checkpoints.Stable; cert.Seq > 0 {
		r.emit(port.Persist{Record: &wire.Stable{Cert: cert}})
	}
	r.emit(port.Transfer{Target: r.checkpoints.Stable, Doubt: r.doubted})
}

// onDamaged begins the repair, from other replicas, of a stored state that does not match what was executed (K2). The
// digests that were announced before remain valid, because they were computed from the tree in memory.
func (r *Replica) onDamaged() {
	switch {
	case r.doubted: // the repair is already under way
	case r.transfer.on:
		r.doubted = true
		r.retarget()
	default:
		r.doubted = true
		if r.started {
			r.startTransfer()
		}
	}
}

// onStarving records that no replica serves a useful state, so the others must take another checkpoint.
func (r *Replica) onStarving() {
	if r.transfer.on {
		r.transfer.starving = true
	}
}

// onTransferred switches to a state that was fetched, verified and made durable, by one record (X6). Batches that were
// executed on a wrong or damaged state are executed again (K2); no other batch ever is.
func (r *Replica) onTransferred(e port.Transferred) {
	if !r.transfer.on || e.Cert.Seq < r.handed && !r.doubted {
		panic("pbft: a state was fetched that execution has passed")
	}
	if r.diverged {
		r.checkpoints.Void = max(r.checkpoints.Void, r.handed)
	}
	r.emit(port.Persist{Record: &wire.Installed{Cert: e.Cert}})
	r.install(e.Cert)
	r.change.progressAt = r.mono
	r.emit(port.Resume{Seq: e.Cert.Seq})
	r.advance()
	r.collectGarbage()
	r.retryWaiting()
	r.propose()
	r.nextStatus = r.mono // ask for the batches above the fetched state
}

// install is the state change of onTransferred, which a replay repeats. Older states of this replica no longer count.
func (r *Replica) install(cert wire.StableCert) {
	r.adoptStable(cert)
	c := &r.checkpoints
	for _, m := range c.Own {
		c.Void = max(c.Void, m.Seq)
	}
	c.Own = []wire.Mark{{Seq: cert.Seq, Digest: cert.Digest}}
	c.Durable, c.Base = cert.Seq, min(cert.Seq, r.log.Low)
	r.handed, r.executed = cert.Seq, cert.Seq
	r.proposed = max(r.proposed, cert.Seq)
	r.pool.Refetched()
	r.diverged, r.doubted, r.backlog, r.transfer = false, false, nil, transfer{}
}
