package pbft

import (
	"time"

	"tagma/pbft/pool"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// When a replica needs the state from others (X1), and how it goes on from there (X6, X8). The fetching itself happens
// beside the core.

// transfer says whether this replica can follow the others batch by batch.
type transfer struct {
	on       bool // it cannot: the state is being fetched, and nothing is executed before it is there
	starving bool // nobody serves a state that is of use
	behind   bool // a stable checkpoint lies above what was executed
	since    time.Duration
}

// leftBehind reports whether what this replica has to execute next comes from nobody: it can vote, but not follow.
func (r *Replica) leftBehind() bool { return r.transfer.on || r.passed() }

// passed reports whether what is to be executed next lies below everything that the ring has a place for.
func (r *Replica) passed() bool { return r.handed+wire.Seq(len(r.backlog)) < r.log.Floor() }

// checkReach begins a transfer once a stable checkpoint lies above what was executed and the way there is lost: the
// ring has passed it, nobody holds the next batch, or nothing was executed for a timeout.
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

// stuck reports whether nothing was executed for a timeout, though the executor has nothing left to do.
func (r *Replica) stuck() bool {
	since := max(r.transfer.since, r.change.progressAt)
	return r.executed >= r.handed && r.mono-since >= r.cfg.ViewTimeout
}

// startTransfer stops execution. Its requests are given up: this replica cannot see them executed, and must suspect
// nobody for that. The target is durable before anything is written for it: a store that is ahead of its journal is one
// of another life (D8.3).
func (r *Replica) startTransfer() {
	r.transfer.on, r.transfer.since = true, r.mono
	r.backlog = nil
	r.pool = pool.New(r.cfg.N(), r.cfg.ViewTimeout)
	r.follow.Begin()
	r.retarget()
}

// retarget names the newest stable checkpoint as one to fetch.
func (r *Replica) retarget() {
	if cert := r.checkpoints.Stable; cert.Seq > 0 {
		r.emit(port.Persist{Record: &wire.Stable{Cert: cert}})
	}
	r.emit(port.Transfer{Target: r.checkpoints.Stable, Doubt: r.doubted})
}

// onDamaged has a state that is not what was executed repaired by others (K2). The digests that were announced come from the
// tree in memory, and stand.
func (r *Replica) onDamaged() {
	switch {
	case r.doubted: // it is on its way
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

// onStarving takes note that nobody serves a state that is of use here: the others have to take another checkpoint.
func (r *Replica) onStarving() {
	if r.transfer.on {
		r.transfer.starving = true
	}
}

// onTransferred switches to a state that was fetched, verified and made durable, in one record (X6). What was executed
// on a wrong or damaged state is executed again (K2); nothing else ever is.
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
	r.nextStatus = r.mono // ask for what lies above
}

// install is the state change of onTransferred, which a restart repeats. Older states of this replica are void.
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
