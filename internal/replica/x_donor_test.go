package replica

import (
	"slices"
	"testing"
	"time"

	"tagma/checkpoint/store"
	"tagma/checkpoint/transfer"
	"tagma/internal/alone"
	"tagma/pbft/wire"
)

// giving is a donor with a journal. It records the messages that the donor sends.
type giving struct {
	*Donor
	t     testing.TB
	store *testStore
	rig   *rig
	now   time.Duration
	sent  []letter
}

// newGiving returns the donor of replica 0 of n, which serves checkpoints 8 and 12 with this many keys.
func newGiving(t testing.TB, n, keys int) *giving {
	g := &giving{t: t, store: loaded(t, newMedium()), rig: newRig(t), now: time.Hour}
	g.rig.cfg = testConfig(n)
	votes := g.rig.mustStart().Votes
	g.Donor = NewDonor(&g.rig.cfg, g.store, votes, func(to wire.ReplicaID, m wire.Message) { g.sent = append(g.sent, letter{to, m}) })
	g.checkpoint(8, keys)
	g.checkpoint(12, keys)
	return g
}

func (g *giving) checkpoint(seq wire.Seq, keys int) {
	g.Offer(cert(seq, fill(g.t, g.store, uint64(seq), keys)))
}

// ask asks the donor a question and returns what it sent at once.
func (g *giving) ask(from wire.ReplicaID, seq wire.Seq, query []byte) []letter {
	g.Ask(from, &wire.FetchState{Seq: seq, Query: query}, g.now)
	out := g.sent
	g.sent = nil
	return out
}

// pins reports whether a replica is served a checkpoint.
func (g *giving) pins(from wire.ReplicaID, seq wire.Seq) bool {
	g.t.Helper()
	out := g.ask(from, seq, nil)
	if len(out) != 1 || out[0].to != from {
		g.t.Fatalf("%d answers", len(out))
	}
	return out[0].m.(*wire.Data).Offer == nil
}

// work makes the donor answer all waiting questions, and returns how many steps that took.
func (g *giving) work() (steps int) {
	for g.Step(g.now) {
		steps++
	}
	return steps
}

// X2: a donor serves its newest checkpoints, and only those that it has. If it is asked for none or for another one, it says
// which one it serves.
func TestX2_ADonorServesWhatItHas(t *testing.T) {
	g := newGiving(t, 4, 10)
	for _, c := range []struct{ asked, offer wire.Seq }{{0, 12}, {4, 12}, {16, 12}, {12, 0}, {8, 0}} {
		out := g.ask(1, c.asked, nil)
		data := out[0].m.(*wire.Data)
		if data.Seq != c.asked || (data.Offer == nil) != (c.offer == 0) || c.offer > 0 && data.Offer.Seq != c.offer {
			t.Errorf("asked for %d: %+v, want an offer of %d", c.asked, data, c.offer)
		}
		g.now += time.Second
	}
	for seq := wire.Seq(16); seq <= 32; seq += 4 {
		g.checkpoint(seq, 10)
	}
	if len(g.offers) != maxOffers || g.newest().Seq != 32 {
		t.Errorf("it offers %d checkpoints, %d the newest", len(g.offers), g.newest().Seq)
	}
	empty := newGiving(t, 4, 10)
	empty.offers = nil
	if out := empty.ask(1, 0, nil); out[0].m.(*wire.Data).Offer.Seq != 0 {
		t.Error("one that has nothing offers something")
	}
	if out := g.ask(0, 0, nil); len(out) > 0 {
		t.Error("it answers itself")
	}
}

// X2: a state that the store no longer has, or that differs from its certificate, is offered no longer.
func TestX2_WhatCannotBePinnedIsOfferedNoLonger(t *testing.T) {
	g := newGiving(t, 4, 10)
	g.store.lost = []uint64{12}
	if g.pins(1, 12) || g.newest().Seq != 8 {
		t.Errorf("the newest offer is %d", g.newest().Seq)
	}
	g.Offer(cert(16, wire.Digest{1}))
	fill(t, g.store, 16, 10)
	if g.pins(1, 16) || g.newest().Seq != 8 || !g.pins(1, 8) {
		t.Errorf("the newest offer is %d", g.newest().Seq)
	}
}

