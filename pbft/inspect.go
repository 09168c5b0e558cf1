package pbft

import (
	"time"

	"tagma/pbft/wire"
)

// Inspection is a copy of what an operator wants to see of a replica.
type Inspection struct {
	View        wire.View
	Active      bool
	Primary     wire.ReplicaID
	Executed    wire.Seq    // last sequence number handed to execution
	Stable      wire.Seq    // low watermark h
	StateDigest wire.Digest // of the state after Stable
	Proposed    wire.Seq    // highest one assigned, if this replica is the primary
	Seen        wire.Seq    // highest one any message named
	Pending     int         // requests known and not ordered
	LeftBehind  bool        // what is to be executed next comes from nobody: the state is fetched
	Asking      bool        // it does not know yet whether it remembers all that it signed (D8.5)
	Silent      bool        // it had forgotten what it signed, and does not vote yet (D8.7)
	Until       wire.Seq    // where its silence ends; 0 if it forgot nothing
	Since       wire.View   // the first view in which it votes; 0 if it forgot nothing
	Suspecting  bool
	Diverged    bool
	Timeout     time.Duration
	Peers       []PeerInspection // by replica; the own entry is empty
}

// PeerInspection is what another replica last said of itself.
type PeerInspection struct {
	Heard    bool
	Age      time.Duration // since it was heard
	View     wire.View
	Active   bool
	Executed wire.Seq
	Stable   wire.Seq
}

// Inspect returns a copy of this replica's state for dashboards. It changes nothing.
func (r *Replica) Inspect() Inspection {
	in := Inspection{
		View: r.view, Active: r.active, Primary: r.cfg.Primary(r.view),
		Executed: r.handed, Stable: r.log.low, StateDigest: r.checkpoints.stable.Digest, Proposed: r.proposed, Seen: r.log.seen,
		Asking: r.inquiry.asking, Silent: r.silent(), Until: r.recovery.until, Since: r.recovery.view,
		Pending: r.pool.waitingAll(), LeftBehind: r.leftBehind(), Suspecting: r.suspicion.sent, Diverged: r.diverged, Timeout: r.timeout(),
		Peers: make([]PeerInspection, len(r.peers)),
	}
	for i := range r.peers {
		if s := r.peers[i].status; s != nil {
			in.Peers[i] = PeerInspection{
				Heard: true, Age: r.mono - r.peers[i].heardAt,
				View: s.View, Active: s.Active, Executed: s.Executed, Stable: s.Stable,
			}
		}
	}
	return in
}

// waitingAll counts the requests that are not ordered yet.
func (p *pool) waitingAll() int {
	n := p.direct.requests
	for _, k := range p.relayed {
		n += k.requests
	}
	return n
}

// Position is where a replica is: the part of an Inspection that is cheap enough to look at after every step.
type Position struct {
	View     wire.View
	Active   bool
	Executed wire.Seq // last sequence number handed to execution
	Stable   wire.Seq // low watermark h
}

// Position returns where this replica is. It allocates nothing.
func (r *Replica) Position() Position {
	return Position{View: r.view, Active: r.active, Executed: r.handed, Stable: r.log.low}
}

// Footprint is how much a replica holds, for checks that it is bounded (S4).
type Footprint struct {
	Slots    int      // of the ring; constant
	Highest  wire.Seq // sequence number of the highest slot that accepted a pre-prepare in the current view
	Bodies   int      // most bodies that one slot holds
	Requests int      // in the pool, ordered ones that were not executed yet included
	Queues   int      // clients that have one in the pool
}

// Footprint counts what this replica holds. It looks at every slot, so it is for a check now and then.
func (r *Replica) Footprint() Footprint {
	f := Footprint{Slots: len(r.log.ring), Requests: len(r.pool.byID), Queues: len(r.pool.clients)}
	for i := range r.log.ring {
		s := &r.log.ring[i]
		if s.accepted {
			f.Highest = max(f.Highest, s.seq)
		}
		f.Bodies = max(f.Bodies, len(s.bodies))
	}
	return f
}

// Bounds is the largest Footprint that a configuration allows. Highest counts from the low watermark.
func Bounds(cfg *wire.Config) Footprint {
	return Footprint{
		Slots: int((keptWindows + 2) * cfg.LogWindow), Highest: cfg.LogWindow, Bodies: maxBodies,
		Requests: 2 * cfg.MaxPending, Queues: 2 * cfg.MaxPending,
	}
}
