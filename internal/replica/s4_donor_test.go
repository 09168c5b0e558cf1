package replica

import (
	"testing"
	"time"

	"tagma/checkpoint/transfer"
	"tagma/internal/alone"
	"tagma/pbft/budget"
	"tagma/pbft/wire"
)

// S4: only a few questions of one replica may wait. A replica that sends many does not take the places of others.
func TestS4_QuestionsOfAReplicaAreBounded(t *testing.T) {
	g := newGiving(t, 4, 1000)
	for id := range uint32(50) {
		g.ask(1, 12, query(id))
	}
	g.ask(2, 12, query(1))
	g.work()
	answers := map[wire.ReplicaID]int{}
	for _, l := range g.sent {
		answers[l.to]++
	}
	if answers[1] != maxQuestions || answers[2] != 1 {
		t.Errorf("answered %v", answers)
	}
}

// S4: for a malformed question the donor neither pins nor indexes a state, and sends no answer.
func TestS4_AMalformedQuestionCostsLittle(t *testing.T) {
	g := newGiving(t, 4, 1000)
	good := query(1)
	for _, q := range [][]byte{{0}, good[:len(good)-1], append(append([]byte(nil), good...), 0), make([]byte, transfer.MaxQuery+1)} {
		if out := g.ask(1, 12, q); len(out) > 0 || g.store.pins > 0 || g.Step(g.now) {
			t.Errorf("a question of %d bytes: %d answers, %d pins", len(q), len(out), g.store.pins)
		}
	}
	if g.Given().Refused != 4 {
		t.Errorf("%d refused", g.Given().Refused)
	}
}

// S4: what one replica gets within a view timeout is bounded, whatever it asks for, and does not reduce what others get.
func TestS4_WhatAReplicaIsGivenIsBounded(t *testing.T) {
	g := newGiving(t, 4, 10)
	const size = 1 << 20
	for seq := wire.Seq(1); seq <= 5; seq++ {
		g.rig.append(g.votes, certified(seq, size))
	}
	given := func(from wire.ReplicaID) (bytes int) {
		for range 40 {
			g.Ask(from, &wire.FetchSlots{From: 1, Most: 64}, g.now)
		}
		for _, l := range g.sent {
			if b, is := l.m.(*wire.CertifiedBody); is {
				bytes += wire.SizeHint(b)
			}
		}
		g.sent = nil
		return bytes
	}
	const most = budget.BulkBytes / 4
	if got := given(1); got < most*9/10 || got > most+size { // the last batch may exceed the bound
		t.Errorf("%d bytes at once, want %d", got, most)
	}
	if out := g.ask(1, 12, nil); len(out) > 0 || given(1) > 0 {
		t.Error("it is given more")
	}
	if given(2) < most*9/10 {
		t.Error("another replica is given less for it")
	}
	g.now += g.cfg.ViewTimeout / 4
	if got := given(1); got < most*9/10 || got > most+size {
		t.Errorf("%d bytes a quarter of a timeout later, want %d", got, most)
	}
}

// S4: the number of short answers is bounded as well, because each costs a read of the disk, an encoding and a frame.
func TestS4_ShortAnswersAreBoundedToo(t *testing.T) {
	g := newGiving(t, 4, 10)
	for seq := wire.Seq(1); seq <= 9; seq++ {
		g.rig.append(g.votes, certified(seq, 10))
	}
	given := func() (answers int) {
		for range 1000 {
			g.Ask(1, &wire.FetchSlots{From: 1, Most: 64}, g.now)
		}
		answers = len(g.sent)
		g.sent = nil
		return answers
	}
	for range 3 {
		if got := given(); got < 200 || got > budget.BulkBytes/4/answerBytes+1 {
			t.Errorf("%d answers", got)
		}
		g.now += g.cfg.ViewTimeout / 4
	}
}

// X0: a donor sends the batches that its journal holds, up to a bound, and says where they end.
func TestX0_BatchesAreSentToWhereTheyEnd(t *testing.T) {
	g := newGiving(t, 4, 10)
	for seq := wire.Seq(1); seq <= 9; seq++ {
		g.rig.append(g.votes, certified(seq, 600<<10))
	}
	for _, c := range []struct {
		from wire.Seq
		most uint32
		next wire.Seq
	}{{1, 2, 3}, {8, 64, 10}, {10, 64, 10}, {1, 64, 8}, {2, 0, 2}} {
		g.Ask(1, &wire.FetchSlots{From: c.from, Most: c.most}, g.now)
		last := g.sent[len(g.sent)-1].m.(*wire.Slots)
		if last.From != c.from || last.Next != c.next || len(g.sent)-1 != int(c.next-c.from) {
			t.Errorf("%d from %d: %d batches, then %+v, want up to %d", c.most, c.from, len(g.sent)-1, last, c.next)
		}
		for i, l := range g.sent[:len(g.sent)-1] {
			if b := l.m.(*wire.CertifiedBody); b.Cert.Seq != c.from+wire.Seq(i) {
				t.Errorf("batch %d stands at %d", b.Cert.Seq, c.from+wire.Seq(i))
			}
		}
		g.sent = nil
		g.now += time.Second
	}
	if g.Ask(0, &wire.FetchSlots{From: 1, Most: 1}, g.now); len(g.sent) > 0 {
		t.Error("it answers itself")
	}
}

