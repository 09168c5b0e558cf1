package pbft

import (
	"testing"
	"time"

	"tagma/pbft/wire"
)

// rare is a schedule that random runs hardly ever produce. There is one for each clause of the recovery rules; without
// that clause, correct replicas would execute different batches. Replica 1 is the liar and is the primary of view 1.
// Replica 2, the dark one, receives no messages. Replica 3, the victim, forgets what it signed.
type rare struct {
	*cluster
	dark, victim *node
	seen         map[wire.ReplicaID]*wire.ViewChange // the view changes for view 1, by sender
}

func newRare(t *testing.T) *rare {
	c := begin(t, 4)
	c.asks = true
	c.nodes[1].faulty = true
	s := &rare{cluster: c, dark: c.nodes[2], victim: c.nodes[3], seen: map[wire.ReplicaID]*wire.ViewChange{}}
	return s
}

// only delivers messages between these replicas, and no others. It does not deliver view changes, except those of the
// liar, but remembers them.
func (s *rare) only(ids ...wire.ReplicaID) {
	in := map[wire.ReplicaID]bool{}
	for _, id := range ids {
		in[id] = true
	}
	s.wire = nil
	s.filter = func(p *packet) bool {
		if vc, ok := p.msg.(*wire.ViewChange); ok && p.from != 1 {
			s.seen[p.from] = vc
			return false
		}
		return in[p.from] && in[p.to]
	}
}

// inject puts a message on the wire, whatever the filter says.
func (s *rare) inject(from, to wire.ReplicaID, m wire.Message) {
	s.wire = append(s.wire, packet{from: from, to: to, msg: m, frame: wire.Encode(m)})
}

// suspect makes a replica leave view 0: the liar sends a Suspect, and so does another replica, whose timer is short.
func (s *rare) suspect(to, also wire.ReplicaID) {
	for _, by := range []wire.ReplicaID{1, also} {
		s.inject(by, to, s.sign(by, &wire.Suspect{View: 0, Replica: by}))
	}
	s.settle()
}

// loseDisk deletes the victim's disk. The victim then asks the others until it knows from which view on it may vote. Its
// wish for nulls is lost.
func (s *rare) loseDisk() {
	s.t.Helper()
	s.filter = func(p *packet) bool { return wire.TypeOf(p.msg) != wire.TypeRecover }
	s.victim.wipe()
	s.victim.start()
	s.until(3*time.Second, "the victim knows where it may vote", func() bool {
		return s.victim.amnesiac == nil && !s.victim.replica.inquiry.Asking
	})
	s.tick(20 * time.Millisecond)
}

// usurp makes the liar start view 1 with the view changes that it holds. It sends the NewView only to the dark one and
// the victim, and orders another batch at the same sequence number.
func (s *rare) usurp(at wire.Seq, of ...*wire.ViewChange) {
	s.t.Helper()
	s.only(1, 2, 3)
	s.inject(1, 2, s.sign(1, &wire.Suspect{View: 0, Replica: 1}))
	s.suspect(2, 0)
	dark := s.seen[2]
	if dark == nil {
		s.t.Fatal("the dark one stays in view 0")
	}
	own := &wire.ViewChange{View: 1, Replica: 1, Suspects: dark.Suspects, Stable: dark.Stable} // it hides what it prepared
	s.sign(1, own)
	nv := &wire.NewView{View: 1, ViewChanges: []wire.ViewChange{*own, *dark}}
	for _, vc := range of {
		nv.ViewChanges = append(nv.ViewChanges, *vc)
	}
	for _, d := range wire.Choose(nv.ViewChanges) {
		nv.Proposals = append(nv.Proposals, wire.Proposal{Digest: d})
	}
	s.sign(1, nv)
	b := s.oneBatch("usurped")
	for _, to := range []wire.ReplicaID{2, 3} {
		s.inject(1, to, nv)
		s.inject(1, to, s.sign(1, &wire.PrePrepare{View: 1, Seq: at, Digest: b.Digest(), Body: b}))
		s.inject(1, to, s.sign(1, &wire.Commit{View: 1, Seq: at, Digest: b.Digest(), Replica: 1}))
	}
	s.settle()
}

// agree lets all messages pass again, and checks that all correct replicas execute the same batches.
func (s *rare) agree() {
	s.t.Helper()
	s.filter = nil
	s.until(30*time.Second, "all correct replicas agree", func() bool {
		a, b, c := s.nodes[0], s.dark, s.victim
		return c.amnesiac == nil && a.state.seq > 0 && a.state.seq == b.state.seq && b.state.seq == c.state.seq &&
			a.state.root == b.state.root && b.state.root == c.state.root
	})
}

