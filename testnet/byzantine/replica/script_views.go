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
	if m.Stable, err = s.stableCert(t.Stable, nil, t); err != nil {
		return nil, err
	}
	for _, at := range t.Prepared {
		cert, err := s.preparedCert(at, t)
		if err != nil {
			return nil, err
		}
		m.Prepared = append(m.Prepared, cert)
	}
	return m, nil
}

// gathered returns the recorded messages of the named replicas, in the order of the names. Without names it takes those
// of the first n replicas that have sent one, preferring the sender itself, and sorts them by replica.
func gathered[T any](s *Script, ids []wire.ReplicaID, n int, what string, of func(wire.ReplicaID) (T, bool)) (out []T, err error) {
	named := ids != nil
	if !named {
		ids = append([]wire.ReplicaID{s.cfg.Self}, s.others()...)
	}
	var chosen []wire.ReplicaID
	for _, id := range ids {
		_, has := of(id)
		if named && !has {
			return nil, fmt.Errorf("no %s of replica %d was recorded that fits", what, id)
		}
		if has && (named || len(chosen) < n) {
			chosen = append(chosen, id)
		}
	}
	if !named {
		if slices.Sort(chosen); len(chosen) < n {
			return nil, fmt.Errorf("%d of the %d %ss that it takes were recorded", len(chosen), n, what)
		}
	}
	for _, id := range chosen {
		x, _ := of(id)
		out = append(out, x)
	}
	return out, nil
}

// justification returns the Suspects of the named replicas, or of the first f+1 that are enough (V7).
func (s *Script) justification(t *Template) ([]wire.Suspect, error) {
	own := wire.Suspect{View: max(t.View, 1) - 1, Replica: s.cfg.Self}
	s.signed(&own)
	return gathered(s, t.Suspects, s.cfg.Weak(), "suspicion", func(id wire.ReplicaID) (wire.Suspect, bool) {
		suspect, found := s.suspicion(id, own)
		if !found && t.Forged {
			return wire.Suspect{View: own.View, Replica: id, Sig: own.Sig}, true
		}
		return suspect, found
	})
}

// suspicion returns a recorded Suspect of a replica that is for the required view or a later one. The sender's own need
// not be recorded.
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

// preparedCert returns a prepared certificate from a recorded ViewChange, or one made of a recorded pre-prepare and
// prepares.
func (s *Script) preparedCert(at Slot, t *Template) (cert wire.PreparedCert, err error) {
	shown := func(c wire.PreparedCert) bool { return c.View == at.View && c.Seq == at.Seq }
	vc := newest(s.heard, func(vc *wire.ViewChange) bool { return slices.ContainsFunc(vc.Prepared, shown) })
	if vc != nil && t.Signers == nil && len(t.Bad) == 0 {
		return vc.Prepared[slices.IndexFunc(vc.Prepared, shown)], nil
	}
	d, have := s.endorsed(wire.TypePrepare, at, nil)
	p := newest(s.heard, func(p *wire.PrePrepare) bool {
		return p.View == at.View && p.Seq == at.Seq && (p.Digest == d || len(have) == 0)
	})
	primary := s.cfg.Primary(at.View)
	if p == nil && (t.Forged || primary == s.cfg.Self) {
		p = s.signed(&wire.PrePrepare{View: at.View, Seq: at.Seq, Digest: d}).(*wire.PrePrepare)
	}
	if p == nil {
		return cert, fmt.Errorf("the prepared certificate of %d:%d: no pre-prepare was recorded", at.View, at.Seq)
	}
	cert = wire.PreparedCert{View: at.View, Seq: at.Seq, Digest: p.Digest, PrePrepare: p.Sig}
	own := s.vote(wire.TypePrepare, at.View, at.Seq, cert.Digest)
	if cert.Prepares, err = s.certificate(have, s.cfg.Quorum()-1, int(primary), own, t); err != nil {
		err = fmt.Errorf("the prepared certificate of %d:%d: %w", at.View, at.Seq, err)
	}
	return cert, err
}

func (s *Script) newView(t *Template) (wire.Message, error) {
	m := &wire.NewView{View: t.View}
	var err error
	of := t.View
	if t.Changes != nil {
		of = *t.Changes
	}
	m.ViewChanges, err = gathered(s, t.ViewChanges, s.cfg.Quorum(), "view-change", func(id wire.ReplicaID) (c wire.ViewChange, has bool) {
		vc := newest(s.heard, func(vc *wire.ViewChange) bool { return vc.Replica == id && vc.View == of })
		if vc != nil {
			c = *vc
		}
		return c, vc != nil
	})
	if err != nil {
		return nil, err
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

// entry returns the digest of one entry of O.
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
