package check

import (
	"testing"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// early reports to the monitor what replica 1 does in an optimistic cluster: it prepares a batch, stops before its vote
// is durable, does not vote for a window, and then votes again (D8.14).
func (s *story) early(b *wire.Body) {
	s.cfg.Optimistic = true
	vote := &wire.Prepare{Seq: 2, Digest: b.Digest(), Replica: 1}
	s.step("marks", func() { s.mon.Durable(1, &wire.Early{}) })
	s.stepped(1, port.Persist{Record: &wire.Accepted{PrePrepare: s.prePrepare(0, 2, b)}}, port.Broadcast{Msg: vote})
	s.step("leaves", func() { s.mon.Left(1, vote) })
	s.step("stops", func() { s.mon.Restarted(1, 0) })
	s.step("is silent", func() {})
	high := s.cfg.LogWindow
	s.stepped(1, port.Note{Record: &wire.Stable{Cert: s.stable(high, wire.Digest{8}, 0, 2, 3)}})
	s.step("votes again", func() {
		s.stepped(1, port.Broadcast{Msg: &wire.Prepare{Seq: high + 1, Digest: b.Digest(), Replica: 1}})
	})
}

func TestD8_14_EveryBreakIsNoticed(t *testing.T) {
	b, other := body(request(1)), body(request(2))
	says := func(m wire.Message) func(s *story) {
		return func(s *story) { s.stepped(1, port.Broadcast{Msg: m}) }
	}
	for _, c := range []struct {
		rule, what, step string
		then             func(s *story)
	}{
		{"", "nothing", "", nil},
		{"D0", "no mark before the vote", "marks", func(*story) {}},
		{"D0", "a clean stop that was not voided", "marks", func(s *story) {
			s.mon.Durable(1, &wire.Early{})
			s.mon.Durable(1, &wire.Clean{})
		}},
		{"D0", "a vote above the durable window", "leaves", func(s *story) {
			high := &wire.Prepare{Seq: s.cfg.LogWindow + 1, Digest: b.Digest(), Replica: 1}
			s.stepped(1, port.Persist{Record: &wire.Accepted{PrePrepare: s.prePrepare(0, s.cfg.LogWindow+1, b)}}, port.Broadcast{Msg: high})
			s.mon.Left(1, high)
		}},
		{"D0", "a checkpoint that is not durable", "leaves", func(s *story) {
			mark := &wire.Checkpoint{Seq: 4, Digest: wire.Digest{4}, Replica: 1}
			s.mon.Root(1, 4, wire.Digest{4})
			s.stepped(1, port.Broadcast{Msg: mark})
			s.mon.Left(1, mark)
		}},
		{"I19", "the same vote in the silence", "is silent", says(&wire.Prepare{Seq: 2, Digest: b.Digest(), Replica: 1})},
		{"I19", "another vote in the silence", "is silent", says(&wire.Commit{Seq: 3, Digest: b.Digest(), Replica: 1})},
		{"I19", "a view change in the silence", "is silent", func(s *story) {
			s.stepped(1, port.Broadcast{Msg: s.viewChange(1, 1, wire.StableCert{})})
		}},
		{"I2", "a contradiction of the lost vote", "votes again", says(&wire.Prepare{Seq: 2, Digest: other.Digest(), Replica: 1})},
		{"", "a vote that did not leave is not said", "leaves", func(*story) {}},
	} {
		var s *story
		replaced := map[string]func(){}
		if c.then != nil {
			replaced[c.step] = func() { c.then(s) }
		}
		s = newStory(t, replaced)
		s.early(b)
		s.want(c.rule)
		if t.Failed() {
			t.Fatalf("with %s", c.what)
		}
	}
}
