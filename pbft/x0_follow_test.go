package pbft

import (
	"testing"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// statusOf delivers a status by which another replica has executed so much.
func (l *lab) statusOf(id wire.ReplicaID, executed wire.Seq) []port.Effect {
	return l.from(id, &wire.Status{View: l.r.view, Active: true, Executed: executed, Stable: l.r.log.Low, Helper: id})
}

// asked lists the questions for batches among the effects: to which replica, and from which sequence number on.
func asked(effects []port.Effect) (to []wire.ReplicaID, from []wire.Seq) {
	for _, e := range all[port.Send](effects) {
		if m, ok := e.Msg.(*wire.FetchSlots); ok {
			to, from = append(to, e.To), append(from, m.From)
		}
	}
	return to, from
}

// serve answers a question with so many batches.
func (l *lab) serve(by wire.ReplicaID, from, next wire.Seq) []port.Effect {
	l.t.Helper()
	var all []port.Effect
	for s := from; s < next; s++ {
		b := l.batch(uint64(s), "a")
		all = append(all, l.from(by, &wire.CertifiedBody{Seq: s, Body: b, Cert: l.commitCert(0, s, b.Digest())})...)
	}
	return append(all, l.from(by, &wire.Slots{From: from, Next: next})...)
}

// lagging returns a replica that knows that the others have executed more, and its first question.
func lagging(t *testing.T) (l *lab, helper wire.ReplicaID) {
	l = newLab(t, 4, 3)
	l.statusOf(0, 40)
	l.statusOf(1, 40)
	to, from := asked(l.wait(l.cfg.ViewTimeout / 16))
	if len(to) != 1 || from[0] != 1 {
		t.Fatalf("asks %v from %v", to, from)
	}
	return l, to[0]
}

// X0: a replica that was away for three windows catches up within a few round trips. The time does not depend on any
// timeout.
func TestX0_ThreeWindowsTakeRoundTripsNotTimeouts(t *testing.T) {
	c := begin(t, 4)
	c.order(2)
	away := c.nodes[3]
	away.crash()
	last := 3 * away.cfg.LogWindow
	c.order(int(last) - 2)
	questions, answers := 0, 0
	c.filter = func(p *packet) bool {
		switch p.msg.(type) {
		case *wire.CertifiedBody: // what is pushed unasked is lost
			return questions > answers
		case *wire.FetchSlots:
			questions++
		case *wire.Slots:
			answers++
		}
		return true
	}
	away.start()
	began := c.now
	c.until(away.cfg.ViewTimeout/4, "it has executed what the others did", func() bool { return away.replica.handed >= last })
	if questions == 0 || questions > 6 || answers != questions {
		t.Errorf("%d questions, %d answers", questions, answers)
	}
	if away.transfers > 0 {
		t.Error("it needed a transfer")
	}
	t.Logf("%d batches after %d questions, %v of virtual time", last, questions, c.now-began)
}

// X0: after a useful answer, the replica at once asks the same helper for the batches that follow.
func TestX0_AUsefulAnswerIsFollowedByTheNextQuestion(t *testing.T) {
	l, helper := lagging(t)
	to, from := asked(l.serve(helper, 1, 5))
	if len(to) != 1 || to[0] != helper || from[0] != 5 {
		t.Errorf("asks %v from %v", to, from)
	}
	l.stable(8)
	to, from = asked(l.serve(helper, 5, 9))
	if len(to) != 1 || from[0] != 9 {
		t.Errorf("then it asks %v from %v", to, from)
	}
}

// X0: if a helper does not hold the batches, it says so, and the replica asks the next one at once.
func TestX0_ARefusingHelperIsPassedOverAtOnce(t *testing.T) {
	l, helper := lagging(t)
	next, from := asked(l.from(helper, &wire.Slots{From: 1, Next: 1}))
	if len(next) != 1 || next[0] == helper || from[0] != 1 {
		t.Fatalf("asks %v from %v", next, from)
	}
	third, _ := asked(l.from(next[0], &wire.Slots{From: 1, Next: 1}))
	if len(third) != 1 || third[0] == helper || third[0] == next[0] {
		t.Fatalf("asks %v", third)
	}
	if to, _ := asked(l.from(third[0], &wire.Slots{From: 1, Next: 1})); len(to) != 0 {
		t.Errorf("asks %v at once when none holds it", to)
	}
	if to, _ := asked(l.beat(l.cfg.ViewTimeout)); len(to) == 0 || len(to) > 16 {
		t.Errorf("asks %d times a timeout when none holds it", len(to))
	}
}

// X0: a helper that does not answer delays the replica by an eighth of a timeout. A helper that lies about what it sent
// delays it by no more.
func TestX0_ASilentOrLyingHelperCostsAnEighthOfATimeout(t *testing.T) {
	for name, reply := range map[string]func(l *lab, helper wire.ReplicaID){
		"silent":                        func(*lab, wire.ReplicaID) {},
		"claims to have sent":           func(l *lab, helper wire.ReplicaID) { l.from(helper, &wire.Slots{From: 1, Next: 5}) },
		"answers another question":      func(l *lab, helper wire.ReplicaID) { l.from(helper, &wire.Slots{From: 2, Next: 2}) },
		"sends what is of no use":       func(l *lab, helper wire.ReplicaID) { l.from(helper, &wire.CertifiedBody{Seq: 1, Body: wire.NullBody}) },
		"another one ends its question": func(l *lab, helper wire.ReplicaID) { l.from((helper+1)%3, &wire.Slots{From: 1, Next: 1}) },
	} {
		l, helper := lagging(t)
		asking := l.now
		reply(l, helper)
		for {
			to, _ := asked(l.wait(l.cfg.ViewTimeout / 64))
			if len(to) > 0 {
				if to[0] == helper {
					t.Errorf("%s: asked again", name)
				}
				break
			}
			if l.now-asking > l.cfg.ViewTimeout/8+l.cfg.ViewTimeout/64 {
				t.Errorf("%s: nobody else is asked after %v", name, l.now-asking)
				break
			}
		}
	}
}

// X0: if a helper answers slowly and with few batches, the replica asks another one. Otherwise such a helper could delay
// it for ever.
func TestX0_ASlowHelperIsLeft(t *testing.T) {
	l, helper := lagging(t)
	b := l.batch(1, "a")
	l.wait(l.cfg.ViewTimeout / 10)
	l.from(helper, &wire.CertifiedBody{Seq: 1, Body: b, Cert: l.commitCert(0, 1, b.Digest())})
	if to, _ := asked(l.from(helper, &wire.Slots{From: 1, Next: 2})); len(to) != 1 || to[0] == helper {
		t.Errorf("then it asks %v", to)
	}
}

// X0: batches that only wait for the executor are not asked for again.
func TestX0_WhatIsHeldIsNotAskedForAgain(t *testing.T) {
	l, helper := lagging(t)
	step := func(m wire.Message) []port.Effect { // nothing is reported as executed
		return append([]port.Effect{}, l.r.Step(port.Received{From: port.Source{Replica: helper}, Msg: wire.Own(m)})...)
	}
	window := l.cfg.LogWindow
	for s := wire.Seq(1); s <= window+4; s++ {
		b := l.batch(uint64(s), "a")
		step(&wire.CertifiedBody{Seq: s, Body: b, Cert: l.commitCert(0, s, b.Digest())})
	}
	if l.r.handed != window {
		t.Fatalf("%d batches handed to execution", l.r.handed)
	}
	_, from := asked(step(&wire.Slots{From: 1, Next: window + 5}))
	if len(from) != 1 || from[0] != window+5 {
		t.Errorf("asks from %v, want from %d on", from, window+5)
	}
}

// X0: a replica that does not lag asks for nothing. It does not count as lagging because of batches that are still being
// ordered, or because one other replica is a batch ahead for a moment.
func TestX0_WhoDoesNotLagAsksForNothing(t *testing.T) {
	l := newLab(t, 4, 3)
	l.beat(l.cfg.ViewTimeout)
	l.tempt(0, 1)
	if to, _ := asked(l.statusOf(0, 2)); len(to) != 0 {
		t.Errorf("asks %v for a batch that is on its way", to)
	}
	l.tempt(0, 2)
	if to, _ := asked(l.beat(l.cfg.ViewTimeout)); len(to) != 0 {
		t.Errorf("asks %v for nothing", to)
	}
}