// X2: a pin ends ten seconds after its last use, and at the latest after a minute. Then the journal that it held can be
// deleted.
func TestX2_APinEnds(t *testing.T) {
	for _, c := range []struct {
		every, after time.Duration
	}{{time.Hour, 10 * time.Second}, {5 * time.Second, 60 * time.Second}} {
		g := newGiving(t, 4, 10)
		g.pins(1, 12)
		if g.Given().Pins != 1 || g.votes.keep.Load() != 13 {
			t.Fatalf("%d pins, the journal is kept above %d", g.Given().Pins, g.votes.keep.Load())
		}
		began := g.now
		for g.Given().Pins > 0 {
			g.now += time.Second
			if (g.now-began)%c.every == 0 {
				g.pins(1, 12)
			}
			g.Tick(g.now)
		}
		if g.now-began != c.after || g.votes.keep.Load() != 0 {
			t.Errorf("asked every %v it ends after %v, want %v; the journal is kept above %d", c.every, g.now-began, c.after,
				g.votes.keep.Load())
		}
	}
}

// X2: pins end at once if they keep too much of the journal from being deleted, and when the donor is closed.
func TestX2_PinsEndWithTheRoomForThem(t *testing.T) {
	g := newGiving(t, 4, 10)
	g.pins(1, 12)
	g.pins(2, 8)
	if g.votes.keep.Load() != 9 {
		t.Errorf("the journal is kept above %d, want above the lowest pin", g.votes.keep.Load()-1)
	}
	g.votes.bytes.Store(keptJournal)
	if g.Tick(g.now); g.Given().Pins != 2 {
		t.Error("they end before the bound")
	}
	g.votes.bytes.Store(keptJournal + 1)
	if g.Tick(g.now); g.Given().Pins != 0 || g.votes.keep.Load() != 0 {
		t.Error("a journal of 2 GiB is held back")
	}
	g.pins(1, 12)
	if g.Close(); g.Given().Pins != 0 || g.votes.keep.Load() != 0 {
		t.Error("a pin outlives its donor")
	}
}

// X2: one faulty replica cannot take all pins: it uses one at a time.
func TestX2_OneReplicaUsesOnePin(t *testing.T) {
	g := newGiving(t, 4, 10)
	g.checkpoint(16, 10)
	for range 30 {
		for _, seq := range []wire.Seq{8, 12, 16} {
			g.pins(1, seq)
			if g.now += time.Second / 8; g.Given().Pins > maxPins {
				t.Fatalf("%d pins", g.Given().Pins)
			}
			used := 0
			for _, p := range g.Donor.pins {
				if g.isUsed(p) {
					used++
				}
			}
			if used > 1 {
				t.Fatalf("one replica uses %d pins", used)
			}
		}
		if !g.pins(2, 12) {
			t.Fatal("another replica is not served")
		}
		g.askers[2] = asker{}
	}
	before := g.store.pins
	for range 50 { // which its budget still allows
		for _, seq := range []wire.Seq{8, 12, 16} {
			g.pins(1, seq)
		}
	}
	if opened := g.store.pins - before; opened > 1 {
		t.Errorf("%d states were opened for one replica in a moment", opened)
	}
}

// X2: if there is no room for a pin, the oldest one is ended once it has been held for pinTurn. So f faulty replicas
// cannot keep the others from being served.
func TestX2_PinsTakeTurns(t *testing.T) {
	g := newGiving(t, 7, 10)
	g.checkpoint(16, 10)
	served := time.Duration(0)
	for began := g.now; g.now-began < 2*time.Minute; g.now += time.Second {
		before := slices.Clone(g.Donor.pins)
		g.pins(1, 8) // two faulty replicas use their pins all the time
		g.pins(2, 12)
		if g.pins(3, 16) {
			served += time.Second
		}
		for _, p := range before {
			if !slices.Contains(g.Donor.pins, p) && g.now-p.began < pinTurn {
				t.Fatalf("a pin makes room after %v", g.now-p.began)
			}
		}
		if g.Tick(g.now); g.Given().Pins > maxPins {
			t.Fatalf("%d pins", g.Given().Pins)
		}
	}
	if served < 30*time.Second {
		t.Errorf("a correct replica was served for %v of two minutes", served)
	}
}

