package check

import (
	"testing"

	"tagma/pbft"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// Controls of certificates, checkpoints, watermarks and views.

func TestI11_CertificatesAreCountedAgain(t *testing.T) {
	d := wire.Digest{7}
	for what, record := range map[string]func(s *story) wire.Record{
		"prepared, one short":     func(s *story) wire.Record { return &wire.Prepared{Cert: s.prepared(0, 1, d, 1)} },
		"prepared, one twice":     func(s *story) wire.Record { return &wire.Prepared{Cert: s.prepared(0, 1, d, 1, 1)} },
		"prepared by the primary": func(s *story) wire.Record { return &wire.Prepared{Cert: s.prepared(0, 1, d, 0, 1)} },
		"commits, one short":      func(s *story) wire.Record { return &wire.Committed{Cert: s.committed(0, 1, d, 0, 1)} },
		"commits, one twice":      func(s *story) wire.Record { return &wire.Committed{Cert: s.committed(0, 1, d, 0, 1, 1)} },
		"followed by two commits": func(s *story) wire.Record {
			return &wire.Certified{Cert: s.committed(0, 1, d, 0, 1), Body: wire.NullBody}
		},
		"stable, one short": func(s *story) wire.Record { return &wire.Stable{Cert: s.stable(4, d, 0, 1)} },
		"stable, one twice": func(s *story) wire.Record { return &wire.Stable{Cert: s.stable(4, d, 0, 1, 1)} },
	} {
		t.Run(what, func(t *testing.T) {
			s := newStory(t, nil)
			s.stepped(1, port.Note{Record: record(s)})
			s.want("I11")
		})
	}
	s := newStory(t, nil)
	s.stepped(1, port.Note{Record: &wire.Prepared{Cert: s.prepared(0, 1, d, 1, 2)}},
		port.Note{Record: &wire.Committed{Cert: s.committed(0, 1, d, 1, 2, 3)}},
		port.Note{Record: &wire.Stable{Cert: s.stable(4, d, 1, 2, 3)}})
	s.want("")
}

func TestI10_SignaturesAreVerifiedAgain(t *testing.T) {
	s := newStory(t, nil)
	cert := s.committed(0, 1, wire.Digest{7}, 0, 1, 2)
	cert.Commits[2].Sig[0] ^= 1
	s.stepped(1, port.Note{Record: &wire.Committed{Cert: cert}})
	s.want("I10")

	vote := &wire.Prepare{Seq: 1, Digest: wire.Digest{7}, Replica: 2}
	took := func(s *story, from port.Source, m wire.Message, effects ...port.Effect) {
		s.mon.Stepped(1, port.Received{From: from, Msg: wire.Own(m)}, effects)
	}
	s = newStory(t, nil)
	s.sign(vote)
	took(s, port.Source{Replica: 2}, vote)
	s.want("")
	took(s, port.Source{Replica: 3}, vote, port.Dropped{Msg: vote, Why: port.ReasonNotSender})
	s.want("")
	took(s, port.Source{Replica: 3}, vote)
	s.want("I10")

	s = newStory(t, nil)
	took(s, port.Source{Replica: 2}, &wire.Prepare{Seq: 1, Digest: wire.Digest{7}, Replica: 2})
	s.want("I10")

	s = newStory(t, nil)
	took(s, port.Source{Client: true}, &wire.Status{})
	s.want("I10")

	s = newStory(t, nil)
	took(s, port.Source{Replica: 2}, s.viewChange(1, 3, wire.StableCert{}))
	s.want("")
	foreign := s.viewChange(1, 3, wire.StableCert{})
	foreign.Suspects[0].Replica = 9
	took(s, port.Source{Replica: 2}, foreign)
	s.want("I10")
}

// checkpoint reports how replica 1 saves and announces a state.
func (s *story) checkpoint(n wire.Seq, d wire.Digest) {
	m := &wire.Checkpoint{Seq: n, Digest: d, Replica: 1}
	s.step("is saved", func() { s.mon.Root(1, n, d) })
	s.step("announces", func() { s.mon.Stepped(1, port.Snapshotted{Seq: n, Digest: d}, []port.Effect{port.Broadcast{Msg: m}}) })
	s.step("checkpoint is durable", func() { s.mon.Durable(1, &wire.Sent{Msg: m}) })
	s.step("checkpoint leaves", func() { s.mon.Left(1, m) })
	s.step("is stable", func() { s.stepped(1, port.Note{Record: &wire.Stable{Cert: s.stable(n, d, 0, 1, 2)}}) })
	s.step("stands", func() { s.mon.Standing(1, port.Position{Active: true, Stable: n}) })
	s.step("stable is durable", func() { s.mon.Durable(1, &wire.Stable{Cert: s.stable(n, d, 0, 1, 2)}) })
}

func TestMonitor_NoticesEveryBreakOfACheckpoint(t *testing.T) {
	d := wire.Digest{5}
	for _, c := range []struct {
		rule, what, step string
		then             func(s *story)
	}{
		{"", "nothing", "", nil},
		{"D5", "a state that is not saved", "is saved", nil},
		{"D0", "a checkpoint leaves before it is durable", "checkpoint is durable", nil},
		{"I5", "another state elsewhere", "announces", func(s *story) { s.mon.Root(2, 4, wire.Digest{6}) }},
		{"I5", "another state is stable", "is stable", func(s *story) {
			s.stepped(1, port.Note{Record: &wire.Stable{Cert: s.stable(4, wire.Digest{6}, 0, 2, 3)}})
		}},
		{"I5", "a replica that finds its own state wrong", "is stable", func(s *story) {
			s.stepped(1, port.Diverged{Own: d, Cert: wire.StableCert{Seq: 4, Digest: wire.Digest{6}}})
		}},
		{"I2", "two states for one checkpoint", "is stable", func(s *story) {
			s.stepped(1, port.Broadcast{Msg: &wire.Checkpoint{Seq: 4, Digest: wire.Digest{6}, Replica: 1}})
		}},
		{"I6", "a watermark without a certificate", "is stable", nil},
		{"I6", "a watermark that falls", "stable is durable", func(s *story) {
			s.mon.Standing(1, port.Position{Active: true})
		}},
		{"I6", "a watermark that a restart loses", "stable is durable", func(s *story) {
			s.mon.Durable(1, &wire.Stable{Cert: s.stable(4, d, 0, 1, 2)})
			s.mon.Restarted(1, 0)
			s.mon.Standing(1, port.Position{Active: true})
		}},
		{"", "a watermark that was not durable", "stable is durable", func(s *story) {
			s.mon.Restarted(1, 0)
			s.mon.Standing(1, port.Position{Active: true})
		}},
		{"I6", "a pre-prepare above H", "stands", func(s *story) {
			s.stepped(1, port.Persist{Record: &wire.Accepted{PrePrepare: s.prePrepare(0, 13, wire.NullBody)}})
			s.mon.Standing(1, port.Position{Active: true, Stable: 4})
		}},
		{"I8", "batches that were never handed over", "stands", func(s *story) {
			s.mon.Standing(1, port.Position{Active: true, Stable: 4, Executed: 1})
		}},
	} {
		t.Run(c.rule+" "+c.what, func(t *testing.T) {
			s := newStory(t, map[string]func(){})
			if c.step != "" {
				s.replaced[c.step] = nil
			}
			if c.then != nil {
				s.replaced[c.step] = func() { c.then(s) }
			}
			s.checkpoint(4, d)
			s.want(c.rule)
		})
	}
}

// move reports how replica 1, as its primary, starts view 1 after a batch committed in view 0.
func (s *story) move(d wire.Digest) {
	vc := s.viewChange(1, 1, wire.StableCert{}, s.prepared(0, 1, d, 1, 2))
	s.step("asks", func() { s.stepped(1, port.Broadcast{Msg: vc}) })
	s.step("view change is durable", func() { s.mon.Durable(1, &wire.Sent{Msg: vc}) })
	s.step("view change leaves", func() { s.mon.Left(1, vc) })
	nv := s.newView(1, []wire.Digest{d}, vc, s.viewChange(1, 2, wire.StableCert{}), s.viewChange(1, 3, wire.StableCert{}))
	s.step("begins", func() { s.stepped(1, port.Broadcast{Msg: nv}) })
	s.step("new view is durable", func() { s.mon.Durable(1, &wire.Sent{Msg: nv}) })
	s.step("new view leaves", func() { s.mon.Left(1, nv) })
	s.step("enters", func() { s.stepped(1, port.Entered{View: 1}) })
	prepare := &wire.Prepare{View: 1, Seq: 1, Digest: d, Replica: 2}
	s.step("is followed", func() {
		s.stepped(2, port.Persist{Record: &wire.Activated{NewView: nv}}, port.Entered{View: 1}, port.Broadcast{Msg: prepare})
	})
	s.step("followed is durable", func() { s.mon.Durable(2, &wire.Activated{NewView: nv}) })
	s.step("followers prepare", func() {
		s.mon.Durable(2, &wire.Sent{Msg: prepare})
		s.mon.Left(2, prepare)
	})
	s.step("stands", func() { s.mon.Standing(2, port.Position{View: 1, Active: true, Executed: 1}) })
}

func TestMonitor_NoticesEveryBreakOfAViewChange(t *testing.T) {
	b := body(request(1))
	d := b.Digest()
	none := wire.StableCert{}
	follow := func(nv func(s *story) *wire.NewView) func(*story) {
		return func(s *story) { s.stepped(2, port.Persist{Record: &wire.Activated{NewView: nv(s)}}) }
	}
	for _, c := range []struct {
		rule, what, step string
		then             func(s *story)
	}{
		{"", "nothing", "", nil},
		{"D0", "a view change leaves before it is durable", "view change is durable", nil},
		{"D0", "a new view leaves before it is durable", "new view is durable", nil},
		{"D1", "a prepare in a view that is not durable", "followed is durable", nil},
		{"D4", "a prepare in a view whose pre-prepare alone is durable", "followed is durable", func(s *story) {
			s.mon.Durable(2, &wire.Accepted{PrePrepare: s.prePrepare(1, 1, b)})
		}},
		{"I17", "a view change hides what prepared", "asks", func(s *story) {
			s.stepped(1, port.Broadcast{Msg: s.viewChange(1, 1, none)})
		}},
		{"I7", "a view change to a lower view", "view change leaves", func(s *story) {
			s.mon.replicas[1].now.left = 3
			s.stepped(1, port.Broadcast{Msg: s.viewChange(2, 1, none, s.prepared(0, 1, d, 1, 2))})
		}},
		{"I11", "a view change that too few suspect", "asks", func(s *story) {
			vc := s.viewChange(1, 1, none, s.prepared(0, 1, d, 1, 2))
			vc.Suspects = vc.Suspects[:1]
			s.stepped(1, port.Broadcast{Msg: vc})
		}},
		{"I2", "two view changes for one view", "view change leaves", func(s *story) {
			s.mon.replicas[1].now.left = 0
			vc := s.viewChange(1, 1, none, s.prepared(0, 1, d, 1, 3))
			s.stepped(1, port.Broadcast{Msg: vc})
		}},
		{"I7", "a view that is entered twice", "is followed", func(s *story) {
			s.stepped(1, port.Entered{View: 1})
		}},
		{"I7", "a view without a new view", "is followed", func(s *story) { s.stepped(2, port.Entered{View: 1}) }},
		{"I7", "a replica in a view that it left", "stands", func(s *story) {
			s.mon.Standing(2, port.Position{Active: true, Executed: 1})
		}},
		{"I7", "a replica that comes back to a view that it left", "stands", func(s *story) {
			s.mon.Restarted(2, 1)
			s.mon.Standing(2, port.Position{Active: true, Executed: 1})
		}},
		{"I17", "what committed is dropped", "is followed", follow(func(s *story) *wire.NewView {
			return s.newView(1, nil, s.viewChange(1, 0, none), s.viewChange(1, 2, none), s.viewChange(1, 3, none))
		})},
		{"I17", "another batch than its view changes show", "is followed", follow(func(s *story) *wire.NewView {
			shows := s.viewChange(1, 0, none, s.prepared(0, 1, d, 1, 2))
			return s.newView(1, []wire.Digest{wire.NullDigest}, shows, s.viewChange(1, 2, none), s.viewChange(1, 3, none))
		})},
		{"I11", "a new view with one view change short", "is followed", follow(func(s *story) *wire.NewView {
			return s.newView(1, []wire.Digest{d}, s.viewChange(1, 0, none, s.prepared(0, 1, d, 1, 2)), s.viewChange(1, 3, none))
		})},
		{"I11", "a new view with one view change twice", "is followed", follow(func(s *story) *wire.NewView {
			shows := s.viewChange(1, 0, none, s.prepared(0, 1, d, 1, 2))
			return s.newView(1, []wire.Digest{d}, shows, shows, s.viewChange(1, 3, none))
		})},
		{"I11", "a new view with a view change of another view", "is followed", follow(func(s *story) *wire.NewView {
			shows := s.viewChange(1, 0, none, s.prepared(0, 1, d, 1, 2))
			return s.newView(1, []wire.Digest{d}, shows, s.viewChange(2, 2, none), s.viewChange(1, 3, none))
		})},
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
			s.move(d)
			s.want(c.rule)
		})
	}
}

