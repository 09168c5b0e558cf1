package pbft

import (
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// Proof of misbehaviour (E1) consists of two signed statements that contradict each other. They may arrive as messages
// of their own, or nested in messages of other replicas.

// accuse reports that a replica signed two statements which contradict each other.
func (r *Replica) accuse(who wire.ReplicaID, first, second wire.Message) {
	r.convict([]wire.Evidence{wire.Equivocated(who, first, second)})
}

// convict reports evidence against other replicas. It does not report evidence against this replica itself: the key may
// be in use elsewhere, or the statement may be from a life that was forgotten. Other replicas report that.
func (r *Replica) convict(found []wire.Evidence) {
	for _, e := range found {
		if e.Replica != r.cfg.Self {
			r.emit(port.Accuse{Evidence: e})
		}
	}
}

// weigh looks for evidence in a view change. It compares the message with the held view change of the same author, and
// the signatures nested in the message with the held votes of their signers. A held view change need not be examined
// again, because that was done when it arrived.
func (r *Replica) weigh(vc *wire.ViewChange) {
	if held := r.change.votes[vc.Replica]; held != nil && held.View == vc.View {
		if wire.SameViewChange(r.cfg, held, vc) {
			return
		}
		if wire.Convicts(r.cfg, held, vc) {
			r.accuse(vc.Replica, held, vc)
		}
	}
	r.convict(r.checkpoints.Against(r.cfg, &vc.Stable))
	for i := range vc.Prepared {
		c := &vc.Prepared[i]
		if s := r.log.Peek(c.Seq); s != nil {
			r.convict(s.AgainstPrepared(r.cfg, c))
		}
	}
}

// weighNewView looks for evidence in a new view: a primary signs only one for a view (D4), and the signatures nested in
// it must agree with what is held of their signers.
func (r *Replica) weighNewView(m *wire.NewView) {
	primary := r.cfg.Primary(m.View)
	for _, held := range []*wire.NewView{r.origin, r.change.refused} {
		if held == nil || held.View != m.View || held.Sig == m.Sig {
			continue
		}
		if held.ContentDigest() != m.ContentDigest() {
			r.accuse(primary, held, m)
			break
		}
	}
	for i := range m.ViewChanges {
		r.weigh(&m.ViewChanges[i])
	}
	first := m.MinStable() + 1
	for i, p := range m.Proposals {
		s := r.log.Peek(first + wire.Seq(i))
		if s == nil {
			continue
		}
		if w := s.Waiting; w != nil && w.View == m.View && w.Digest != p.Digest {
			r.accuse(primary, w, &wire.PrePrepare{View: m.View, Seq: s.Seq, Digest: p.Digest, Sig: p.Sig})
		}
	}
}
