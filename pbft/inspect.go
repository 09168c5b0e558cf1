package pbft

import (
	"time"

	"tagma/pbft/msglog"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// Inspect returns a copy of this replica's state for dashboards. It changes nothing.
func (r *Replica) Inspect() port.Inspection {
	in := port.Inspection{
		View: r.view, Active: r.active, Primary: r.cfg.Primary(r.view),
		Handed: r.handed, Executed: r.executed, Stable: r.log.Low, StateDigest: r.checkpoints.Stable.Digest, Proposed: r.proposed, Seen: r.log.Seen,
		Asking: r.inquiry.Asking, Silent: r.silent(), Until: r.silentUntil(), Since: r.recovery.view,
		Pending: r.pool.WaitingAll(), LeftBehind: r.leftBehind(), Suspecting: r.suspicion.sent, Left: r.change.left, Diverged: r.diverged, Timeout: r.timeout(),
		Peers: make([]port.PeerInspection, len(r.peers)),
	}
	in.Unclean, in.Lost = r.log.Low < r.recovery.unsaid, r.inquiry.Lost()
	in.Halted = in.Unclean && r.cfg.N()-1-len(in.Lost) < r.cfg.Quorum()
	if split := r.checkpoints.Split; split > r.log.Low {
		in.Split = split
	}
	for i := range r.peers {
		if s := r.peers[i].status; s != nil {
			in.Peers[i] = port.PeerInspection{
				Heard: true, Age: r.mono - r.peers[i].heardAt, View: s.View, Active: s.Active, Executed: s.Executed, Stable: s.Stable,
			}
		}
	}
	return in
}

// Waits returns what this replica waits for, for reports. It costs more than Inspect.
func (r *Replica) Waits() *port.Waits {
	w := &port.Waits{Full: r.handed >= r.log.High()}
	for seq := r.handed + 1; seq <= min(r.log.Seen, r.log.High()) && len(w.Slots) < port.MaxSlotWaits; seq++ {
		w.Slots = append(w.Slots, r.log.Wait(seq, r.view, r.cfg, r.mono, r.wall))
	}
	if p := r.pool.Oldest; p != nil {
		w.Request = &port.RequestWait{ID: p.Req.ID, For: r.mono - p.Since}
	}
	w.Timer, w.Left = r.nextTimer()
	w.Silence = w.Timer == port.CauseSilence
	for id, m := range r.change.votes {
		if r.mono < r.suspicion.until[id] && r.suspicion.highest[id].View >= r.view {
			w.Suspects = append(w.Suspects, wire.ReplicaID(id))
		}
		if m != nil && (m.View > r.view || m.View == r.view && !r.active) {
			w.ViewChanges = append(w.ViewChanges, wire.ReplicaID(id))
		}
	}
	for seq := r.log.Low + r.cfg.CheckpointInterval; seq <= r.log.High(); seq += r.cfg.CheckpointInterval {
		if wait := r.checkpoints.Wait(seq, r.cfg); len(wait.Votes) > 0 {
			w.Checkpoints = append(w.Checkpoints, wait)
		}
	}
	return w
}

// nextTimer returns what this replica will suspect next if no message prevents it, and when.
func (r *Replica) nextTimer() (next port.Cause, left time.Duration) {
	c, limit := &r.change, r.timeout()
	runs := func(cause port.Cause, since time.Duration) {
		if in := max(0, since+limit-r.mono); next == "" || in < left {
			next, left = cause, in
		}
	}
	switch {
	case r.suspicion.sent && r.mono < r.suspicion.until[r.cfg.Self]:
		return r.suspicion.cause, 0
	case !r.active && c.quorum:
		runs(port.CauseNewView, c.quorumAt)
	case r.active && !r.isPrimary():
		runs(port.CauseSilence, c.heardAt)
	}
	if !r.active || r.leftBehind() {
		return next, left
	}
	if p := r.pool.Oldest; p != nil {
		if since, owed, _ := r.pool.OwedSince(p); owed {
			runs(port.CauseRequest, max(since, c.activatedAt, c.fullAt))
		}
	}
	if s := r.log.Peek(r.handed + 1); s != nil && s.Accepted && s.Cert == nil {
		runs(port.CauseStall, max(s.AcceptedAt, c.progressAt, c.activatedAt))
	}
	return next, left
}

// Position returns this replica's view and how far it has executed. It allocates nothing.
func (r *Replica) Position() port.Position {
	return port.Position{View: r.view, Active: r.active, Executed: r.handed, Stable: r.log.Low}
}

// Footprint counts what this replica holds in memory. It looks at every slot, so it is too slow to be called at every step.
func (r *Replica) Footprint() port.Footprint {
	f := port.Footprint{Slots: len(r.log.Ring), Requests: len(r.pool.ByID), Queues: len(r.pool.Clients)}
	for i := range r.log.Ring {
		s := &r.log.Ring[i]
		if s.Accepted {
			f.Highest = max(f.Highest, s.Seq)
		}
		f.Bodies = max(f.Bodies, len(s.Bodies))
	}
	return f
}

// Bounds is the largest Footprint that a configuration allows. Its Highest is relative to the low watermark.
func Bounds(cfg *wire.Config) port.Footprint {
	return port.Footprint{
		Slots: int((wire.KeptWindows + 2) * cfg.LogWindow), Highest: cfg.LogWindow, Bodies: msglog.MaxBodies,
		Requests: 2 * cfg.MaxPending, Queues: 2 * cfg.MaxPending,
	}
}
