package check

import (
	"testing"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// Controls of replicas that have forgotten what they signed.

func life(n byte) wire.Life { return wire.Life{n} }

// relive reports to the monitor what replica 1 does: it orders a batch in view 0 and asks for view 1. Then it loses its
// disk, does not vote up to sequence number 9, and votes again.
func (s *story) relive(d wire.Digest) {
	first := s.viewChange(1, 1, wire.StableCert{}, s.prepared(0, 1, d, 1, 2))
	s.stepped(1, port.Broadcast{Msg: first})
	s.mon.Durable(1, &wire.Sent{Msg: first})
	s.step("forgets", func() { s.mon.Forgot(1) })
	s.step("starts", func() { s.mon.Restarted(1, 0) })
	s.step("recovers", func() { s.recover(2, 9, 1) })
	s.step("follows", func() {
		s.stepped(1, port.Note{Record: &wire.Stable{Cert: s.stable(8, wire.Digest{8}, 0, 2, 3)}})
		s.mon.Standing(1, port.Position{Stable: 8})
	})
	s.step("is recovered", func() {
		s.stepped(1, port.Note{Record: &wire.Stable{Cert: s.stable(12, wire.Digest{12}, 0, 2, 3)}})
	})
	again := s.viewChange(1, 1, s.stable(12, wire.Digest{12}, 0, 2, 3))
	s.step("asks again", func() { s.stepped(1, port.Broadcast{Msg: again}) })
	s.step("asked again is durable", func() { s.mon.Durable(1, &wire.Sent{Msg: again}) })
	s.step("votes again", func() {
		s.stepped(1, port.Broadcast{Msg: &wire.Prepare{View: 2, Seq: 13, Digest: d, Replica: 1}})
	})
}

// recover reports the first records of a new life's journal.
func (s *story) recover(of byte, until wire.Seq, view wire.View) {
	s.mon.Durable(1, &wire.Head{Life: life(of), View: view - 1})
	s.mon.Durable(1, &wire.Recovering{Life: life(of), Until: until, View: view})
}

func TestI19_EveryBreakOfSilenceIsNoticed(t *testing.T) {
	b := body(request(1))
	d, none := b.Digest(), wire.StableCert{}
	says := func(m wire.Message) func(s *story) {
		return func(s *story) { s.stepped(1, port.Broadcast{Msg: m}) }
	}
	recovers := func(of byte, until wire.Seq, view wire.View) func(s *story) {
		return func(s *story) { s.recover(of, until, view) }
	}
	for _, c := range []struct {
		rule, what, step string
		then             func(s *story)
	}{
		{"", "nothing", "", nil},
		{"I19", "a prepare before the recovery is known", "recovers", says(&wire.Prepare{View: 1, Seq: 2, Digest: d, Replica: 1})},
		{"I19", "a record before the recovery is known", "recovers", func(s *story) {
			s.mon.Durable(1, &wire.Fetched{Seq: 2, Body: b})
		}},
		{"", "a status before the recovery is known", "starts", func(s *story) {
			s.mon.Restarted(1, 0)
			s.stepped(1, port.Broadcast{Msg: &wire.Suspect{Replica: 1}}, port.Send{Msg: &wire.Held{}})
		}},
		{"I19", "a pre-prepare in silence", "follows", func(s *story) {
			s.stepped(1, port.Broadcast{Msg: s.prePrepare(1, 9, b)})
		}},
		{"I19", "a prepare in silence", "follows", says(&wire.Prepare{View: 2, Seq: 2, Digest: d, Replica: 1})},
		{"I19", "a commit in silence", "follows", says(&wire.Commit{View: 1, Seq: 2, Digest: d, Replica: 1})},
		{"I19", "a commit one checkpoint too early", "is recovered", says(&wire.Commit{View: 1, Seq: 9, Digest: d, Replica: 1})},
		{"I19", "a view change in silence", "follows", func(s *story) {
			s.stepped(1, port.Broadcast{Msg: s.viewChange(2, 1, none)})
		}},
		{"I19", "a new view in silence", "follows", func(s *story) {
			changes := []*wire.ViewChange{s.viewChange(1, 0, none), s.viewChange(1, 2, none), s.viewChange(1, 3, none)}
			s.stepped(1, port.Broadcast{Msg: s.newView(1, nil, changes...)})
		}},
		{"", "a checkpoint in silence", "follows", says(&wire.Checkpoint{Seq: 8, Digest: wire.Digest{8}, Replica: 1})},
		{"I19", "a vote in a view in which it may have voted", "votes again", says(&wire.Prepare{Seq: 13, Digest: d, Replica: 1})},
		{"I19", "such a vote after another start", "votes again", func(s *story) {
			s.mon.Restarted(1, 12)
			s.stepped(1, port.Broadcast{Msg: &wire.Commit{Seq: 13, Digest: d, Replica: 1}})
		}},
		{"I19", "silence that another start forgets", "is recovered", func(s *story) {
			s.mon.Restarted(1, 8)
			s.stepped(1, port.Broadcast{Msg: &wire.Commit{View: 1, Seq: 9, Digest: d, Replica: 1}})
		}},
		{"I19", "a recovery below what it signed", "recovers", recovers(2, 0, 1)},
		{"I19", "a recovery in a view in which it voted", "recovers", recovers(2, 9, 0)},
		{"I19", "a recovery that changes", "follows", recovers(2, 10, 1)},
		{"", "a recovery that an anchor repeats", "follows", recovers(2, 9, 1)},
		{"", "another loss", "votes again", func(s *story) {
			s.mon.Forgot(1)
			s.mon.Restarted(1, 0)
			s.recover(3, 21, 2)
		}},
		{"", "another loss before the recovery is known", "recovers", func(s *story) {
			s.mon.Forgot(1)
			s.recover(2, 9, 1)
		}},
		{"", "another loss before anything was signed, and a lower end of silence", "follows", func(s *story) {
			s.mon.Forgot(1)
			s.recover(3, 8, 1)
		}},
		{"I19", "another loss, and a view for which it has asked since", "votes again", func(s *story) {
			s.stepped(1, port.Broadcast{Msg: s.viewChange(5, 1, s.stable(12, wire.Digest{12}, 0, 2, 3))})
			s.mon.Durable(1, &wire.Sent{Msg: s.viewChange(5, 1, s.stable(12, wire.Digest{12}, 0, 2, 3))})
			s.mon.Forgot(1)
			s.recover(3, 21, 4)
		}},
		{"I19", "it goes on with the life that it lost", "votes again", func(s *story) {
			s.mon.Forgot(1)
			s.recover(2, 9, 1)
		}},
		{"", "its disk comes back", "votes again", func(s *story) {
			s.mon.Forgot(1)
			s.mon.Remembers(1)
			s.recover(2, 9, 1)
			s.mon.Durable(1, &wire.Stable{Cert: s.stable(12, wire.Digest{12}, 0, 2, 3)})
			s.stepped(1, port.Broadcast{Msg: &wire.Prepare{View: 2, Seq: 13, Digest: d, Replica: 1}})
		}},
		{"I19", "a vote after others proved a loss", "votes again", func(s *story) {
			s.stepped(1, port.Forgot{Witness: 2}, port.Broadcast{Msg: &wire.Prepare{View: 2, Seq: 13, Digest: d, Replica: 1}})
		}},
		{"I2", "another view change that shows too little more", "asks again", func(s *story) {
			s.mon.replicas[1].silence = nil // without this, a violation of I19 would be reported first
			s.stepped(1, port.Broadcast{Msg: s.viewChange(1, 1, s.stable(4, wire.Digest{4}, 0, 2, 3))})
		}},
		{"I2", "a third view change that contradicts the first life's", "votes again", func(s *story) {
			s.mon.Forgot(1)
			s.mon.replicas[1].amnesiac = false
			s.stepped(1, port.Broadcast{Msg: s.viewChange(1, 1, s.stable(4, wire.Digest{4}, 0, 2, 3))})
		}},
		{"I2", "another vote than in its earlier life", "votes again", func(s *story) {
			s.mon.replicas[1].silence = nil
			s.mon.replicas[1].now.left = 0
			s.stepped(1, port.Broadcast{Msg: &wire.Commit{Seq: 1, Digest: wire.Digest{9}, Replica: 1}})
		}},
		{"D0", "a view change that only an earlier life made durable", "asked again is durable", func(s *story) {
			s.mon.Left(1, s.viewChange(1, 1, s.stable(12, wire.Digest{12}, 0, 2, 3)))
		}},
		{"I2", "the loss is not known, and a vote contradicts", "forgets", func(s *story) {
			s.mon.Forgot(1)
			s.mon.Remembers(1)
			s.stepped(1, port.Broadcast{Msg: &wire.Prepare{Seq: 1, Digest: wire.Digest{9}, Replica: 1}})
		}},
		{"I7", "views begin anew only with a loss", "forgets", nil},
	} {
		t.Run(c.rule+" "+c.what, func(t *testing.T) {
			s := newStory(t, map[string]func(){})
			s.order(0, 1, b)
			if c.step != "" {
				s.replaced[c.step] = nil
			}
			if c.then != nil {
				s.replaced[c.step] = func() { c.then(s) }
			}
			s.relive(d)
			s.want(c.rule)
			if s.mon.facts[i19].checked == 0 {
				t.Error("I19 was never checked")
			}
		})
	}
}

// D0: other replicas may send back pre-prepares that a replica signed in an earlier life. The replica may pass them on.
func TestD0_APrePrepareOfAnEarlierLifeIsPassedOn(t *testing.T) {
	s := newStory(t, nil)
	ours, other := s.prePrepare(1, 3, wire.NullBody), s.prePrepare(1, 3, body(request(1)))
	s.mon.Durable(1, &wire.Sent{Msg: ours})
	s.mon.Forgot(1)
	s.recover(2, 11, 2)
	s.mon.Left(1, ours)
	s.want("")
	s.mon.Left(1, other)
	s.want("D0")
}

// I2: others may send back a NewView that a replica made in an earlier life, and the replica may pass it on. In its new
// life it must not make another one for that view.
func TestI2_ANewViewIsOneInAllLives(t *testing.T) {
	none := wire.StableCert{}
	s := newStory(t, nil)
	changes := []*wire.ViewChange{s.viewChange(1, 0, none), s.viewChange(1, 2, none), s.viewChange(1, 3, none)}
	made := s.newView(1, nil, changes...)
	s.stepped(1, port.Broadcast{Msg: made})
	s.mon.Durable(1, &wire.Sent{Msg: made})
	s.mon.Forgot(1)
	s.recover(2, 8, 2)
	s.mon.Left(1, made)
	s.want("")
	s.mon.replicas[1].silence = nil
	s.stepped(1, port.Broadcast{Msg: s.newView(1, nil, changes[1], changes[2], s.viewChange(1, 1, none))})
	s.want("I2")
}

// I9: an acknowledged batch may be missing at a replica that lost its disk. It may not be missing at a replica that
// never held it.
func TestI9_ALostDiskMayHaveHeldWhatWasAcknowledged(t *testing.T) {
	r := request(1)
	for rule, forgets := range map[string][]wire.ReplicaID{"": {3}, "I9": nil} {
		s := newStory(t, nil)
		s.mon.correct = func(id wire.ReplicaID) bool { return id != 0 }
		s.orderAt(1, 0, 1, body(r))
		s.orderAt(2, 0, 1, body(r))
		for _, id := range forgets {
			s.mon.Forgot(id)
		}
		s.mon.correct = func(wire.ReplicaID) bool { return true }
		s.mon.Accepted(accepted(1, r, 1, 2))
		s.want(rule)
	}
}
