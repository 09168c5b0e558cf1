package pbft

import (
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
				Heard: true, Age: r.mono - r.peers[i].heardAt,
				View: s.View, Active: s.Active, Executed: s.Executed, Stable: s.Stable,
			}
		}
	}
	return in
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