// D8.7: the victim had sent a ViewChange for view 1 only to the liar, and has forgotten it. That ViewChange shows no
// prepared batch. If the victim voted in view 0 again, a batch could commit there with its vote. Then view 1, started
// with the old ViewChange, would drop that batch.
func TestD8_7_NeverVotingBelowVStarKeepsAForgottenViewChangeTrue(t *testing.T) {
	s := newRare(t)
	s.only(1, 3)
	s.suspect(3, 2)
	old := s.seen[3]
	if old == nil {
		t.Fatal("the victim did not ask for view 1")
	}
	s.loseDisk()
	s.order(8)
	s.filter = nil
	s.until(5*time.Second, "the victim is whole", s.victim.whole)
	s.only(0, 1, 3)
	s.order(1) // it commits in view 0 if the victim votes
	s.usurp(s.nodes[0].replica.log.High()-7, old)
	s.agree()
}

// D8.7: a batch committed with the victim's vote, and then the victim forgot that it had prepared this batch. If it sent
// a view change before R, the view change would not show the batch, and view 1 would drop it.
func TestD8_7_NoViewChangeBeforeRShowsLessThanWasForgotten(t *testing.T) {
	s := newRare(t)
	s.only(0, 1, 3)
	s.order(1)
	if s.nodes[0].state.seq != 1 {
		t.Fatal("nothing committed")
	}
	s.loseDisk()
	s.only(1, 3)
	s.suspect(3, 2)
	s.inject(1, 3, s.sign(1, &wire.ViewChange{View: 1, Replica: 1, Suspects: []wire.Suspect{
		*s.sign(1, &wire.Suspect{View: 0, Replica: 1}).(*wire.Suspect), *s.sign(2, &wire.Suspect{View: 0, Replica: 2}).(*wire.Suspect),
	}}))
	s.settle()
	// If the clause is broken, the victim did send a view change, and correct replicas will diverge.
	if vc := s.seen[3]; vc != nil {
		s.usurp(1, vc)
	}
	s.agree()
}

// votedInTheDark makes the victim vote above a stable checkpoint at 8. The dark one does not know of these votes.
func votedInTheDark(t *testing.T) *rare {
	s := newRare(t)
	s.only(0, 1, 3)
	s.order(9)
	if s.nodes[0].replica.log.Low != 8 {
		t.Fatalf("h is %d", s.nodes[0].replica.log.Low)
	}
	s.nodes[1].lie = func(to wire.ReplicaID, m wire.Message) []wire.Message {
		if held, ok := m.(*wire.HeldBy); ok && to == 3 {
			return []wire.Message{&wire.HeldBy{Nonce: held.Nonce, Of: held.Of, Whole: true}}
		}
		return []wire.Message{m}
	}
	return s
}

// D8.6: the liar hides what the victim signed, and the dark one does not know it. So without a third answer, the victim
// would vote again from 8 on, where it has voted before.
func TestD8_6_OneAnswerTooFewWouldForget(t *testing.T) {
	s := votedInTheDark(t)
	s.victim.wipe()
	s.filter = func(p *packet) bool {
		return (p.to != 2 || wire.TypeOf(p.msg) == wire.TypeHeld) && !(p.from == 0 && p.to == 3)
	}
	s.victim.start()
	s.tick(5 * time.Second)
	if s.victim.amnesiac == nil {
		t.Fatal("two answers suffice")
	}
	s.filter = nil
	s.until(3*time.Second, "the third answer is enough", func() bool { return s.victim.amnesiac == nil })
	if r := s.victim.replica.recovery.until; r < 9+s.victim.cfg.LogWindow {
		t.Errorf("R is %d", r)
	}
	s.agree()
}

// D8.6: the answer of another replica that has forgotten what it signed does not count as the third answer.
func TestD8_6_AnAmnesiacsAnswerWouldForget(t *testing.T) {
	s := votedInTheDark(t)
	s.filter = func(p *packet) bool { return p.to != 2 || wire.TypeOf(p.msg) == wire.TypeHeld }
	for _, id := range []wire.ReplicaID{0, 3} {
		s.nodes[id].wipe()
		s.nodes[id].start()
	}
	s.tick(5 * time.Second)
	if s.victim.amnesiac == nil || s.nodes[0].amnesiac == nil {
		t.Fatal("the answer of an amnesiac counts")
	}
}
