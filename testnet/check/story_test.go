package check

import (
	"testing"

	"tagma/pbft"
)

// story is a good history of four replicas, told step by step, that a control changes in one place.
type story struct {
	t   *testing.T
	cfg *pbft.Config
	mon *Monitor
	// twists replace the step of that name; a nil one leaves it out.
	twists map[string]func()
	told   map[string]bool
}

func newStory(t *testing.T, twists map[string]func()) *story {
	t.Helper()
	cfg := configOf(4)
	s := &story{t: t, cfg: cfg, mon: NewMonitor(cfg, everybody, holds), twists: twists, told: map[string]bool{}}
	s.mon.VerifyEvery(1)
	return s
}

func (s *story) step(name string, usual func()) {
	s.told[name] = true
	if twist, changed := s.twists[name]; !changed {
		usual()
	} else if twist != nil {
		twist()
	}
}

// sign gives a message the signature of its sender.
func (s *story) sign(m pbft.Message) pbft.Signature {
	key, ok := pbft.Signer(s.cfg, m)
	if !ok {
		s.t.Fatalf("%T has no signer", m)
	}
	pbft.Sign(s.cfg, m, signWith(key))
	return signWith(key)(pbft.Signable(s.cfg, m))
}

func body(requests ...*pbft.Request) *pbft.Body {
	b := &pbft.Body{Time: 1, Requests: requests}
	b.Digest()
	return b
}

func (s *story) prePrepare(v pbft.View, n pbft.Seq, b *pbft.Body) *pbft.PrePrepare {
	p := &pbft.PrePrepare{View: v, Seq: n, Digest: b.Digest(), Body: b}
	s.sign(p)
	return p
}

func (s *story) prepared(v pbft.View, n pbft.Seq, d pbft.Digest, by ...pbft.ReplicaID) pbft.PreparedCert {
	c := pbft.PreparedCert{View: v, Seq: n, Digest: d, PrePrepare: s.sign(&pbft.PrePrepare{View: v, Seq: n, Digest: d})}
	for _, id := range by {
		c.Prepares = append(c.Prepares, pbft.Endorsement{
			Replica: id, Sig: s.sign(&pbft.Prepare{View: v, Seq: n, Digest: d, Replica: id}),
		})
	}
	return c
}

func (s *story) committed(v pbft.View, n pbft.Seq, d pbft.Digest, by ...pbft.ReplicaID) pbft.CommitCert {
	c := pbft.CommitCert{View: v, Seq: n, Digest: d}
	for _, id := range by {
		c.Commits = append(c.Commits, pbft.Endorsement{
			Replica: id, Sig: s.sign(&pbft.Commit{View: v, Seq: n, Digest: d, Replica: id}),
		})
	}
	return c
}

func (s *story) stable(n pbft.Seq, d pbft.Digest, by ...pbft.ReplicaID) pbft.StableCert {
	c := pbft.StableCert{Seq: n, Digest: d}
	for _, id := range by {
		c.Checkpoints = append(c.Checkpoints, pbft.Endorsement{
			Replica: id, Sig: s.sign(&pbft.Checkpoint{Seq: n, Digest: d, Replica: id}),
		})
	}
	return c
}

func (s *story) viewChange(v pbft.View, id pbft.ReplicaID, stable pbft.StableCert, prepared ...pbft.PreparedCert) *pbft.ViewChange {
	m := &pbft.ViewChange{View: v, Replica: id, Stable: stable, Prepared: prepared}
	for _, by := range []pbft.ReplicaID{1, 2} {
		m.Suspects = append(m.Suspects, pbft.Suspect{View: v - 1, Replica: by})
		m.Suspects[by-1].Sig = s.sign(&m.Suspects[by-1])
	}
	s.sign(m)
	return m
}

func (s *story) newView(v pbft.View, digests []pbft.Digest, changes ...*pbft.ViewChange) *pbft.NewView {
	m := &pbft.NewView{View: v}
	for _, c := range changes {
		m.ViewChanges = append(m.ViewChanges, *c)
	}
	for _, d := range digests {
		m.Proposals = append(m.Proposals, pbft.Proposal{Digest: d})
	}
	s.sign(m)
	return m
}

func (s *story) stepped(id pbft.ReplicaID, effects ...pbft.Effect) {
	s.mon.Stepped(id, pbft.Tick{}, effects)
}

