package replica

import (
	"fmt"
	"slices"

	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// endorsed is what was recorded of votes of one type for one place: the digest with the most of them, and who signed it.
func (s *Script) endorsed(kind wire.Type, at Slot, digest *wire.Digest) (wire.Digest, []wire.Endorsement) {
	var digests []wire.Digest
	var by [][]wire.Endorsement
	for i := range s.heard.Len() {
		d, e, ok := vote(s.heard.At(i), kind, at)
		if !ok || digest != nil && d != *digest {
			continue
		}
		k := slices.Index(digests, d)
		if k < 0 {
			k = len(digests)
			digests, by = append(digests, d), append(by, nil)
		}
		if !slices.ContainsFunc(by[k], func(x wire.Endorsement) bool { return x.Replica == e.Replica }) {
			by[k] = append(by[k], e)
		}
	}
	best := -1
	for k := range digests {
		if best < 0 || len(by[k]) > len(by[best]) {
			best = k
		}
	}
	if best < 0 {
		if digest != nil {
			return *digest, nil
		}
		return wire.Digest{}, nil
	}
	return digests[best], by[best]
}

// vote takes a message apart if it is a vote of a type for a place. A checkpoint has no view.
func vote(m wire.Message, kind wire.Type, at Slot) (wire.Digest, wire.Endorsement, bool) {
	if wire.TypeOf(m) != kind || tamper.SeqOf(m) != at.Seq {
		return wire.Digest{}, wire.Endorsement{}, false
	}
	switch m := m.(type) {
	case *wire.Prepare:
		return m.Digest, wire.Endorsement{Replica: m.Replica, Sig: m.Sig}, m.View == at.View
	case *wire.Commit:
		return m.Digest, wire.Endorsement{Replica: m.Replica, Sig: m.Sig}, m.View == at.View
	case *wire.Checkpoint:
		return m.Digest, wire.Endorsement{Replica: m.Replica, Sig: m.Sig}, true
	default:
		return wire.Digest{}, wire.Endorsement{}, false
	}
}

// certificate completes endorsements to n, ascending, leaving one replica out (none if skip is negative). The sender's own
// it signs now; what is missing then is forged, or an error.
func (s *Script) certificate(have []wire.Endorsement, n, skip int, own wire.Message, forged bool) ([]wire.Endorsement, error) {
	sig := *tamper.Field[wire.Signature](s.signed(own), "Sig")
	have = slices.DeleteFunc(slices.Clone(have), func(e wire.Endorsement) bool { return int(e.Replica) == skip || e.Replica == s.cfg.Self })
	if int(s.cfg.Self) != skip {
		have = append([]wire.Endorsement{{Replica: s.cfg.Self, Sig: sig}}, have...)
	}
	for i := 0; forged && i < s.cfg.N() && len(have) < n; i++ {
		id := wire.ReplicaID(i)
		if i != skip && !slices.ContainsFunc(have, func(e wire.Endorsement) bool { return e.Replica == id }) {
			have = append(have, wire.Endorsement{Replica: id, Sig: sig})
		}
	}
	if len(have) < n {
		return nil, fmt.Errorf("%d of %d signatures were recorded", len(have), n)
	}
	have = have[:n]
	slices.SortFunc(have, func(a, b wire.Endorsement) int { return int(a.Replica) - int(b.Replica) })
	return have, nil
}

func (s *Script) stableCert(seq wire.Seq, digest *wire.Digest, forged bool) (wire.StableCert, error) {
	if seq == 0 {
		return wire.StableCert{}, nil
	}
	d, have := s.endorsed(wire.TypeCheckpoint, Slot{Seq: seq}, digest)
	signers, err := s.certificate(have, s.cfg.Quorum(), -1, &wire.Checkpoint{Seq: seq, Digest: d, Replica: s.cfg.Self}, forged)
	if err != nil {
		return wire.StableCert{}, fmt.Errorf("the stable checkpoint %d: %w", seq, err)
	}
	return wire.StableCert{Seq: seq, Digest: d, Checkpoints: signers}, nil
}

func (s *Script) certifiedBody(t *Template) (wire.Message, error) {
	body := t.body()
	if body == nil {
		return nil, fmt.Errorf("it has no batch")
	}
	if t.Commit == nil {
		return &wire.CertifiedBody{Seq: t.Seq, Body: body}, nil
	}
	recorded, _ := s.heard.newest(func(m wire.Message) bool {
		p, ok := m.(*wire.PrePrepare)
		return ok && p.Seq == t.Commit.Seq && p.Body != nil && sameRequests(p.Body.Requests, t.Batch)
	}).(*wire.PrePrepare)
	if recorded != nil {
		body = recorded.Body
	}
	d := body.Digest()
	_, have := s.endorsed(wire.TypeCommit, *t.Commit, &d)
	own := &wire.Commit{View: t.Commit.View, Seq: t.Commit.Seq, Digest: d, Replica: s.cfg.Self}
	signers, err := s.certificate(have, s.cfg.Quorum(), -1, own, t.Forged)
	if err != nil {
		return nil, fmt.Errorf("the commit certificate of %d:%d: %w", t.Commit.View, t.Commit.Seq, err)
	}
	cert := &wire.CommitCert{View: t.Commit.View, Seq: t.Commit.Seq, Digest: d, Commits: signers}
	return &wire.CertifiedBody{Seq: t.Seq, Body: body, Cert: cert}, nil
}

// preparedCert is one that a ViewChange showed, or is put together from a pre-prepare and prepares.
func (s *Script) preparedCert(at Slot, forged bool) (wire.PreparedCert, error) {
	for i := s.heard.Len() - 1; i >= 0; i-- {
		if vc, ok := s.heard.At(i).(*wire.ViewChange); ok {
			for _, c := range vc.Prepared {
				if c.View == at.View && c.Seq == at.Seq {
					return c, nil
				}
			}
		}
	}
	d, have := s.endorsed(wire.TypePrepare, at, nil)
	p, _ := s.heard.newest(func(m wire.Message) bool {
		p, ok := m.(*wire.PrePrepare)
		return ok && p.View == at.View && p.Seq == at.Seq && (p.Digest == d || len(have) == 0)
	}).(*wire.PrePrepare)
	primary := s.cfg.Primary(at.View)
	cert := wire.PreparedCert{View: at.View, Seq: at.Seq, Digest: d}
	switch {
	case p != nil:
		cert.Digest, cert.PrePrepare = p.Digest, p.Sig
	case forged || primary == s.cfg.Self:
		cert.PrePrepare = *tamper.Field[wire.Signature](s.signed(&wire.PrePrepare{View: at.View, Seq: at.Seq, Digest: d}), "Sig")
	default:
		return cert, fmt.Errorf("the prepared certificate of %d:%d: no pre-prepare was recorded", at.View, at.Seq)
	}
	own := &wire.Prepare{View: at.View, Seq: at.Seq, Digest: cert.Digest, Replica: s.cfg.Self}
	var err error
	if cert.Prepares, err = s.certificate(have, s.cfg.Quorum()-1, int(primary), own, forged); err != nil {
		err = fmt.Errorf("the prepared certificate of %d:%d: %w", at.View, at.Seq, err)
	}
	return cert, err
}
