package check

import (
	"testing"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// Controls of states that replicas fetch from others.

// given reports how replica 1 gets the state after sequence number 8 from others and continues from it.
func (s *story) given(root wire.Digest) {
	cert := s.stable(8, root, 0, 2, 3)
	s.mon.Root(2, 8, root)
	s.step("asks", func() { s.stepped(1, port.Persist{Record: &wire.Stable{Cert: cert}}, port.Transfer{Target: cert}) })
	s.step("waits", func() { s.mon.Standing(1, port.Position{Stable: 8}) })
	s.step("resumes", func() {
		s.mon.Stepped(1, port.Transferred{Cert: cert}, []port.Effect{
			port.Persist{Record: &wire.Installed{Cert: cert}}, port.Resume{Seq: 8}, port.Offer{Cert: cert},
		})
		s.mon.Standing(1, port.Position{Stable: 8, Executed: 8})
	})
	s.step("installed is durable", func() { s.mon.Durable(1, &wire.Installed{Cert: cert}) })
	s.step("adopts", func() { s.mon.Transferred(1, 8, root) })
	next := s.committed(0, 9, wire.NullDigest, 0, 1, 2)
	s.step("executes", func() {
		certified := &wire.Certified{Cert: next, Body: wire.NullBody}
		s.stepped(1, port.Persist{Record: certified}, port.Execute{Seq: 9, Body: wire.NullBody})
		s.mon.Durable(1, certified)
		s.mon.Applied(1, 9, wire.NullBody, nil)
	})
}

func TestI13_EveryBreakOfATransferIsNoticed(t *testing.T) {
	root := wire.Digest{8}
	other := wire.Digest{9}
	for _, c := range []struct {
		rule, what, step string
		then             func(s *story)
	}{
		{"", "nothing", "", nil},
		{"I13", "nothing was asked for", "asks", func(s *story) {
			s.stepped(1, port.Persist{Record: &wire.Stable{Cert: s.stable(8, root, 0, 2, 3)}})
		}},
		{"I13", "another root than the certified one", "adopts", func(s *story) { s.mon.Transferred(1, 8, other) }},
		{"I13", "another state than the one in the journal", "adopts", func(s *story) { s.mon.Transferred(1, 12, root) }},
		{"I13", "a state that the journal does not name yet", "installed is durable", nil},
		{"I8", "a machine that goes on from where it was", "adopts", nil},
		{"I13", "the core resumes without a record", "resumes", func(s *story) { s.stepped(1, port.Resume{Seq: 8}) }},
		{"I13", "the core resumes elsewhere", "resumes", func(s *story) {
			s.stepped(1, port.Persist{Record: &wire.Installed{Cert: s.stable(8, root, 0, 2, 3)}}, port.Resume{Seq: 12})
		}},
		{"I13", "the core executes meanwhile", "waits", func(s *story) {
			s.stepped(1, s.executing(1, wire.NullBody, s.committed(0, 1, wire.NullDigest, 0, 1, 2))...)
		}},
		{"I13", "the machine executes meanwhile", "waits", func(s *story) {
			s.mon.Durable(1, &wire.Certified{Cert: s.committed(0, 1, wire.NullDigest, 0, 1, 2), Body: wire.NullBody})
			s.mon.Applied(1, 1, wire.NullBody, nil)
		}},
		{"", "the machine ends what it had before", "asks", func(s *story) {
			certified := &wire.Certified{Cert: s.committed(0, 1, wire.NullDigest, 0, 1, 2), Body: wire.NullBody}
			cert := s.stable(8, root, 0, 2, 3)
			s.stepped(1, port.Persist{Record: certified}, port.Execute{Seq: 1, Body: wire.NullBody}, port.Transfer{Target: cert})
			s.stepped(1, port.Persist{Record: &wire.Stable{Cert: cert}})
			s.mon.Durable(1, certified)
			s.mon.Applied(1, 1, wire.NullBody, nil)
			s.replaced["waits"] = nil
		}},
		{"", "a newer target", "waits", func(s *story) { s.stepped(1, port.Transfer{Target: s.stable(12, other, 0, 2, 3)}) }},
		{"", "a restart meanwhile", "waits", func(s *story) {
			s.mon.Restarted(1, 0)
			s.stepped(1, port.Persist{Record: &wire.Stable{Cert: s.stable(8, root, 0, 2, 3)}}, port.Transfer{})
		}},
		{"", "a restart before the machine resumes", "adopts", func(s *story) { s.mon.Restarted(1, 8) }},
		{"I11", "the record's certificate is one short", "resumes", func(s *story) {
			s.mon.replicas[1].now.certified = 0
			s.stepped(1, port.Persist{Record: &wire.Installed{Cert: s.stable(8, root, 0, 2)}})
		}},
		{"I5", "another state than everybody's", "resumes", func(s *story) {
			s.mon.replicas[1].now.certified = 0
			s.stepped(1, port.Persist{Record: &wire.Installed{Cert: s.stable(8, other, 0, 2, 3)}})
		}},
		{"I13", "it announces what it was given", "executes", func(s *story) {
			s.stepped(1, port.Broadcast{Msg: &wire.Checkpoint{Seq: 8, Digest: root, Replica: 1}})
		}},
		{"I13", "it announces what it was given before a restart", "executes", func(s *story) {
			s.mon.Restarted(1, 8)
			s.stepped(1, port.Broadcast{Msg: &wire.Checkpoint{Seq: 8, Digest: root, Replica: 1}})
		}},
		{"I13", "it offers what it does not have", "executes", func(s *story) {
			s.stepped(1, port.Offer{Cert: s.stable(4, other, 0, 2, 3)})
		}},
		{"I11", "it offers what nobody certified", "executes", func(s *story) {
			s.mon.Root(1, 12, other)
			s.stepped(1, port.Offer{Cert: s.stable(12, other, 0, 2)})
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
			s.given(root)
			s.want(c.rule)
		})
	}
}
