package byzantine

import (
	"fmt"

	"tagma/pbft"
)

// build makes the messages of one line: one, but for requests.
func (s *Script) build(t *Template) ([]pbft.Message, error) {
	var m pbft.Message
	var err error
	digest := s.digest(t)
	switch t.Type {
	case pbft.TypeRequest:
		var out []pbft.Message
		for _, r := range t.Batch {
			out = append(out, r)
		}
		return out, nil
	case pbft.TypePrePrepare:
		m = &pbft.PrePrepare{View: t.View, Seq: t.Seq, Digest: digest, Body: t.body()}
	case pbft.TypePrepare:
		m = &pbft.Prepare{View: t.View, Seq: t.Seq, Digest: digest, Replica: s.cfg.Self}
	case pbft.TypeCommit:
		m = &pbft.Commit{View: t.View, Seq: t.Seq, Digest: digest, Replica: s.cfg.Self}
	case pbft.TypeCheckpoint:
		m = &pbft.Checkpoint{Seq: t.Seq, Digest: digest, Replica: s.cfg.Self}
	case pbft.TypeSuspect:
		m = &pbft.Suspect{View: t.View, Replica: s.cfg.Self}
	case pbft.TypeHeartbeat:
		m = &pbft.Heartbeat{View: t.View}
	case pbft.TypeStatus:
		m = &pbft.Status{View: t.View, Active: true, Executed: t.Seq, Helper: s.cfg.Self}
	case pbft.TypeFetch:
		m = &pbft.Fetch{Seq: t.Seq, Digest: digest}
	case pbft.TypeReply:
		m = reply(t)
	case pbft.TypeViewChange:
		m, err = s.viewChange(t)
	case pbft.TypeNewView:
		m, err = s.newView(t)
	case pbft.TypeCertifiedBody:
		m, err = s.certifiedBody(t)
	case pbft.TypeStableNotice:
		var cert pbft.StableCert
		cert, err = s.stableCert(t.Seq, t.Digest, t.Forged)
		m = &pbft.StableNotice{Cert: cert}
	default:
		err = fmt.Errorf("a script sends no %v", t.Type)
	}
	if err != nil {
		return nil, err
	}
	return []pbft.Message{s.signed(m)}, nil
}

// scripted is the agreed time of every scripted batch, so that the same requests have the same digest in all lines.
const scripted = 1

// body is the batch of a template: null without requests, and nil if only its digest is given.
func (t *Template) body() *pbft.Body {
	switch {
	case t.Digest != nil:
		return nil
	case len(t.Batch) == 0:
		return pbft.NullBody
	}
	return &pbft.Body{Time: scripted, Requests: t.Batch}
}

// digest is what a template speaks of. A vote for requests is for the proposal of them that was recorded at its place, if
// there is one: its agreed time is the primary's.
func (s *Script) digest(t *Template) pbft.Digest {
	if t.Digest != nil {
		return *t.Digest
	}
	own := t.body().Digest()
	if t.Type == pbft.TypePrePrepare || len(t.Batch) == 0 {
		return own
	}
	p, _ := s.heard.newest(func(m pbft.Message) bool {
		p, ok := m.(*pbft.PrePrepare)
		return ok && p.View == t.View && p.Seq == t.Seq && p.Body != nil && sameRequests(p.Body.Requests, t.Batch)
	}).(*pbft.PrePrepare)
	if p != nil {
		return p.Digest
	}
	return own
}

func sameRequests(a, b []*pbft.Request) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Digest() != b[i].Digest() {
			return false
		}
	}
	return true
}

// reply answers the first request of the batch. To a replica it is a message of another stream.
func reply(t *Template) *pbft.Reply {
	m := &pbft.Reply{Outcome: pbft.OutcomeExecuted, Seq: t.Seq, Results: [][]byte{nil}, View: t.View}
	if len(t.Batch) > 0 {
		m.ID, m.Request = t.Batch[0].ID, t.Batch[0].Digest()
	}
	return m
}
