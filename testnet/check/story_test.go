package check

import (
	"testing"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// story is a correct history of four replicas, reported to a monitor step by step. A control changes one of the steps.
type story struct {
	t   *testing.T
	cfg *wire.Config
	mon *Monitor
	// by the name of a step: what is reported instead of the step; nil: the step is left out
	replaced map[string]func()
	told     map[string]bool
}

func newStory(t *testing.T, replaced map[string]func()) *story {
	t.Helper()
	cfg := configOf(4)
	s := &story{t: t, cfg: cfg, mon: NewMonitor(cfg, everybody, holds), replaced: replaced, told: map[string]bool{}}
	s.mon.VerifyEvery(1)
	return s
}

func (s *story) step(name string, usual func()) {
	s.told[name] = true
	if replacement, changed := s.replaced[name]; !changed {
		usual()
	} else if replacement != nil {
		replacement()
	}
}

// sign gives a message the signature of its sender.
func (s *story) sign(m wire.Message) wire.Signature {
	key, ok := wire.Signer(s.cfg, m)
	if !ok {
		s.t.Fatalf("%T has no signer", m)
	}
	wire.Sign(s.cfg, m, signWith(key))
	return signWith(key)(wire.Signable(s.cfg, m))
}

func body(requests ...*wire.Request) *wire.Body {
	b := &wire.Body{Time: 1, Requests: requests}
	b.Digest()
	return b
}

func (s *story) prePrepare(v wire.View, n wire.Seq, b *wire.Body) *wire.PrePrepare {
	p := &wire.PrePrepare{View: v, Seq: n, Digest: b.Digest(), Body: b}
	s.sign(p)
	return p
}

func (s *story) prepared(v wire.View, n wire.Seq, d wire.Digest, by ...wire.ReplicaID) wire.PreparedCert {
	c := wire.PreparedCert{View: v, Seq: n, Digest: d, PrePrepare: s.sign(&wire.PrePrepare{View: v, Seq: n, Digest: d})}
	for _, id := range by {
		c.Prepares = append(c.Prepares, wire.Endorsement{
			Replica: id, Sig: s.sign(&wire.Prepare{View: v, Seq: n, Digest: d, Replica: id}),
		})
	}
	return c
}

func (s *story) committed(v wire.View, n wire.Seq, d wire.Digest, by ...wire.ReplicaID) wire.CommitCert {
	c := wire.CommitCert{View: v, Seq: n, Digest: d}
	for _, id := range by {
		c.Commits = append(c.Commits, wire.Endorsement{
			Replica: id, Sig: s.sign(&wire.Commit{View: v, Seq: n, Digest: d, Replica: id}),
		})
	}
	return c
}

func (s *story) stable(n wire.Seq, d wire.Digest, by ...wire.ReplicaID) wire.StableCert {
	c := wire.StableCert{Seq: n, Digest: d}
	for _, id := range by {
		c.Checkpoints = append(c.Checkpoints, wire.Endorsement{
			Replica: id, Sig: s.sign(&wire.Checkpoint{Seq: n, Digest: d, Replica: id}),
		})
	}
	return c
}

func (s *story) viewChange(v wire.View, id wire.ReplicaID, stable wire.StableCert, prepared ...wire.PreparedCert) *wire.ViewChange {
	m := &wire.ViewChange{View: v, Replica: id, Stable: stable, Prepared: prepared}
	for _, by := range []wire.ReplicaID{1, 2} {
		m.Suspects = append(m.Suspects, wire.Suspect{View: v - 1, Replica: by})
		m.Suspects[by-1].Sig = s.sign(&m.Suspects[by-1])
	}
	s.sign(m)
	return m
}

func (s *story) newView(v wire.View, digests []wire.Digest, changes ...*wire.ViewChange) *wire.NewView {
	m := &wire.NewView{View: v}
	for _, c := range changes {
		m.ViewChanges = append(m.ViewChanges, *c)
	}
	for _, d := range digests {
		m.Proposals = append(m.Proposals, wire.Proposal{Digest: d})
	}
	s.sign(m)
	return m
}

func (s *story) stepped(id wire.ReplicaID, effects ...port.Effect) {
	s.mon.Stepped(id, port.Tick{}, effects)
}

// answers returns the state machine's replies to a batch.
func answers(n wire.Seq, b *wire.Body) (replies []*wire.Reply) {
	for _, r := range b.Requests {
		replies = append(replies, &wire.Reply{
			ID: r.ID, Request: r.Digest(), Outcome: wire.OutcomeExecuted, Seq: n, Results: [][]byte{[]byte("done")},
		})
	}
	return replies
}

func accepted(n wire.Seq, r *wire.Request, voters ...wire.ReplicaID) Acceptance {
	return Acceptance{
		ID: r.ID, Request: r.Digest(), Outcome: wire.OutcomeExecuted, Seq: n,
		Result: wire.DigestResults([][]byte{[]byte("done")}), Voters: voters,
	}
}

// order reports how replica 1, and then the others, order a batch in a view, step by step.
func (s *story) order(v wire.View, n wire.Seq, b *wire.Body) {
	for _, id := range []wire.ReplicaID{1, 2, 3} {
		s.orderAt(id, v, n, b)
	}
	for _, r := range b.Requests {
		s.step("accepted by the client", func() { s.mon.Accepted(accepted(n, r, 1, 2)) })
	}
}

func (s *story) orderAt(id wire.ReplicaID, v wire.View, n wire.Seq, b *wire.Body) {
	d := b.Digest()
	name := func(step string) string {
		if id == 1 {
			return step
		}
		return step + ", elsewhere"
	}
	pp := s.prePrepare(v, n, b)
	prepare := &wire.Prepare{View: v, Seq: n, Digest: d, Replica: id}
	commit := &wire.Commit{View: v, Seq: n, Digest: d, Replica: id}
	pcert, ccert := s.prepared(v, n, d, 1, 2), s.committed(v, n, d, 0, 1, 2)
	s.step(name("accepts"), func() {
		s.stepped(id, port.Persist{Record: &wire.Accepted{PrePrepare: pp}}, port.Broadcast{Msg: prepare})
	})
	s.step(name("accepted is durable"), func() { s.mon.Durable(id, &wire.Accepted{PrePrepare: pp}) })
	s.step(name("prepare is durable"), func() { s.mon.Durable(id, &wire.Sent{Msg: prepare}) })
	s.step(name("prepare leaves"), func() { s.mon.Left(id, prepare) })
	s.step(name("is prepared"), func() {
		s.stepped(id, port.Persist{Record: &wire.Prepared{Cert: pcert}}, port.Broadcast{Msg: commit})
	})
	s.step(name("prepared is durable"), func() { s.mon.Durable(id, &wire.Prepared{Cert: pcert}) })
	s.step(name("commit is durable"), func() { s.mon.Durable(id, &wire.Sent{Msg: commit}) })
	s.step(name("commit leaves"), func() { s.mon.Left(id, commit) })
	s.step(name("executes"), func() {
		s.stepped(id, s.executing(n, b, ccert)...)
	})
	s.step(name("applies"), func() { s.mon.Applied(id, n, b, answers(n, b)) })
}

// want fails the test unless the first violation that the monitor reports is of this rule. If the rule is "", there must
// be no violation.
func (s *story) want(rule string) {
	s.t.Helper()
	for name := range s.replaced {
		if !s.told[name] {
			s.t.Errorf("the story has no step %q", name)
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

// executing returns the effects by which a core hands a batch that prepared there to execution.
func (s *story) executing(n wire.Seq, b *wire.Body, cert wire.CommitCert) []port.Effect {
	effects := []port.Effect{port.Execute{Seq: n, Body: b}, port.Note{Record: &wire.Committed{Cert: cert}}}
	if n%s.cfg.CheckpointInterval == 0 {
		effects = append(effects, port.Snapshot{Seq: n})
	}
	return effects
}
