package pbft

import (
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// Proof of misbehaviour (E1), which shows in votes that come one after the other, and inside what others pass on.

// accuse reports two statements of one replica that contradict each other.
func (r *Replica) accuse(who wire.ReplicaID, first, second wire.Message) {
	r.convict([]wire.Evidence{wire.Equivocated(who, first, second)})
}

// convict reports what was found against others. What contradicts this replica's own votes was signed with its key
// elsewhere, or in a life that was forgotten: it is not for this one to tell of.
func (r *Replica) convict(found []wire.Evidence) {
	for _, e := range found {
		if e.Replica != r.cfg.Self {
			r.emit(port.Accuse{Evidence: e})
		}
	}
}

// weigh compares a view change with the one that is held of its author, and the signatures that it shows with what is held
// of those that made them. One that is held itself was weighed when it came.
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

// weighNewView compares a new view with the one that is held for its view, since a primary signs one (D4), and what it
// shows and proposes with what is held.
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
