package check

import (
	"testing"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// These tests show that the monitor can fail. Each control changes one step of a correct history, and names the
// invariant that must be reported first.

func TestMonitor_AGoodHistoryPasses(t *testing.T) {
	s := newStory(t, nil)
	r := request(1)
	s.order(0, 1, body(r))
	s.order(0, 2, wire.NullBody)
	s.want("")
}

// control is a change to the history of how batch 1 is ordered in view 0.
type control struct {
	rule string
	what string
	step string
	then func(s *story, b *wire.Body) // what is reported instead of the step; nil: the step is left out
}

func TestMonitor_NoticesEveryBreakOfTheNormalCase(t *testing.T) {
	other := body(request(2))
	controls := []control{
		{"D1", "a prepare before the pre-prepare is durable", "accepted is durable", nil},
		{"D0", "a prepare leaves before it is durable", "prepare is durable", nil},
		{"D2", "a commit before its certificate is durable", "prepared is durable", nil},
		{"D0", "a commit leaves before it is durable", "commit is durable", nil},
		{"I8", "a batch is left out by the core", "executes", func(s *story, _ *wire.Body) {
			s.stepped(1, port.Execute{Seq: 2, Body: other})
		}},
		{"I8", "a batch is left out by the state machine", "applies", func(s *story, b *wire.Body) {
			s.mon.Applied(1, 2, b, answers(2, b))
		}},
		{"I11", "an execution without a certificate", "executes", func(s *story, b *wire.Body) {
			s.stepped(1, port.Execute{Seq: 1, Body: b})
		}},
		{"I1", "another batch is executed", "executes, elsewhere", func(s *story, _ *wire.Body) {
			c := s.committed(0, 1, other.Digest(), 0, 2, 3)
			s.stepped(2, port.Execute{Seq: 1, Body: other}, port.Note{Record: &wire.Committed{Cert: c}})
		}},
		{"D0", "an execution of what is not durable", "applies", func(s *story, _ *wire.Body) {
			s.mon.Applied(1, 1, other, answers(1, other))
		}},
		{"I2", "a second prepare", "prepare leaves", func(s *story, _ *wire.Body) {
			s.stepped(1, port.Broadcast{Msg: &wire.Prepare{Seq: 1, Digest: other.Digest(), Replica: 1}})
		}},
		{"I2", "a second commit", "commit leaves", func(s *story, _ *wire.Body) {
			s.stepped(1, port.Broadcast{Msg: &wire.Commit{Seq: 1, Digest: other.Digest(), Replica: 1}})
		}},
		{"I2", "a second prepare after a restart", "prepare leaves", func(s *story, _ *wire.Body) {
			s.mon.Restarted(1, 0)
			s.stepped(1, port.Broadcast{Msg: &wire.Prepare{Seq: 1, Digest: other.Digest(), Replica: 1}})
		}},
		{"I2", "a commit after a view change", "is prepared", func(s *story, b *wire.Body) {
			s.stepped(1, port.Broadcast{Msg: s.viewChange(1, 1, wire.StableCert{})})
			s.stepped(1, port.Broadcast{Msg: &wire.Commit{Seq: 1, Digest: b.Digest(), Replica: 1}})
		}},
		{"I2", "a commit after a view change that a restart remembers", "is prepared", func(s *story, b *wire.Body) {
			s.mon.Durable(1, &wire.Sent{Msg: s.viewChange(1, 1, wire.StableCert{})})
			s.mon.Restarted(1, 0)
			s.stepped(1, port.Broadcast{Msg: &wire.Commit{Seq: 1, Digest: b.Digest(), Replica: 1}})
		}},
		{"I6", "a pre-prepare at or below h", "accepts", func(s *story, b *wire.Body) {
			s.stepped(1, port.Persist{Record: &wire.Accepted{PrePrepare: s.prePrepare(0, 0, b)}})
		}},
		{"I3", "another answer elsewhere", "applies, elsewhere", func(s *story, b *wire.Body) {
			replies := answers(1, b)
			replies[0].Results = [][]byte{[]byte("not done")}
			s.mon.Applied(2, 1, b, replies)
		}},
		{"I3", "a request without an answer", "applies", func(s *story, b *wire.Body) { s.mon.Applied(1, 1, b, nil) }},
		{"I11", "a primary's prepare", "accepts", func(s *story, b *wire.Body) {
			s.stepped(0, port.Broadcast{Msg: &wire.Prepare{Seq: 1, Digest: b.Digest(), Replica: 0}})
		}},
	}
	for _, c := range controls {
		t.Run(c.rule+" "+c.what, func(t *testing.T) {
			b := body(request(1))
			s := newStory(t, map[string]func(){})
			if s.replaced[c.step] = nil; c.then != nil {
				s.replaced[c.step] = func() { c.then(s, b) }
			}
			s.order(0, 1, b)
			s.want(c.rule)
		})
	}
}

func TestI3_ARequestExecutedTwiceIsNoticed(t *testing.T) {
	s := newStory(t, nil)
	b := body(request(1))
	s.order(0, 1, b)
	s.replaced = map[string]func(){"accepted by the client": nil}
	s.order(0, 2, b)
	s.want("I3")

	s = newStory(t, map[string]func(){"accepted by the client": nil})
	again := answers(1, b) // the cached answer
	s.order(0, 1, b)
	s.replaced["applies"] = func() { s.mon.Applied(1, 2, b, again) }
	s.replaced["applies, elsewhere"] = nil
	s.order(0, 2, b)
	s.want("")
}

func TestI3_AReplyIsWhatWasExecuted(t *testing.T) {
	b := body(request(1))
	for what, c := range map[string]struct {
		rule   string
		change func(*wire.Reply)
	}{
		"as executed":     {"", func(*wire.Reply) {}},
		"its digest":      {"", func(r *wire.Reply) { r.ResultDigest, r.Results = new(wire.DigestResults(r.Results)), nil }},
		"another result":  {"I3", func(r *wire.Reply) { r.Results = nil }},
		"another place":   {"I3", func(r *wire.Reply) { r.Seq = 0 }},
		"before it is so": {"I3", func(r *wire.Reply) { r.Seq = 2 }},
	} {
		t.Run(what, func(t *testing.T) {
			s := newStory(t, nil)
			s.order(0, 1, b)
			reply := answers(1, b)[0]
			c.change(reply)
			s.mon.Replied(2, reply)
			s.want(c.rule)
		})
	}
}

func TestI16_OnlyWhatAClientSignedIsExecuted(t *testing.T) {
	forged := request(1)
	forged.Sig[0] ^= 1
	forged = &wire.Request{ID: forged.ID, Ops: forged.Ops, Sig: forged.Sig}
	s := newStory(t, map[string]func(){"accepted by the client": nil})
	s.order(0, 1, body(forged))
	s.want("I16")

	s = newStory(t, nil)
	s.cfg.Client = func(wire.PublicKey) bool { return false }
	s.order(0, 1, body(request(1)))
	s.want("I16")
}

func TestI12_AClientBelievesEnoughAndWhatWasExecuted(t *testing.T) {
	r := request(1)
	for what, a := range map[string]Acceptance{
		"too few":        accepted(1, r, 1),
		"one twice":      accepted(1, r, 1, 1),
		"no member":      accepted(1, r, 1, 9),
		"never executed": accepted(1, request(7), 1, 2),
		"another place":  accepted(2, r, 1, 2),
		"another result": {ID: r.ID, Request: r.Digest(), Outcome: wire.OutcomeExecuted, Seq: 1, Voters: []wire.ReplicaID{1, 2}},
	} {
		t.Run(what, func(t *testing.T) {
			s := newStory(t, map[string]func(){})
			s.replaced["accepted by the client"] = func() { s.mon.Accepted(a) }
			s.order(0, 1, body(r))
			s.want("I12")
		})
	}
	s := newStory(t, nil)
	s.mon.correct = func(id wire.ReplicaID) bool { return id > 2 }
	s.order(0, 1, body(r))
	s.want("I12") // more than f replicas are not correct, among them both that answered
}

func TestI9_WhatIsAcknowledgedIsHeldAndSurvives(t *testing.T) {
	r := request(1)
	s := newStory(t, nil)
	s.orderAt(1, 0, 1, body(r)) // the two other replicas do not hold the batch
	s.mon.Accepted(accepted(1, r, 1, 2))
	s.want("I9")

	s = newStory(t, nil)
	s.order(0, 1, body(r))
	s.mon.Converged(1, 2, 3)
	s.want("")
	s.mon.Restarted(3, 0) // replica 3 restarts with nothing executed, and never executes the batch again
	s.mon.Converged(1, 2, 3)
	s.want("I9")
}

func TestE1_EvidenceHoldsAndNeverAgainstACorrectReplica(t *testing.T) {
	s := newStory(t, nil)
	first := &wire.Prepare{Seq: 1, Digest: wire.Digest{1}, Replica: 3}
	second := &wire.Prepare{Seq: 1, Digest: wire.Digest{2}, Replica: 3}
	s.sign(first)
	s.sign(second)
	proof := wire.Evidence{Replica: 3, Kind: wire.Equivocation, First: first, Second: second}
	s.mon.correct = func(id wire.ReplicaID) bool { return id != 3 }
	s.stepped(1, port.Accuse{Evidence: proof})
	s.want("")
	proof.Second = first
	s.stepped(1, port.Accuse{Evidence: proof})
	s.want("E1")

	s = newStory(t, nil)
	proof.Second = second
	s.stepped(1, port.Accuse{Evidence: proof})
	s.want("E1")
}
