package pbft

import (
	"cmp"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// Moving to a new view (§4.4): what each replica contributes.

// change is the state of changing views, and what the timers of the current view go by.
type change struct {
	votes []*wire.ViewChange // by replica: its latest valid one

	quorum   bool // Q of them are for the current view (while it is not active)
	quorumAt time.Duration
	sent     bool           // our own ViewChange for the current view was sent
	built    bool           // our own NewView for it was
	suspects []wire.Suspect // that justified leaving for the current view; nil if a NewView did
	left     port.Cause     // of the view before, for people

	spoilt       bool          // the NewView for the current view came, and fails its check
	refused      *wire.NewView // one for the current view that does not follow from its view changes
	proven       bool          // the current primary is proven faulty: no need to wait for a timer
	activatedAt  time.Duration // when the current view became active
	fullAt       time.Duration // when the window was last full of what waits for execution
	heardAt      time.Duration // last sign of life of its primary
	progressAt   time.Duration // when something was last handed to execution
	progressView wire.View     // last view in which new requests were executed: timeouts double from here
}

// enterViewChange leaves the current view for u. The ViewChange is durable before it is sent, and this replica never
// votes in a lower view again (D3): what is decided there reaches it by commit certificates (V8).
func (r *Replica) enterViewChange(u wire.View, suspects []wire.Suspect) {
	r.leave(u)
	r.change.suspects = suspects
	if r.mayVote(u) {
		r.contribute(suspects)
	}
}

// contribute sends our ViewChange for the current view, once: a second one may show another stable checkpoint, and
// convict.
func (r *Replica) contribute(suspects []wire.Suspect) {
	r.change.sent = true
	r.emit(port.Broadcast{Msg: r.newViewChange(suspects)})
}

// leave makes u the current, inactive view.
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

// newViewChange collects the proof of everything that may have committed here above the stable checkpoint (V1).
func (r *Replica) newViewChange(suspects []wire.Suspect) *wire.ViewChange {
	m := &wire.ViewChange{View: r.view, Replica: r.cfg.Self, Suspects: suspects, Stable: r.checkpoints.Stable}
	for seq := r.log.Low + 1; seq <= min(r.log.Seen, r.log.High()); seq++ {
		if s := r.log.Peek(seq); s != nil && s.Prepared != nil {
			m.Prepared = append(m.Prepared, *s.Prepared)
		}
	}
	return m
}

// onViewChange takes a replica's ViewChange. A valid one for a higher view moves this replica there with the same
// justification, out of an active view only if f others want the same (V7). Anybody may pass one on: it is judged by its
// bytes alone. One of our own that comes back from others is of a life that was forgotten, and must not be built upon in
// this one (D8.7).
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

// countViewChanges starts the new-view timer at Q valid ViewChanges for the current view, and builds the NewView if
// this replica is its primary.
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