// S4: a client that takes a backup gets a bounded amount at a time and the rest later. Replicas are served before it.
func TestS4_ABackupIsGivenWhatIsLeft(t *testing.T) {
	alone.Test(t)
	g := newGiving(t, 4, 100_000)
	outside := Outside(g.cfg)
	given := func() (bytes int, to []wire.ReplicaID) {
		for _, l := range g.sent {
			if d, is := l.m.(*wire.Data); is && len(d.Answer) > 0 {
				bytes, to = bytes+len(d.Answer), append(to, l.to)
			}
		}
		g.sent = nil
		return bytes, to
	}
	if !g.pins(outside, 12) {
		t.Fatal("it is not served")
	}
	for id := range uint32(3 * maxQuestions) {
		g.Ask(outside, &wire.FetchState{Seq: 12, Query: query(id)}, g.now)
	}
	if g.waiting(outside) != maxQuestions {
		t.Errorf("%d of its questions wait, at most %d may", g.waiting(outside), maxQuestions)
	}
	g.Ask(1, &wire.FetchState{Seq: 12, Query: query(1)}, g.now)
	g.work()
	if _, to := given(); len(to) != maxQuestions+1 || to[0] != 1 {
		t.Errorf("answered %v, want the replica first", to)
	}
	g.askers[outside].bulk.Spend(budget.BulkBytes / 4)
	g.Ask(outside, &wire.FetchState{Seq: 12, Query: query(99)}, g.now)
	if g.Step(g.now) || g.waiting(outside) != 1 {
		t.Error("it is given more than its share")
	}
	g.Ask(1, &wire.FetchState{Seq: 12, Query: query(2)}, g.now)
	if !g.Step(g.now) {
		t.Error("a replica waits behind it")
	}
	given()
	g.now += OutsidePause
	g.work()
	if _, to := given(); len(to) != 1 || to[0] != outside {
		t.Errorf("a pause later %v are answered, want its question that waited", to)
	}
}

// S4: after a step for a backup, nine times as long passes before the next one, and replicas may use that time.
func TestS4_ABackupTakesATenthOfTheTime(t *testing.T) {
	g := newGiving(t, 4, 10)
	outside := Outside(g.cfg)
	for id := range uint32(3) {
		g.Ask(outside, &wire.FetchState{Seq: 12, Query: query(id)}, g.now)
	}
	worked := 0
	for range 200 { // one iteration is a millisecond, and a step takes one millisecond
		if g.Step(g.now) {
			worked++
		} else if rests := g.Rests(g.now); g.waiting(outside) > 0 && (rests <= 0 || rests > 10*time.Millisecond) {
			t.Fatalf("it rests for %v", rests)
		}
		g.now += time.Millisecond
		if g.waiting(outside) == 0 {
			g.Ask(outside, &wire.FetchState{Seq: 12, Query: query(9)}, g.now)
		}
		if worked == 5 {
			g.Ask(1, &wire.FetchState{Seq: 12, Query: query(1)}, g.now)
			if !g.Step(g.now) || g.waiting(1) > 0 {
				t.Fatal("a replica waits while a backup rests")
			}
		}
	}
	if worked < 15 || worked > 30 {
		t.Errorf("%d steps in 200 ms, want 20", worked)
	}
}

// X2: the pin of a backup does not take the place of a replica's pin. The pin of the next backup replaces it.
func TestX2_ABackupHasOnePinOfItsOwn(t *testing.T) {
	g := newGiving(t, 5, 10)
	outside := Outside(g.cfg)
	g.checkpoint(16, 10)
	if !g.pins(outside, 8) || !g.pins(1, 12) || !g.pins(2, 16) || g.Given().Pins != 3 {
		t.Fatalf("%d pins, want the backup's beside two", g.Given().Pins)
	}
	if !g.pins(3, 8) {
		t.Error("a replica may not use what is held anyway")
	}
	g.checkpoint(20, 10)
	g.checkpoint(24, 10)
	g.now += g.cfg.ViewTimeout
	if g.pins(outside, 24) {
		t.Error("the backup moved on while a replica uses what it held, and had not had its turn")
	}
	g.now += pinTurn
	if !g.pins(outside, 24) || g.Given().Pins > 3 {
		t.Errorf("%d pins after it moved on", g.Given().Pins)
	}
}
