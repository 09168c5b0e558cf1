package pbft

import (
	"cmp"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// Moving to a new view (§4.4): what each replica contributes.

// change is the state of a view change, and the times from which the timers of the current view count.
type change struct {
	votes []*wire.ViewChange // by replica: its latest valid ViewChange

	quorum   bool // Q of votes are for the current view, and the view is not active yet
	quorumAt time.Duration
	sent     bool           // this replica sent its ViewChange for the current view
	built    bool           // this replica built its NewView for the current view
	suspects []wire.Suspect // the Suspects that justify the change to the current view; nil if a NewView did
	left     port.Cause     // why this replica left the view before, for reports

	spoilt       bool          // the NewView for the current view arrived malformed or wrongly signed
	refused      *wire.NewView // a NewView for the current view that does not follow from its view changes
	proven       bool          // the current primary is proven faulty: no timer is needed
	activatedAt  time.Duration // when the current view became active
	fullAt       time.Duration // when the window was last full of batches that wait for execution
	heardAt      time.Duration // when this replica last heard from the current primary
	progressAt   time.Duration // when something was last handed to execution
	progressView wire.View     // last view in which new requests were executed: each view after it doubles the timeout
}

// enterViewChange leaves the current view for u. The ViewChange is durable before it is sent, and this replica never
// votes in a lower view again (D3): it learns what those views decide by commit certificates (V8).
func (r *Replica) enterViewChange(u wire.View, suspects []wire.Suspect) {
	r.leave(u)
	r.change.suspects = suspects
	if r.mayVote(u) {
		r.contribute(suspects)
	}
}

// contribute sends our ViewChange for the current view, only once: a second one might show another stable checkpoint,
// which would count as proof that this replica lies (E1).
func (r *Replica) contribute(suspects []wire.Suspect) {
	r.change.sent = true
	r.emit(port.Broadcast{Msg: r.newViewChange(suspects)})
}

// leave makes u the current view, inactive.
func (r *Replica) leave(u wire.View) {
	if u > r.view {
		r.change.left = cmp.Or(r.suspicion.cause, port.CauseOthers)
	}
	r.view, r.active, r.origin, r.known = u, false, nil, 0
	r.suspicion.sent, r.suspicion.cause = false, ""
	c := &r.change
	c.quorum, c.sent, c.built, c.proven, c.spoilt, c.suspects, c.refused = false, false, false, false, false, nil, nil
	for i := range r.log.Ring {
		if s := &r.log.Ring[i]; s.Seq != 0 {
			s.EndView(u)
		}
	}
}

// newViewChange builds our ViewChange with the certificates of what may have committed above the checkpoint (V1).
func (r *Replica) newViewChange(suspects []wire.Suspect) *wire.ViewChange {
	m := &wire.ViewChange{View: r.view, Replica: r.cfg.Self, Suspects: suspects, Stable: r.checkpoints.Stable}
	for seq := r.log.Low + 1; seq <= min(r.log.Seen, r.log.High()); seq++ {
		if s := r.log.Peek(seq); s != nil && s.Prepared != nil {
			m.Prepared = append(m.Prepared, *s.Prepared)
		}
	}
	return m
}

// onViewChange takes a replica's ViewChange. A valid one for a higher view makes this replica change to that view, with
// the same Suspects as justification. If the present view is active, it does so only if f others also want to leave it
// (V7). Any replica may pass it on, because its bytes alone decide whether it is valid. A ViewChange of our own that
// comes from others is from a life that was forgotten, and this life must not build on it (D8.7).
func (r *Replica) onViewChange(m *wire.ViewChange, from port.Source) {
	if m.Replica == r.cfg.Self && !from.Loopback {
		r.drop(m, port.ReasonOwn)
		return
	}
	r.weigh(m)
	held := r.change.votes[m.Replica]
	if m.View < r.view || m.View == r.view && r.active {
		r.drop(m, port.ReasonOldView)
		return
	}
	if held != nil && held.View >= m.View {
		r.drop(m, port.ReasonDuplicate)
		return
	}
	r.memories.NoteView(m)
	for i := range m.Suspects {
		r.suspicion.highest.Note(&m.Suspects[i])
	}
	r.change.votes[m.Replica] = m
	switch {
	case m.View > r.view && r.active:
		r.leaveIfSuspected()
	case m.View > r.view:
		r.enterViewChange(m.View, m.Suspects)
	}
	r.countViewChanges()
}

// countViewChanges starts the new-view timer at Q valid ViewChanges for the current view. If this replica is the
// primary of that view, it also builds the NewView.
func (r *Replica) countViewChanges() {
	if r.active || len(r.viewChangesHeld()) < r.cfg.Quorum() {
		return
	}
	if !r.change.quorum {
		r.change.quorum, r.change.quorumAt = true, r.mono
	}
	own := r.change.votes[r.cfg.Self]
	if r.isPrimary() && !r.change.built && own != nil && own.View == r.view && r.mayVote(r.view) {
		r.change.built = true
		r.emit(port.Broadcast{Msg: r.newNewView()})
	}
}

// viewChangesHeld lists the replicas whose ViewChange for the current view is held, ascending.
func (r *Replica) viewChangesHeld() []wire.ReplicaID {
	var held []wire.ReplicaID
	for i, m := range r.change.votes {
		if m != nil && m.View == r.view {
			held = append(held, wire.ReplicaID(i))
		}
	}
	return held
}
