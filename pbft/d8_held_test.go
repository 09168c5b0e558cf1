package pbft

import (
	"testing"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// ask sends the lab's replica the question of another replica that starts, and returns the answer.
func (l *lab) ask(by wire.ReplicaID, above wire.Seq) *wire.HeldBy {
	l.t.Helper()
	l.wait(l.cfg.ViewTimeout / 16)
	answers := sends[*wire.HeldBy](l.from(by, &wire.Held{Nonce: 5, Above: above}))
	wantCount(l.t, answers, 1, "answers")
	if m := answers[0]; m.Nonce != 5 || m.Of != by {
		l.t.Fatalf("answers %d about replica %d", m.Nonce, m.Of)
	}
	return answers[0]
}

// D8.4: an answer shows the asker all its statements above its h, of every kind. All of them pass the checks that the
// asker makes.
func TestD8_4_AnAnswerShowsWhatTheAskerSigned(t *testing.T) {
	l := newLab(t, 4, 3)
	l.enter(1) // replica 1 is the primary
	b := l.batch(1, "a")
	l.commitAll(1, 1, b)
	next := l.batch(2, "b")
	l.propose(1, 2, next)
	l.from(2, l.prepare(1, 2, next.Digest(), 2))
	l.from(2, l.commit(1, 2, next.Digest(), 2))
	l.from(2, l.checkpoint(4, stateAfter(4), 2))
	l.from(2, l.viewChange(2, 2, wire.StableCert{}))
	primary, backup := l.ask(1, 0), l.ask(2, 0)
	for _, want := range []struct {
		of   *wire.HeldBy
		kind wire.Type
		view wire.View
		seq  wire.Seq
	}{
		{primary, wire.TypePrePrepare, 1, 2},
		{primary, wire.TypeCommit, 1, 1},
		{backup, wire.TypePrepare, 1, 2},
		{backup, wire.TypeCommit, 1, 2},
		{backup, wire.TypeCheckpoint, 0, 4},
		{backup, wire.TypeViewChange, 2, 0},
	} {
		s, ok := heldIn(want.of, want.kind)
		if !ok || s.View != want.view || s.Seq != want.seq {
			t.Errorf("the answer to replica %d shows view %d at %d as its %s, want view %d at %d", want.of.Of, s.View, s.Seq, want.kind, want.view, want.seq)
		}
	}
	for _, m := range []*wire.HeldBy{primary, backup} {
		if _, err := wire.Verify(&l.cfg, m, wireHolds); err != nil {
			t.Errorf("the answer to replica %d is refused: %v", m.Of, err)
		}
		if !m.Whole || m.Commit == nil || m.Commit.Seq != 1 || m.Prepared == nil || m.View != 2 {
			t.Errorf("the answer to replica %d proves %+v", m.Of, m)
		}
	}
	if s := l.ask(2, 1).Said; len(s) != 4 {
		t.Errorf("above 1 the backup signed %v, want a prepare, a commit, a checkpoint and a view change", s)
	}
}

// D8.4: an answer shows the NewView that the asker signed, as long as no newer NewView is known.
func TestD8_4_AnAnswerShowsTheNewViewOfItsPrimary(t *testing.T) {
	l := newLab(t, 4, 3)
	l.enter(1)
	if s, ok := heldIn(l.ask(1, 0), wire.TypeNewView); !ok || s.View != 1 {
		t.Errorf("its primary is shown %v", s)
	}
	if _, ok := heldIn(l.ask(2, 0), wire.TypeNewView); ok {
		t.Error("another replica is shown a new view as its own")
	}
}

// D8.4: an answer contains the highest certificates and the highest justified view, which prove how far the cluster has
// come.
func TestD8_4_AnAnswerProvesHowFarTheClusterHasCome(t *testing.T) {
	l := newLab(t, 4, 3)
	if m := l.ask(0, 0); m.View != 0 || m.Stable.Seq != 0 || m.Prepared != nil || m.Commit != nil {
		t.Errorf("a fresh replica proves %+v", m)
	}
	l.stable(8)
	b := l.batch(1, "a")
	l.propose(0, 12, b)
	for _, id := range []wire.ReplicaID{1, 2} {
		l.from(id, l.prepare(0, 12, b.Digest(), id))
	}
	for id := range wire.ReplicaID(3) {
		l.from(id, l.commit(0, 14, b.Digest(), id))
	}
	l.from(2, l.viewChange(4, 2, wire.StableCert{}))
	m := l.ask(0, 0)
	if m.Stable.Seq != 8 || m.Prepared.Seq != 12 || m.Commit.Seq != 14 || m.View != 4 {
		t.Errorf("it proves h = %d, %d prepared, %d committed, view %d", m.Stable.Seq, m.Prepared.Seq, m.Commit.Seq, m.View)
	}
}

// D8.4: a replica also remembers a view change that it sees only inside a NewView. And once it asks for a view itself,
// it knows that the view is justified.
func TestD8_4_WhatANewViewShowsIsWitnessed(t *testing.T) {
	l := newLab(t, 4, 3)
	l.enter(1)
	if s, ok := heldIn(l.ask(2, 0), wire.TypeViewChange); !ok || s.View != 1 {
		t.Error("a view change inside the new view is not shown to its author")
	}
	l.wait(l.cfg.ViewTimeout / 16)
	for _, id := range []wire.ReplicaID{0, 1} {
		// The loopback has not delivered its own view change yet.
		l.r.Step(port.Received{From: port.Source{Replica: id}, Msg: wire.Own(l.suspect(4, id))})
	}
	if m := sends[*wire.HeldBy](l.from(0, &wire.Held{Nonce: 5})); len(m) != 1 || m[0].View != 5 {
		t.Errorf("it answers %v, want view 5", m)
	}
}

// D8.4, S4: the question is short and the answer long. So the rate and the length of answers are bounded.
func TestD8_4_AnswersAreBounded(t *testing.T) {
	l := newLab(t, 4, 3)
	l.ask(0, 0)
	wantDrop(t, l.from(0, &wire.Held{Nonce: 6}), port.ReasonTooOften)
	wantCount(t, sends[*wire.HeldBy](l.from(1, &wire.Held{Nonce: 6})), 1, "answers to another replica")
	l.wait(l.cfg.ViewTimeout / 16)
	wantCount(t, sends[*wire.HeldBy](l.from(0, &wire.Held{Nonce: 6})), 1, "answers a while later")

	l = newLab(t, 4, 3)
	window := l.cfg.LogWindow
	for s := wire.Seq(1); s <= 2*window; s++ { // a faulty replica votes for each of these sequence numbers
		for v := wire.View(0); v < 2; v++ {
			l.from(2, l.prepare(v, s, wire.Digest{byte(v)}, 2))
			l.from(2, l.commit(v, s, wire.Digest{byte(v)}, 2))
		}
	}
	for id := range wire.ReplicaID(3) {
		l.from(id, l.checkpoint(2*window, stateAfter(2*window), id))
	}
	for s := 2*window + 1; s <= 4*window; s++ {
		l.from(2, l.prepare(1, s, wire.Digest{1}, 2))
		l.from(2, l.commit(1, s, wire.Digest{1}, 2))
	}
	m := l.ask(2, 0)
	if err := wire.Check(&l.cfg, m); err != nil {
		t.Fatal(err)
	}
	if s := m.Said; len(s) == 0 || s[len(s)-1].Seq <= 2*window {
		t.Errorf("%d statements, the oldest for %d: not the newest ones", len(s), s[len(s)-1].Seq)
	}
}

// D8.4: a replica's anchors contain what it remembers of others' statements, so a restart does not lose it.
func TestD8_4_AWitnessRemembersOverItsOwnRestarts(t *testing.T) {
	l := newLab(t, 4, 3)
	l.from(2, l.checkpoint(4, stateAfter(4), 2))
	l.from(1, l.viewChange(6, 1, wire.StableCert{}))
	l.from(2, l.viewChange(6, 2, l.stableCert(4))) // this certificate contains a checkpoint vote of the same replica
	for round := range 2 {                         // also of an anchor that was made after a restart from an anchor
		l.log = recode(t, l.r.Anchor())
		l.restart()
		for id, want := range map[wire.ReplicaID][]wire.Type{1: {wire.TypeViewChange}, 2: {wire.TypeViewChange, wire.TypeCheckpoint}} {
			for _, kind := range want {
				if s, ok := heldIn(l.ask(id, 0), kind); !ok {
					t.Errorf("after restart %d replica %d is not shown its %s: %v", round+1, id, kind, s)
				}
			}
		}
	}
}

// recode encodes and decodes records.
func recode(t *testing.T, log []wire.Record) []wire.Record {
	t.Helper()
	var read []wire.Record
	for _, r := range log {
		again, err := wire.DecodeRecord(wire.EncodeRecord(r))
		if err != nil {
			t.Fatal(err)
		}
		read = append(read, again)
	}
	return read
}

// D8.4: a replica that has just started answers others' questions from its journal, although its own question is not
// answered yet. It answers Busy to clients.
func TestD8_4_AReplicaAnswersBeforeItsOwnQuestionIsSettled(t *testing.T) {
	l := newLab(t, 4, 3)
	l.from(2, l.checkpoint(4, stateAfter(4), 2))
	l.boot(Applied{}, false, l.r.Anchor()...)
	if !l.r.Inspect().Asking {
		t.Fatal("it does not ask")
	}
	m := sends[*wire.HeldBy](l.from(2, &wire.Held{Nonce: 1}))
	wantCount(t, m, 1, "answers")
	if _, ok := heldIn(m[0], wire.TypeCheckpoint); !ok || !m[0].Whole {
		t.Errorf("the answer is %+v", m[0])
	}
	busy := all[port.Respond](l.fromClient(l.request(1, "a")))
	if len(busy) != 1 || busy[0].Reply.Outcome != wire.OutcomeBusy {
		t.Errorf("the client is answered %+v", busy)
	}
	wantDrop(t, l.from(0, l.prePrepare(0, 1, wire.NullBody)), port.ReasonAsking)
}

// D8.4: the question is sent again and again to all replicas that have not answered. Once the replica votes, it is sent
// less often.
func TestD8_4_TheQuestionIsRepeated(t *testing.T) {
	l := newLab(t, 4, 3)
	asked := func(effects []port.Effect) map[wire.ReplicaID]int {
		to := map[wire.ReplicaID]int{}
		for _, e := range all[port.Send](effects) {
			if m, ok := e.Msg.(*wire.Held); ok && m.Nonce == askNonce {
				to[e.To]++
			}
		}
		return to
	}
	if to := asked(l.boot(Applied{}, false)); len(to) != 3 || to[0] != 1 {
		t.Fatalf("asks %v", to)
	}
	if to := asked(l.wait(l.cfg.ViewTimeout / 8)); len(to) != 3 {
		t.Errorf("asks %v again", to)
	}
	l.answeredBy(0, 1)
	if to := asked(l.beat(3 * time.Second)); len(to) != 1 || to[2] < 2 || to[2] > 4 {
		t.Errorf("asks %v in three timeouts once it votes, want replica 2 alone", to)
	}
	l.answeredBy(2)
	if to := asked(l.beat(3 * time.Second)); len(to) != 0 {
		t.Errorf("asks %v when all have answered", to)
	}
}
