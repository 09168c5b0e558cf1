package replica

import (
	"testing"
	"time"

	"tagma/checkpoint/transfer"
	"tagma/pbft/wire"
)

// S4: of one replica a few questions wait, and one that floods takes none of the others' places.
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

// S4: a malformed question costs neither a pin nor an index, and is answered by nothing.
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

// S4: what a replica is given in a timeout is bounded, whatever it asks for, and what others are given is not the less.
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
				bytes += b.Bytes()
			}
		}
		g.sent = nil
		return bytes
	}
	const most = givenBytes/4 + slotsBytes + 2*size // it ends behind the answer that passes the bound
	if got := given(1); got < givenBytes/4 || got > most {
		t.Errorf("%d bytes at once, want %d to %d", got, givenBytes/4, most)
	}
	if out := g.ask(1, 12, nil); len(out) > 0 || given(1) > 0 {
		t.Error("it is given more")
	}
	if given(2) < givenBytes/4 {
		t.Error("another replica is given less for it")
	}
	g.now += g.cfg.ViewTimeout / 4
	if given(1) == 0 {
		t.Error("it is given nothing a quarter of a timeout later")
	}
}

// X0: batches are sent as far as the journal holds them, within a bound, with where they end.
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
