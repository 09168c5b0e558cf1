package pbft

import (
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// Starting a new view (§4.4): the new primary computes its proposals, and every backup computes them again.

// newNewView builds the NewView of the current view from Q view changes, our own among them.
func (r *Replica) newNewView() *wire.NewView {
	m := &wire.NewView{View: r.view}
	others := r.cfg.Quorum() - 1
	for i, vc := range r.change.votes {
		if vc == nil || vc.View != r.view {
			continue
		}
		if wire.ReplicaID(i) != r.cfg.Self {
			if others == 0 {
				continue
			}
			others--
		}
		m.ViewChanges = append(m.ViewChanges, *vc)
	}
	for _, d := range wire.Choose(m.ViewChanges) {
		m.Proposals = append(m.Proposals, wire.Proposal{Digest: d})
	}
	return m
}

// onNewView enters the view of a valid NewView. A replica in a lower view leaves that one without a ViewChange.
func (r *Replica) onNewView(m *wire.NewView, from port.Source) {
	r.weighNewView(m)
	if m.View < r.view || m.View == r.view && r.active {
		r.drop(m, port.ReasonOldView)
		return
	}
	if !m.Follows() {
		r.drop(m, port.ReasonWrongNewView)
		if m.View == r.view { // counts as expiry (V7)
			r.change.proven, r.change.refused = true, m
			r.suspectNow(port.CauseProof)
		}
		return
	}
	if !from.Loopback { // the journal already has our own, as Sent
		r.emit(port.Persist{Record: &wire.Activated{NewView: m}}) // D4
	}
	low := r.log.Low
	r.activate(m)
	if r.log.Low > low {
		r.followStable()
	}
	r.collectGarbage()
	r.beginView()
}

// onBadNewView records that the NewView of the current view was malformed or had a wrong signature. The replica then
// suspects the view as if its timer had ended (V7), but only after Q view changes have started that timer (D8.11).
func (r *Replica) onBadNewView(e port.BadNewView) {
	if e.View == r.view && !r.active {
		r.change.spoilt = true
	}
}

// activate makes m's view current and active, and accepts its proposals O. It changes state only, so a replay repeats it.
func (r *Replica) activate(m *wire.NewView) {
	r.leave(m.View)
	r.active, r.origin = true, m
	r.adoptStable(m.HighestStable())
	for i := range m.ViewChanges {
		r.memories.NoteView(&m.ViewChanges[i])
	}
	c := &r.change
	c.activatedAt, c.heardAt = r.mono, r.mono
	minS := m.MinStable()
	for i, p := range m.Proposals {
		seq := minS + 1 + wire.Seq(i)
		if r.whyOutside(seq) != "" {
			continue
		}
		s := r.log.At(seq)
		s.Accept(m.View, p.Digest, p.Sig)
		s.AcceptedAt = r.mono
		s.Waiting = nil
	}
	r.proposed = max(r.log.Low, minS+wire.Seq(len(m.Proposals)))
}

// beginView votes for O (V6), and gives the waiting requests to the new primary, which may be this replica. It asks for
// missing bodies; until a slot's body arrives, the replica does not vote for the slot (N3, V4).
func (r *Replica) beginView() {
	r.emit(port.Entered{View: r.view})
	r.pool.Requeue()
	for i := range r.origin.Proposals {
		s := r.log.Peek(r.origin.MinStable() + 1 + wire.Seq(i))
		if s == nil || !s.Accepted || s.Seq <= r.log.Low {
			continue
		}
		if b := s.Body(s.Digest); b != nil {
			if s.Loose {
				r.emit(port.Persist{Record: &wire.Fetched{Seq: s.Seq, Body: b}}) // before the prepare (D1)
				s.Loose = false
			}
			r.pool.MarkProposed(b)
			r.vote(s)
		}
	}
	r.lastProposal = r.mono
	r.retryWaiting()
	r.relayAgain(0)
	r.propose()
	r.nextStatus = r.mono // ask for missing bodies at the next tick
}
