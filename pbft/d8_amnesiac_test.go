package pbft

import (
	"testing"
	"time"

	"tagma/pbft/amnesia"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// amnesiaLab is an Amnesiac under test. The test sends the messages of its peers.
type amnesiaLab struct {
	*lab
	a *amnesia.Amnesiac
}

func newAmnesia(t *testing.T, n int) *amnesiaLab {
	l := newLab(t, n, 3)
	return &amnesiaLab{l, amnesia.New(&l.cfg, askNonce)}
}

func (a *amnesiaLab) hears(by wire.ReplicaID, m *wire.HeldBy) []port.Effect {
	a.t.Helper()
	v, err := wire.Verify(&a.cfg, m, wireHolds)
	if err != nil {
		a.t.Fatalf("the test's own answer is refused: %v", err)
	}
	return a.a.Step(port.Received{From: port.Source{Replica: by}, Msg: v})
}

// recovery gives an amnesiac n−f answers and returns what it concludes. The first answer is given; the others say that
// they know nothing.
func (a *amnesiaLab) recovery(first *wire.HeldBy) amnesia.Recovery {
	a.t.Helper()
	a.hears(0, first)
	for _, id := range []wire.ReplicaID{1, 2} {
		a.hears(id, a.answer())
	}
	rec, ok := a.a.Recovery()
	if !ok {
		a.t.Fatal("three answers do not suffice")
	}
	return rec
}

// D8.6: recovery needs answers of n−f replicas that lost nothing. Four kinds of answers do not count: those of
// amnesiacs, answers to the question of an earlier start, answers about another replica, and repeated ones.
func TestD8_6_RecoveryNeedsAnswersOfAllButFWholeOthers(t *testing.T) {
	for n, need := range map[int]int{4: 3, 5: 4, 6: 5, 7: 5} {
		a := newAmnesia(t, n)
		others := []wire.ReplicaID{0, 1, 2, 4, 5, 6}
		for _, id := range others[:need-1] {
			a.hears(id, a.answer())
			wantDrop(t, a.hears(id, a.answer()), port.ReasonDuplicate)
		}
		last := others[need-1]
		amnesiac, stale, about := a.answer(), a.answer(), a.answer()
		amnesiac.Whole, stale.Nonce, about.Of = false, askNonce-1, 1
		a.hears(last, amnesiac)
		wantDrop(t, a.hears(last, stale), port.ReasonUnasked)
		wantDrop(t, a.hears(last, about), port.ReasonUnasked)
		if _, ok := a.a.Recovery(); ok {
			t.Errorf("n = %d: %d answers suffice", n, need-1)
		}
		if list := a.a.Answers(); !list[last].Heard || list[last].Whole || !list[0].Whole {
			t.Errorf("n = %d: the answers are %v", n, list)
		}
		a.hears(last, a.answer())
		if _, ok := a.a.Recovery(); !ok {
			t.Errorf("n = %d: %d answers do not suffice", n, need)
		}
	}
}

// D8.6: R is computed from the highest sequence number that any answer proves, plus L. V* is one above the highest view
// that any answer proves.
func TestD8_6_RAndVComeFromEveryKindOfProof(t *testing.T) {
	for _, c := range []struct {
		name  string
		until wire.Seq
		since wire.View
		shows func(a *amnesiaLab, m *wire.HeldBy)
	}{
		{"nothing", 0, 1, func(*amnesiaLab, *wire.HeldBy) {}},
		{"a stable checkpoint", 12, 1, func(a *amnesiaLab, m *wire.HeldBy) { m.Stable = a.stableCert(12) }},
		{"a prepared certificate", 14, 4, func(a *amnesiaLab, m *wire.HeldBy) { m.Prepared = new(a.preparedCert(3, 14, wire.NullBody)) }},
		{"a commit certificate", 15, 3, func(a *amnesiaLab, m *wire.HeldBy) { m.Commit = a.commitCert(2, 15, wire.Digest{1}) }},
		{"a justified view", 0, 6, func(a *amnesiaLab, m *wire.HeldBy) {
			m.View, m.Suspects = 5, a.viewChange(5, 0, wire.StableCert{}).Suspects
		}},
		{"a vote of its own", 9, 3, func(a *amnesiaLab, m *wire.HeldBy) { m.Said = a.answer(a.prepare(2, 9, wire.Digest{1}, 3)).Said }},
		{"a checkpoint of its own", 16, 1, func(a *amnesiaLab, m *wire.HeldBy) { m.Said = a.answer(a.checkpoint(16, wire.Digest{1}, 3)).Said }},
		{"a view change of its own", 0, 4, func(a *amnesiaLab, m *wire.HeldBy) { m.Said = a.answer(a.viewChange(4, 3, wire.StableCert{})).Said }},
		{"a new view of its own", 0, 4, func(a *amnesiaLab, m *wire.HeldBy) { m.Said = a.answer(a.newViewOf(3)).Said }},
	} {
		a := newAmnesia(t, 4)
		m := a.answer()
		c.shows(a, m)
		rec := a.recovery(m)
		if rec.Until != c.until+a.cfg.LogWindow || rec.View != c.since {
			t.Errorf("%s: R = %d and V* = %d, want %d and %d", c.name, rec.Until, rec.View, c.until+a.cfg.LogWindow, c.since)
		}
	}
}

// D8.6: whatever messages arrive, an amnesiac writes nothing and does not vote. It asks until it has enough answers, and
// tells others that it has lost its memory.
func TestD8_6_AnAmnesiacOnlyAsks(t *testing.T) {
	a := newAmnesia(t, 4)
	asked := 0
	for range 8 {
		a.now += a.cfg.ViewTimeout / 4
		for _, e := range a.a.Step(port.Tick{Mono: a.now}) {
			if m, ok := e.(port.Send); !ok || m.Msg.(*wire.Held).Nonce != askNonce || m.Msg.(*wire.Held).Above != 0 {
				t.Fatalf("a tick brings %v", e)
			}
			asked++
		}
		a.hears(0, a.answer())
	}
	if want := 3 + 7*2; asked != want {
		t.Errorf("asks %d times, want %d: those who answered are left alone", asked, want)
	}
	for _, m := range []wire.Message{
		a.prePrepare(0, 1, wire.NullBody), a.viewChange(1, 0, wire.StableCert{}), &wire.StableNotice{Cert: a.stableCert(8)}, a.suspect(0, 0),
	} {
		wantDrop(t, a.a.Step(port.Received{From: port.Source{Replica: 0}, Msg: wire.Own(m)}), port.ReasonAsking)
	}
	answer := sends[*wire.HeldBy](a.a.Step(port.Received{From: port.Source{Replica: 1}, Msg: wire.Own(&wire.Held{Nonce: 4})}))
	if len(answer) != 1 || answer[0].Whole || answer[0].Nonce != 4 || answer[0].Of != 1 {
		t.Errorf("it answers %v", answer)
	}
	busy := all[port.Respond](a.a.Step(port.Received{From: port.Source{Client: true}, Msg: wire.Own(a.request(1, "a"))}))
	if len(busy) != 1 || busy[0].Reply.Outcome != wire.OutcomeBusy {
		t.Errorf("a client is answered %v", busy)
	}
}

// D8.6: R, V* and the statements with which a new life begins are in its journal and its anchors. When others ask this
// life later, it names the highest justified view.
func TestD8_6_ANewLifeKeepsAndShowsWhatItWasTold(t *testing.T) {
	a := newAmnesia(t, 4)
	m := a.answer()
	m.Stable, m.View, m.Suspects = a.stableCert(8), 5, a.viewChange(5, 0, wire.StableCert{}).Suspects
	higher := a.answer() // a faulty replica claims a higher view, without a proof that it is justified
	higher.Prepared = new(a.preparedCert(7, 12, wire.NullBody))
	a.hears(0, m)
	a.hears(1, higher)
	a.hears(2, a.answer())
	rec, _ := a.a.Recovery()
	life := wire.Life{9}
	log := recode(t, rec.Records(&a.cfg, life))
	if head, ok := log[0].(*wire.Head); !ok || head.Life != life {
		t.Fatalf("it begins with %v", log[0])
	}
	for round := range 3 {
		r, err := Boot(&a.cfg, log, Applied{}, Start{Life: life})
		if err != nil {
			t.Fatal(err)
		}
		if in := r.Inspect(); in.Until != 12+a.cfg.LogWindow || in.Since != 8 || in.View != 7 || in.Stable != 8 || !in.Silent {
			t.Errorf("after restart %d it is silent (%v) up to %d, votes from view %d on, is in view %d at h = %d",
				round, in.Silent, in.Until, in.Since, in.View, in.Stable)
		}
		a.r = r
		if answer := a.ask(0, 0); answer.Whole || answer.View < 5 || answer.Stable.Seq != 8 {
			t.Errorf("after restart %d it answers view %d, h = %d, whole %v", round, answer.View, answer.Stable.Seq, answer.Whole)
		}
		log = recode(t, r.Anchor())
	}
}

// D8.6: if fewer than n−f replicas have lost nothing, asking cannot bring a replica back (D8.12).
func TestD8_6_TwoWipedOfFourStayOut(t *testing.T) {
	c := newCluster(t, 4)
	c.asks = true
	c.tick(20 * time.Millisecond)
	c.order(9)
	for _, n := range c.nodes[2:] {
		n.wipe()
		n.start()
	}
	c.tick(5 * time.Second)
	for _, n := range c.nodes[2:] {
		if n.amnesiac == nil {
			t.Errorf("replica %d takes the word of two", n.id)
		}
		list := n.amnesiac.Answers()
		if !list[0].Whole || !list[1].Whole || !list[5-n.id].Heard || list[5-n.id].Whole {
			t.Errorf("replica %d heard %v", n.id, list)
		}
	}
}
