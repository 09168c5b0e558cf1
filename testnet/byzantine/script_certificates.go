package byzantine

import (
	"fmt"
	"slices"

	"tagma/pbft"
	"tagma/testnet/byzantine/tamper"
)

// endorsed is what was recorded of votes of one type for one place: the digest with the most of them, and who signed it.
func (s *Script) endorsed(kind pbft.Type, at Slot, digest *pbft.Digest) (pbft.Digest, []pbft.Endorsement) {
	var digests []pbft.Digest
	var by [][]pbft.Endorsement
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
		if !slices.ContainsFunc(by[k], func(x pbft.Endorsement) bool { return x.Replica == e.Replica }) {
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
		return pbft.Digest{}, nil
	}
	return digests[best], by[best]
}

// vote takes a message apart if it is a vote of a type for a place. A checkpoint has no view.
func vote(m pbft.Message, kind pbft.Type, at Slot) (pbft.Digest, pbft.Endorsement, bool) {
	if pbft.TypeOf(m) != kind || tamper.SeqOf(m) != at.Seq {
		return pbft.Digest{}, pbft.Endorsement{}, false
	}
	switch m := m.(type) {
	case *pbft.Prepare:
		return m.Digest, pbft.Endorsement{Replica: m.Replica, Sig: m.Sig}, m.View == at.View
	case *pbft.Commit:
		return m.Digest, pbft.Endorsement{Replica: m.Replica, Sig: m.Sig}, m.View == at.View
	case *pbft.Checkpoint:
		return m.Digest, pbft.Endorsement{Replica: m.Replica, Sig: m.Sig}, true
	default:
		return pbft.Digest{}, pbft.Endorsement{}, false
	}
}

// certificate completes endorsements to n, ascending, leaving one replica out (none if skip is negative). The sender's own
// it signs now; what is missing then is forged, or an error.
func (s *Script) certificate(have []pbft.Endorsement, n, skip int, own pbft.Message, forged bool) ([]pbft.Endorsement, error) {
	sig := *tamper.Field[pbft.Signature](s.signed(own), "Sig")
	have = slices.DeleteFunc(slices.Clone(have), func(e pbft.Endorsement) bool { return int(e.Replica) == skip || e.Replica == s.cfg.Self })
	if int(s.cfg.Self) != skip {
		have = append([]pbft.Endorsement{{Replica: s.cfg.Self, Sig: sig}}, have...)
	}
	for i := 0; forged && i < s.cfg.N() && len(have) < n; i++ {
		id := pbft.ReplicaID(i)
		if i != skip && !slices.ContainsFunc(have, func(e pbft.Endorsement) bool { return e.Replica == id }) {
			have = append(have, pbft.Endorsement{Replica: id, Sig: sig})
		}
	}
	if len(have) < n {
		return nil, fmt.Errorf("%d of %d signatures were recorded", len(have), n)
	}
	have = have[:n]
	slices.SortFunc(have, func(a, b pbft.Endorsement) int { return int(a.Replica) - int(b.Replica) })
	return have, nil
}

func (s *Script) stableCert(seq pbft.Seq, digest *pbft.Digest, forged bool) (pbft.StableCert, error) {
	if seq == 0 {
		return pbft.StableCert{}, nil
	}
	d, have := s.endorsed(pbft.TypeCheckpoint, Slot{Seq: seq}, digest)
	signers, err := s.certificate(have, s.cfg.Quorum(), -1, &pbft.Checkpoint{Seq: seq, Digest: d, Replica: s.cfg.Self}, forged)
	if err != nil {
		return pbft.StableCert{}, fmt.Errorf("the stable checkpoint %d: %w", seq, err)
	}
	return pbft.StableCert{Seq: seq, Digest: d, Checkpoints: signers}, nil
}

func (s *Script) certifiedBody(t *Template) (pbft.Message, error) {
	body := t.body()
	if body == nil {
		return nil, fmt.Errorf("it has no batch")
	}
	if t.Commit == nil {
		return &pbft.CertifiedBody{Seq: t.Seq, Body: body}, nil
	}
	recorded, _ := s.heard.newest(func(m pbft.Message) bool {
		p, ok := m.(*pbft.PrePrepare)
		return ok && p.Seq == t.Commit.Seq && p.Body != nil && sameRequests(p.Body.Requests, t.Batch)
	}).(*pbft.PrePrepare)
	if recorded != nil {
		body = recorded.Body
	}
	d := body.Digest()
	_, have := s.endorsed(pbft.TypeCommit, *t.Commit, &d)
	own := &pbft.Commit{View: t.Commit.View, Seq: t.Commit.Seq, Digest: d, Replica: s.cfg.Self}
	signers, err := s.certificate(have, s.cfg.Quorum(), -1, own, t.Forged)
	if err != nil {
		return nil, fmt.Errorf("the commit certificate of %d:%d: %w", t.Commit.View, t.Commit.Seq, err)
	}
	cert := &pbft.CommitCert{View: t.Commit.View, Seq: t.Commit.Seq, Digest: d, Commits: signers}
	return &pbft.CertifiedBody{Seq: t.Seq, Body: body, Cert: cert}, nil
}

// preparedCert is one that a ViewChange showed, or is put together from a pre-prepare and prepares.
func (s *Script) preparedCert(at Slot, forged bool) (pbft.PreparedCert, error) {
	for i := s.heard.Len() - 1; i >= 0; i-- {
		if vc, ok := s.heard.At(i).(*pbft.ViewChange); ok {
			for _, c := range vc.Prepared {
				if c.View == at.View && c.Seq == at.Seq {
					return c, nil
				}
			}
		}
	}
	d, have := s.endorsed(pbft.TypePrepare, at, nil)
	p, _ := s.heard.newest(func(m pbft.Message) bool {
		p, ok := m.(*pbft.PrePrepare)
		return ok && p.View == at.View && p.Seq == at.Seq && (p.Digest == d || len(have) == 0)
	}).(*pbft.PrePrepare)
	primary := s.cfg.Primary(at.View)
	cert := pbft.PreparedCert{View: at.View, Seq: at.Seq, Digest: d}
	switch {
	case p != nil:
		cert.Digest, cert.PrePrepare = p.Digest, p.Sig
	case forged || primary == s.cfg.Self:
		cert.PrePrepare = *tamper.Field[pbft.Signature](s.signed(&pbft.PrePrepare{View: at.View, Seq: at.Seq, Digest: d}), "Sig")
	default:
		return cert, fmt.Errorf("the prepared certificate of %d:%d: no pre-prepare was recorded", at.View, at.Seq)
	}
	own := &pbft.Prepare{View: at.View, Seq: at.Seq, Digest: cert.Digest, Replica: s.cfg.Self}
	var err error
	if cert.Prepares, err = s.certificate(have, s.cfg.Quorum()-1, int(primary), own, forged); err != nil {
		err = fmt.Errorf("the prepared certificate of %d:%d: %w", at.View, at.Seq, err)
	}
	return cert, err
}
