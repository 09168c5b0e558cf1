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
	for i := s.heard.Len() - 1; i >= 0; i-- {
		switch m := s.heard.At(i).(type) {
		case *wire.Suspect:
			if m.Replica == by && m.View >= own.View {
				return *m, true
			}
		case *wire.ViewChange:
			for _, x := range m.Suspects {
				if x.Replica == by && x.View >= own.View {
					return x, true
				}
			}
		default: // holds none
		}
	}
	return wire.Suspect{}, false
}

func (s *Script) newView(t *Template) (wire.Message, error) {
	m := &wire.NewView{View: t.View}
	ids := t.ViewChanges
	if ids == nil {
		ids = append([]wire.ReplicaID{s.cfg.Self}, s.others()...)
	}
	for _, id := range ids {
		vc, _ := s.heard.newest(func(m wire.Message) bool {
			vc, ok := m.(*wire.ViewChange)
			return ok && vc.Replica == id && vc.View == t.View
		}).(*wire.ViewChange)
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
		d, err := s.proposed(p)
		if err != nil {
			return nil, err
		}
		m.Proposals = append(m.Proposals, wire.Proposal{Digest: d})
	}
	return m, nil
}

// proposed is the digest of an entry of O.
func (s *Script) proposed(p Proposed) (wire.Digest, error) {
	switch {
	case p.Like != nil:
		m, _ := s.heard.newest(func(m wire.Message) bool {
			pp, ok := m.(*wire.PrePrepare)
			return ok && pp.View == p.Like.View && pp.Seq == p.Like.Seq
		}).(*wire.PrePrepare)
		if m == nil {
			return wire.Digest{}, fmt.Errorf("no pre-prepare of %d:%d was recorded", p.Like.View, p.Like.Seq)
		}
		return m.Digest, nil
	case p.Digest == wire.Digest{}:
		return wire.NullDigest, nil
	}
	return p.Digest, nil
}