// I17: of two prepared certificates the one of the higher view counts, whichever view changes contain them.
func TestI17_TheHighestViewCounts(t *testing.T) {
	old, recent := wire.Digest{1}, wire.Digest{2}
	s := newStory(t, nil)
	shown := func(s *story, o wire.Digest) *wire.NewView {
		return s.newView(3, []wire.Digest{o},
			s.viewChange(3, 0, wire.StableCert{}, s.prepared(0, 1, old, 1, 2)),
			s.viewChange(3, 1, wire.StableCert{}, s.prepared(2, 1, recent, 0, 1)),
			s.viewChange(3, 2, wire.StableCert{}))
	}
	s.stepped(0, port.Persist{Record: &wire.Activated{NewView: shown(s, recent)}})
	s.want("")
	s.stepped(2, port.Persist{Record: &wire.Activated{NewView: shown(s, old)}})
	s.want("I17")
}

// I17: when the monitor learns of a commit late, it compares the commit with all NewViews that it has seen before.
func TestI17_ALateCommitIsHeldAgainstEarlierNewViews(t *testing.T) {
	s := newStory(t, nil)
	s.stepped(2, port.Persist{Record: &wire.Activated{NewView: s.newView(1, nil,
		s.viewChange(1, 0, wire.StableCert{}), s.viewChange(1, 2, wire.StableCert{}), s.viewChange(1, 3, wire.StableCert{}))}})
	s.want("")
	s.stepped(1, port.Note{Record: &wire.Committed{Cert: s.committed(1, 1, wire.NullDigest, 0, 1, 2)}})
	s.want("")
	s.stepped(1, port.Note{Record: &wire.Committed{Cert: s.committed(0, 1, wire.NullDigest, 0, 1, 2)}})
	s.want("I17")
}

func TestI14_WhatAReplicaHoldsIsBounded(t *testing.T) {
	s := newStory(t, nil)
	most := pbft.Bounds(s.cfg)
	s.mon.Holds(1, most)
	s.want("")
	for what, grow := range map[string]func(*port.Footprint){
		"slots": func(f *port.Footprint) { f.Slots++ }, "bodies": func(f *port.Footprint) { f.Bodies++ },
		"requests": func(f *port.Footprint) { f.Requests++ }, "queues": func(f *port.Footprint) { f.Queues++ },
	} {
		t.Run(what, func(t *testing.T) {
			s, f := newStory(t, nil), most
			grow(&f)
			s.mon.Holds(1, f)
			s.want("I14")
		})
	}
	most.Highest++
	s.mon.Holds(1, most)
	s.want("") // the monitor does not know the replica's watermarks yet
	s.mon.Standing(1, port.Position{Active: true})
	s.mon.Holds(1, most)
	s.want("I6")
}