// X2: when a replica continues with a newer checkpoint, its pin of the former one is ended, even if all pins are in use.
func TestX2_ANewerPinReplacesTheOwnOne(t *testing.T) {
	g := newGiving(t, 4, 10)
	g.checkpoint(16, 10)
	if !g.pins(1, 8) || !g.pins(2, 12) {
		t.Fatal("there is room for two")
	}
	g.now += g.cfg.ViewTimeout
	if g.pins(3, 16) {
		t.Error("a third one takes a pin that is in use")
	}
	if !g.pins(1, 16) || g.pinned(8) != nil || g.pinned(12) == nil {
		t.Error("the own pin makes no room, or another's does")
	}
}

// X2: a state is indexed in steps, and other questions are answered between these steps. So a state that takes long to
// index does not delay other replicas.
func TestX2_QuestionsTakeTurns(t *testing.T) {
	alone.Test(t)
	g := newGiving(t, 4, 10)
	g.checkpoint(16, 3*indexedKeys)
	g.ask(1, 16, query(1))
	g.ask(2, 12, query(2))
	steps := 0
	for len(g.sent) == 0 {
		if !g.Step(g.now) {
			t.Fatal("nothing is answered")
		}
		steps++
	}
	if g.sent[0].to != 2 || steps > 4 {
		t.Errorf("replica %d is answered after %d steps, want 2 at once", g.sent[0].to, steps)
	}
	if more := g.work(); more < 3 || len(g.sent) != 2 {
		t.Errorf("%d answers after %d more steps: the index is not made in steps", len(g.sent), more)
	}
	a, err := transfer.DecodeAnswer(g.sent[1].m.(*wire.Data).Answer)
	if err != nil || a.ID != 1 || g.Given().IndexBytes == 0 {
		t.Errorf("the answer: %+v, %v", a, err)
	}
}

// X2: if a state turns out to be damaged while it is served, the donor stops serving it. It refuses questions about it
// instead of sending wrong answers.
func TestX2_ADamagedStateIsServedNoMore(t *testing.T) {
	g := newGiving(t, 4, 10)
	g.pins(1, 12)
	if err := g.store.on.Write([]store.Entry{{Key: []byte("skey 000005"), Value: []byte("rot"), Version: 12}}); err != nil {
		t.Fatal(err)
	}
	g.ask(1, 12, query(1))
	g.work()
	if len(g.sent) != 1 || g.sent[0].m.(*wire.Data).Offer == nil || g.Given().Pins > 0 {
		t.Errorf("%d answers, %d pins", len(g.sent), g.Given().Pins)
	}
}

// X2: a checkpoint that was offered to a replica is pinned for it, even if newer checkpoints become stable before its
// question arrives. Without the pin, on a busy cluster with one silent donor, every question came too late and every
// round was lost.
func TestX2_WhatIsOfferedIsHeld(t *testing.T) {
	g := newGiving(t, 4, 10)
	offered := g.ask(1, 0, nil)[0].m.(*wire.Data).Offer.Seq
	for seq := wire.Seq(16); seq < 60; seq += 4 {
		g.checkpoint(seq, 10)
		g.store.Discard(uint64(seq))
	}
	if !g.pins(1, offered) {
		t.Errorf("the checkpoint at %d was offered, and is not served", offered)
	}
	g.now += time.Second
	if next := g.ask(1, 0, nil)[0].m.(*wire.Data).Offer.Seq; next != 56 {
		t.Errorf("then %d is offered, want the newest one", next)
	}
}
