package replica

import (
	"fmt"
	"slices"

	"tagma/pbft/wire"
)

func (s *Script) viewChange(t *Template) (wire.Message, error) {
	m := &wire.ViewChange{View: t.View, Replica: s.cfg.Self}
	var err error
	if m.Suspects, err = s.justification(t); err != nil {
		return nil, err
	}
	if m.Stable, err = s.stableCert(t.Stable, nil, t.Forged); err != nil {
		return nil, err
	}
	for _, at := range t.Prepared {
		cert, err := s.preparedCert(at, t.Forged)
		if err != nil {
			return nil, err
		}
		m.Prepared = append(m.Prepared, cert)
	}
	return m, nil
}

// justification is the suspicions of those who are named, or of the first f+1 that suffice (V7).
func (s *Script) justification(t *Template) ([]wire.Suspect, error) {
	own := wire.Suspect{View: max(t.View, 1) - 1, Replica: s.cfg.Self}
	s.signed(&own)
	ids := t.Suspects
	if ids == nil {
		ids = append([]wire.ReplicaID{s.cfg.Self}, s.others()...)
	}
	var out []wire.Suspect
	for _, id := range ids {
		if t.Suspects == nil && len(out) == s.cfg.Weak() {
			break
		}
		suspect, found := s.suspicion(id, own)
		switch {
		case found:
		case t.Forged:
			suspect = own
			suspect.Replica = id
		case t.Suspects == nil:
			continue
		default:
			return nil, fmt.Errorf("no suspicion of replica %d against view %d or a later one was recorded", id, own.View)
		}
		out = append(out, suspect)
	}
	if t.Suspects == nil {
		if len(out) < s.cfg.Weak() {
			return nil, fmt.Errorf("%d of the %d suspicions that it takes were recorded", len(out), s.cfg.Weak())
		}
		slices.SortFunc(out, func(a, b wire.Suspect) int { return int(a.Replica) - int(b.Replica) })
	}
	return out, nil
}

// suspicion finds a replica's Suspect that justifies as much as our own, which is always at hand.
func (s *Script) suspicion(by wire.ReplicaID, own wire.Suspect) (wire.Suspect, bool) {
	if by == s.cfg.Self {
		return own, true
	}
	justifies := func(x wire.Suspect) bool { return x.Replica == by && x.View >= own.View }
	if m := newest(s.heard, func(m *wire.Suspect) bool { return justifies(*m) }); m != nil {
		return *m, true
	}
	if vc := newest(s.heard, func(vc *wire.ViewChange) bool { return slices.ContainsFunc(vc.Suspects, justifies) }); vc != nil {
		return vc.Suspects[slices.IndexFunc(vc.Suspects, justifies)], true
	}
	return wire.Suspect{}, false
}

// preparedCert is one that a ViewChange showed, or is put together from a pre-prepare and prepares.
func (s *Script) preparedCert(at Slot, forged bool) (cert wire.PreparedCert, err error) {
	shown := func(c wire.PreparedCert) bool { return c.View == at.View && c.Seq == at.Seq }
	if vc := newest(s.heard, func(vc *wire.ViewChange) bool { return slices.ContainsFunc(vc.Prepared, shown) }); vc != nil {
		return vc.Prepared[slices.IndexFunc(vc.Prepared, shown)], nil
	}
	d, have := s.endorsed(wire.TypePrepare, at, nil)
	p := newest(s.heard, func(p *wire.PrePrepare) bool {
		return p.View == at.View && p.Seq == at.Seq && (p.Digest == d || len(have) == 0)
	})
	primary := s.cfg.Primary(at.View)
	if p == nil && (forged || primary == s.cfg.Self) {
		p = s.signed(&wire.PrePrepare{View: at.View, Seq: at.Seq, Digest: d}).(*wire.PrePrepare)
	}
	if p == nil {
		return cert, fmt.Errorf("the prepared certificate of %d:%d: no pre-prepare was recorded", at.View, at.Seq)
	}
	cert = wire.PreparedCert{View: at.View, Seq: at.Seq, Digest: p.Digest, PrePrepare: p.Sig}
	own := s.vote(wire.TypePrepare, at.View, at.Seq, cert.Digest)
	if cert.Prepares, err = s.certificate(have, s.cfg.Quorum()-1, int(primary), own, forged); err != nil {
		err = fmt.Errorf("the prepared certificate of %d:%d: %w", at.View, at.Seq, err)
	}
	return cert, err
}

func (s *Script) newView(t *Template) (wire.Message, error) {
	m := &wire.NewView{View: t.View}
	ids := t.ViewChanges
	if ids == nil {
		ids = append([]wire.ReplicaID{s.cfg.Self}, s.others()...)
	}
	for _, id := range ids {
		vc := newest(s.heard, func(vc *wire.ViewChange) bool { return vc.Replica == id && vc.View == t.View })
		switch {
		case vc != nil && (t.ViewChanges != nil || len(m.ViewChanges) < s.cfg.Quorum()):
			m.ViewChanges = append(m.ViewChanges, *vc)
		case vc == nil && t.ViewChanges != nil:
			return nil, fmt.Errorf("no view-change of replica %d to view %d was recorded", id, t.View)
		}
	}
	if t.ViewChanges == nil {
		if len(m.ViewChanges) < s.cfg.Quorum() {
			return nil, fmt.Errorf("%d of the %d view-changes that it takes were recorded", len(m.ViewChanges), s.cfg.Quorum())
		}
		slices.SortFunc(m.ViewChanges, func(a, b wire.ViewChange) int { return int(a.Replica) - int(b.Replica) })
	}
	if t.Proposals == nil {
		m.Proposals = follows(m.ViewChanges, s.cfg.LogWindow)
		return m, nil
	}
	for _, p := range t.Proposals {
		d, err := s.entry(p)
		if err != nil {
			return nil, err
		}
		m.Proposals = append(m.Proposals, wire.Proposal{Digest: d})
	}
	return m, nil
}

// entry is the digest of one of O.
func (s *Script) entry(p Proposed) (wire.Digest, error) {
	switch {
	case p.Like != nil:
		m := newest(s.heard, func(m *wire.PrePrepare) bool { return m.View == p.Like.View && m.Seq == p.Like.Seq })
		if m == nil {
			return wire.Digest{}, fmt.Errorf("no pre-prepare of %d:%d was recorded", p.Like.View, p.Like.Seq)
		}
		return m.Digest, nil
	case p.Digest == wire.Digest{}:
		return wire.NullDigest, nil
	}
	return p.Digest, nil
}
