package replica

import (
	"fmt"

	"tagma/pbft/wire"
)

// build makes the messages of one line: one, but for requests.
func (s *Script) build(t *Template) ([]wire.Message, error) {
	var m wire.Message
	var err error
	digest := s.digest(t)
	switch t.Type {
	case wire.TypeRequest:
		var out []wire.Message
		for _, r := range t.Batch {
			out = append(out, r)
		}
		return out, nil
	case wire.TypePrePrepare:
		m = &wire.PrePrepare{View: t.View, Seq: t.Seq, Digest: digest, Body: t.body()}
	case wire.TypePrepare:
		m = &wire.Prepare{View: t.View, Seq: t.Seq, Digest: digest, Replica: s.cfg.Self}
	case wire.TypeCommit:
		m = &wire.Commit{View: t.View, Seq: t.Seq, Digest: digest, Replica: s.cfg.Self}
	case wire.TypeCheckpoint:
		m = &wire.Checkpoint{Seq: t.Seq, Digest: digest, Replica: s.cfg.Self}
	case wire.TypeSuspect:
		m = &wire.Suspect{View: t.View, Replica: s.cfg.Self}
	case wire.TypeHeartbeat:
		m = &wire.Heartbeat{View: t.View}
	case wire.TypeStatus:
		m = &wire.Status{View: t.View, Active: true, Executed: t.Seq, Helper: s.cfg.Self}
	case wire.TypeFetch:
		m = &wire.Fetch{Seq: t.Seq, Digest: digest}
	case wire.TypeReply:
		m = reply(t)
	case wire.TypeViewChange:
		m, err = s.viewChange(t)
	case wire.TypeNewView:
		m, err = s.newView(t)
	case wire.TypeCertifiedBody:
		m, err = s.certifiedBody(t)
	case wire.TypeStableNotice:
		var cert wire.StableCert
		cert, err = s.stableCert(t.Seq, t.Digest, t.Forged)
		m = &wire.StableNotice{Cert: cert}
	default:
		err = fmt.Errorf("a script sends no %v", t.Type)
	}
	if err != nil {
		return nil, err
	}
	return []wire.Message{s.signed(m)}, nil
}

// scripted is the agreed time of every scripted batch, so that the same requests have the same digest in all lines.
const scripted = 1

// body is the batch of a template: null without requests, and nil if only its digest is given.
func (t *Template) body() *wire.Body {
	switch {
	case t.Digest != nil:
		return nil
	case len(t.Batch) == 0:
		return wire.NullBody
	}
	return &wire.Body{Time: scripted, Requests: t.Batch}
}

// digest is what a template speaks of. A vote for requests is for the proposal of them that was recorded at its place, if
// there is one: its agreed time is the primary's.
func (s *Script) digest(t *Template) wire.Digest {
	if t.Digest != nil {
		return *t.Digest
	}
	own := t.body().Digest()
	if t.Type == wire.TypePrePrepare || len(t.Batch) == 0 {
		return own
	}
	p, _ := s.heard.newest(func(m wire.Message) bool {
		p, ok := m.(*wire.PrePrepare)
		return ok && p.View == t.View && p.Seq == t.Seq && p.Body != nil && sameRequests(p.Body.Requests, t.Batch)
	}).(*wire.PrePrepare)
	if p != nil {
		return p.Digest
	}
	return own
}

func sameRequests(a, b []*wire.Request) bool {
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
func reply(t *Template) *wire.Reply {
	m := &wire.Reply{Outcome: wire.OutcomeExecuted, Seq: t.Seq, Results: [][]byte{nil}, View: t.View}
	if len(t.Batch) > 0 {
		m.ID, m.Request = t.Batch[0].ID, t.Batch[0].Digest()
	}
	return m
}