// answers is what the state machine says to a batch.
func answers(n pbft.Seq, b *pbft.Body) (replies []*pbft.Reply) {
	for _, r := range b.Requests {
		replies = append(replies, &pbft.Reply{
			ID: r.ID, Request: r.Digest(), Outcome: pbft.OutcomeExecuted, Seq: n, Results: [][]byte{[]byte("done")},
		})
	}
	return replies
}

func accepted(n pbft.Seq, r *pbft.Request, voters ...pbft.ReplicaID) Acceptance {
	return Acceptance{
		ID: r.ID, Request: r.Digest(), Outcome: pbft.OutcomeExecuted, Seq: n,
		Result: pbft.DigestResults([][]byte{[]byte("done")}), Voters: voters,
	}
}

// order tells how replica 1 orders a batch in a view, step by step, and the others behind it.
func (s *story) order(v pbft.View, n pbft.Seq, b *pbft.Body) {
	for _, id := range []pbft.ReplicaID{1, 2, 3} {
		s.orderAt(id, v, n, b)
	}
	for _, r := range b.Requests {
		s.step("accepted by the client", func() { s.mon.Accepted(accepted(n, r, 1, 2)) })
	}
}

func (s *story) orderAt(id pbft.ReplicaID, v pbft.View, n pbft.Seq, b *pbft.Body) {
	d := b.Digest()
	name := func(step string) string {
		if id == 1 {
			return step
		}
		return step + ", elsewhere"
	}
	pp := s.prePrepare(v, n, b)
	prepare := &pbft.Prepare{View: v, Seq: n, Digest: d, Replica: id}
	commit := &pbft.Commit{View: v, Seq: n, Digest: d, Replica: id}
	pcert, ccert := s.prepared(v, n, d, 1, 2), s.committed(v, n, d, 0, 1, 2)
	s.step(name("accepts"), func() {
		s.stepped(id, pbft.Persist{Record: &pbft.Accepted{PrePrepare: pp}}, pbft.Broadcast{Msg: prepare})
	})
	s.step(name("accepted is durable"), func() { s.mon.Durable(id, &pbft.Accepted{PrePrepare: pp}) })
	s.step(name("prepare is durable"), func() { s.mon.Durable(id, &pbft.Sent{Msg: prepare}) })
	s.step(name("prepare leaves"), func() { s.mon.Left(id, prepare) })
	s.step(name("is prepared"), func() {
		s.stepped(id, pbft.Persist{Record: &pbft.Prepared{Cert: pcert}}, pbft.Broadcast{Msg: commit})
	})
	s.step(name("prepared is durable"), func() { s.mon.Durable(id, &pbft.Prepared{Cert: pcert}) })
	s.step(name("commit is durable"), func() { s.mon.Durable(id, &pbft.Sent{Msg: commit}) })
	s.step(name("commit leaves"), func() { s.mon.Left(id, commit) })
	s.step(name("executes"), func() {
		s.stepped(id, s.executing(n, b, ccert)...)
	})
	s.step(name("applies"), func() { s.mon.Applied(id, n, b, answers(n, b)) })
}

// want holds what the monitor noticed against a rule; "" wants nothing.
func (s *story) want(rule string) {
	s.t.Helper()
	for twisted := range s.twists {
		if !s.told[twisted] {
			s.t.Errorf("the story has no step %q", twisted)
		}
	}
	v := s.mon.Violation()
	switch {
	case rule == "" && v != nil:
		s.t.Errorf("a good history breaks %v", v)
	case rule != "" && v == nil:
		s.t.Errorf("%s is broken, and nobody noticed", rule)
	case rule != "" && v.ID != rule:
		s.t.Errorf("%s is broken, and this was noticed: %v", rule, s.mon.Violations())
	}
}

// executing is how a core hands over a batch that prepared there.
func (s *story) executing(n pbft.Seq, b *pbft.Body, cert pbft.CommitCert) []pbft.Effect {
	effects := []pbft.Effect{pbft.Execute{Seq: n, Body: b}, pbft.Note{Record: &pbft.Committed{Cert: cert}}}
	if n%s.cfg.CheckpointInterval == 0 {
		effects = append(effects, pbft.Snapshot{Seq: n})
	}
	return effects
}
