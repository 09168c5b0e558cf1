package pbft

import (
	"testing"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// inView0 is the journal of replica 3 in view 0, when a run begins.
func (l *lab) inView0() []wire.Record {
	return []wire.Record{&wire.Head{Cluster: l.cfg.Cluster, Self: l.cfg.Self, Active: true}}
}

// D8.5: if another replica shows one statement that the journal lacks, of any kind, the replica has forgotten something.
// The core then does nothing more.
func TestD8_5_AForgottenStatementOfEveryKindIsFound(t *testing.T) {
	for _, c := range []struct {
		name string
		self wire.ReplicaID
		said func(l *lab) wire.Message
	}{
		{"pre-prepare", 0, func(l *lab) wire.Message { return l.prePrepare(0, 3, l.batch(1, "a")) }},
		{"prepare", 3, func(l *lab) wire.Message { return l.prepare(0, 3, wire.Digest{1}, 3) }},
		{"commit", 3, func(l *lab) wire.Message { return l.commit(0, 3, wire.Digest{1}, 3) }},
		{"prepare of a later view", 3, func(l *lab) wire.Message { return l.prepare(2, 3, wire.Digest{1}, 3) }},
		{"checkpoint", 3, func(l *lab) wire.Message { return l.checkpoint(4, stateAfter(4), 3) }},
		{"view change", 3, func(l *lab) wire.Message { return l.viewChange(1, 3, wire.StableCert{}) }},
		{"new view", 1, func(l *lab) wire.Message { return l.newViewOf(1) }},
	} {
		l := newLab(t, 4, c.self)
		l.boot(Applied{}, false, l.inView0()...)
		witness := wire.ReplicaID(2)
		effects := l.from(witness, l.answer(c.said(l)))
		found := all[port.Forgot](effects)
		if len(found) != 1 || len(effects) != 1 || found[0].Witness != witness || found[0].Said.Type != wire.TypeOf(c.said(l)) {
			t.Errorf("%s: %v follows", c.name, effects)
			continue
		}
		l.answeredBy(0, 1)
		if after := l.wait(10 * time.Second); len(after) != 0 {
			t.Errorf("%s: %v follows the proof", c.name, after)
		}
	}
}

// D8.5: statements that the journal holds prove nothing, of whatever kind they are. Neither do statements of a view that
// the replica has left, or below h.
func TestD8_5_WhatTheJournalHoldsProvesNothing(t *testing.T) {
	l := newLab(t, 4, 3)
	l.enter(1)
	b := l.batch(1, "a")
	l.commitAll(1, 1, b)
	l.from(1, l.prePrepare(1, 2, l.batch(2, "b")))
	for s := wire.Seq(2); s <= 4; s++ {
		l.commitAll(1, s, l.batch(uint64(s), "b"))
	}
	l.suspected(2)
	for _, log := range [][]wire.Record{l.log, recode(t, l.r.Anchor())} {
		l.boot(Applied{}, false, log...)
		l.from(0, l.answer(
			l.prepare(0, 5, wire.Digest{9}, 3), l.commit(1, 1, wire.Digest{9}, 3), // of views that were left
			l.checkpoint(4, stateAfter(4), 3), l.viewChange(2, 3, wire.StableCert{}), l.viewChange(1, 3, wire.StableCert{}),
		))
		if l.answeredBy(1); l.r.Inspect().Asking || l.r.inquiry.Forgot {
			t.Fatalf("asking %v, forgot %v", l.r.Inspect().Asking, l.r.inquiry.Forgot)
		}
	}
	l = newLab(t, 4, 3)
	l.boot(Applied{Seq: 8}, false, &wire.Head{Cluster: l.cfg.Cluster, Self: 3, Active: true}, &wire.Stable{Cert: l.stableCert(8)})
	l.from(0, l.answer(l.prepare(0, 8, wire.Digest{9}, 3), l.checkpoint(8, wire.Digest{9}, 3)))
	if l.r.inquiry.Forgot {
		t.Error("a statement at or below h counts as forgotten")
	}
}

// D8.5: anchors also contain a primary's pre-prepares in O, votes for O, and votes above h after a transfer. So such
// statements prove nothing when others show them.
func TestD8_5_WhatAnAnchorHoldsOfOAndOfATransferProvesNothing(t *testing.T) {
	l := newLab(t, 4, 1)
	b := l.batch(1, "a")
	l.propose(0, 1, b)
	var vcs []*wire.ViewChange
	for id := range wire.ReplicaID(3) {
		vcs = append(vcs, l.viewChange(1, id, wire.StableCert{}, l.preparedCert(0, 1, b), l.preparedCert(0, 2, wire.NullBody)))
	}
	nv := l.newViewFrom(1, vcs...)
	l.from(0, nv) // its own NewView, which it had sent before its link was opened again
	l.log = recode(t, l.r.Anchor())
	l.boot(Applied{}, false, l.log...)
	l.from(0, l.answer(nv, l.prePrepare(1, 1, b), l.prePrepare(1, 2, wire.NullBody)))
	if l.r.inquiry.Forgot {
		t.Error("a primary's O counts as forgotten")
	}

	l = newLab(t, 4, 3)
	l.stable(40)
	l.wait(10 * time.Millisecond)
	next := l.batch(41, "voted for in transfer")
	l.propose(0, 41, next)
	l.from(1, l.prepare(0, 41, next.Digest(), 1))
	l.from(2, l.prepare(0, 41, next.Digest(), 2))
	l.step(port.Transferred{Cert: l.stableCert(40)})
	for _, log := range [][]wire.Record{l.log, recode(t, l.r.Anchor())} {
		l.boot(Applied{Seq: 40}, false, log...)
		l.from(0, l.answer(l.prepare(0, 41, next.Digest(), 3), l.commit(0, 41, next.Digest(), 3)))
		if l.r.inquiry.Forgot {
			t.Error("votes given in transfer count as forgotten")
		}
	}
}

// D8.5: a replica may see its own vote in an answer before the loopback delivers the vote. It does not take that for a
// forgotten vote.
func TestD8_5_AVoteOnItsWayBackIsNotForgotten(t *testing.T) {
	l := newLab(t, 4, 0)
	l.boot(Applied{}, false, l.inView0()...)
	l.answeredBy(1, 2)
	l.wait(10 * time.Millisecond)
	v, _ := wire.Verify(&l.cfg, l.request(1, "a"), wireHolds)
	// The loopback has not delivered its vote yet.
	effects := l.r.Step(port.Received{From: port.Source{Client: true}, Msg: v})
	pp := broadcasts[*wire.PrePrepare](effects)
	wantCount(t, pp, 1, "pre-prepares")
	l.from(3, l.answer(l.prePrepare(0, 1, pp[0].Body)))

	if l.r.inquiry.Forgot {
		t.Error("a pre-prepare that was only just sent counts as forgotten")
	}
	l = newLab(t, 4, 3)
	l.boot(Applied{}, false, l.inView0()...)
	l.answeredBy(1, 2)
	l.wait(10 * time.Millisecond)
	b := l.batch(1, "a")
	take := func(by wire.ReplicaID, m wire.Message) {
		l.r.Step(port.Received{From: port.Source{Replica: by}, Msg: wire.Own(m)})
	}
	take(0, l.prePrepare(0, 1, b))
	take(1, l.prepare(0, 1, b.Digest(), 1))
	take(2, l.prepare(0, 1, b.Digest(), 2))
	l.from(0, l.answer(l.prepare(0, 1, b.Digest(), 3), l.commit(0, 1, b.Digest(), 3)))
	if l.r.inquiry.Forgot {
		t.Error("votes that were only just sent count as forgotten")
	}
}

// D8.5: at an ordinary start, a replica votes after n−f−1 answers of replicas that remember everything, and not before.
// Answers of other replicas, answers to another question and repeated answers do not count.
func TestD8_5_AStartWaitsForEnoughAnswers(t *testing.T) {
	for n, need := range map[int]int{4: 2, 5: 3, 6: 4, 7: 4} {
		l := newLab(t, n, 3)
		l.boot(Applied{}, false, l.inView0()...)
		others := []wire.ReplicaID{0, 1, 2, 4, 5, 6}
		wantCount(t, votes(l.from(0, l.prePrepare(0, 1, wire.NullBody))), 0, "votes before the first answer")
		partial := l.answer()
		partial.Whole = false
		l.from(0, partial)
		stale, about := l.answer(), l.answer()
		stale.Nonce, about.Of = askNonce+1, 1
		wantDrop(t, l.from(0, stale), port.ReasonUnasked)
		wantDrop(t, l.from(0, about), port.ReasonUnasked)
		for i, id := range others[:need] {
			if !l.r.Inspect().Asking {
				t.Fatalf("n = %d: votes after %d answers, want %d", n, i, need)
			}
			l.answeredBy(id)
			wantDrop(t, l.from(id, l.answer()), port.ReasonDuplicate)
		}
		if l.r.Inspect().Asking {
			t.Errorf("n = %d: asks on after %d answers", n, need)
		}
		l.wait(10 * time.Millisecond)
		wantCount(t, broadcasts[*wire.Prepare](l.from(0, l.prePrepare(0, 1, wire.NullBody))), 1, "prepares")
	}
}

// D8.5: if a proof arrives after the replica has begun to vote, the replica stops at once.
func TestD8_5_LateProofStopsVotingAtOnce(t *testing.T) {
	l := newLab(t, 4, 3)
	l.boot(Applied{}, false, l.inView0()...)
	l.answeredBy(0, 1)
	l.wait(10 * time.Millisecond)
	wantCount(t, broadcasts[*wire.Prepare](l.propose(0, 1, l.batch(1, "a"))), 1, "prepares")
	l.wait(time.Second)
	wantCount(t, all[port.Forgot](l.from(2, l.answer(l.commit(0, 2, wire.Digest{1}, 3)))), 1, "reports")
	wantCount(t, l.propose(0, 2, l.batch(2, "b")), 0, "effects after the proof")
}

// D8.5: at a first start, a replica votes after n−f−1 replicas have answered that they hold no statement of it, however
// far the cluster has come. If somebody holds a statement of it, its key has voted before, and this home is not the one
// with which it voted.
func TestD8_5_AFirstStartNeedsOthersThatHoldNothingOfIt(t *testing.T) {
	l := newLab(t, 4, 3)
	l.boot(Applied{}, true)
	far := l.answer()
	far.Stable, far.View, far.Suspects = l.stableCert(40), 5, l.viewChange(5, 0, wire.StableCert{}).Suspects
	far.Commit = l.commitCert(4, 43, wire.Digest{1})
	l.from(0, far)
	l.answeredBy(1)
	if l.r.Inspect().Asking {
		t.Error("a member that starts late needs more than n−f−1 answers")
	}
	for _, said := range []wire.Message{l.checkpoint(4, stateAfter(4), 3), l.prepare(0, 1, wire.Digest{1}, 3), l.viewChange(1, 3, wire.StableCert{})} {
		l = newLab(t, 4, 3)
		l.boot(Applied{}, true)
		wantCount(t, all[port.Forgot](l.from(1, l.answer(said))), 1, "reports of a "+wire.TypeOf(said).String())
	}
}

// D8.5: a replica starts from an old copy that is far behind. It notices this by the votes that it signed near the
// present sequence numbers of the others.
func TestD8_5_AVoteFarAboveTheFirstStartIsFound(t *testing.T) {
	witness := newLab(t, 4, 0)
	witness.stable(40)
	b := witness.batch(1, "a")
	witness.from(3, witness.prepare(0, 43, b.Digest(), 3))
	m := witness.ask(3, 0)
	if s, ok := heldIn(m, wire.TypePrepare); !ok || s.Seq != 43 {
		t.Fatalf("it is shown %d statements, the prepare at 43 is not among them", len(m.Said))
	}
	l := newLab(t, 4, 3)
	l.boot(Applied{}, true)
	m.Nonce = askNonce
	wantCount(t, all[port.Forgot](l.from(0, m)), 1, "reports")
}

// D8.5: no liar can make a replica believe that it forgot something: a statement must have this replica's signature, and
// a certificate must be valid.
func TestD8_5_LiarsCannotForge(t *testing.T) {
	l := newLab(t, 4, 3)
	good := l.answer(l.commit(0, 2, wire.Digest{1}, 3))
	for name, spoil := range map[string]func(m *wire.HeldBy){
		"another digest":                 func(m *wire.HeldBy) { m.Said[0].Digest = wire.Digest{2} },
		"another view":                   func(m *wire.HeldBy) { m.Said[0].View = 1 },
		"another place":                  func(m *wire.HeldBy) { m.Said[0].Seq = 3 },
		"another kind":                   func(m *wire.HeldBy) { m.Said[0].Type = wire.TypePrepare },
		"of another one":                 func(m *wire.HeldBy) { m.Said[0].Sig = l.commit(0, 2, wire.Digest{1}, 1).Sig },
		"a checkpoint that was not":      func(m *wire.HeldBy) { m.Stable = l.stableCert(8); m.Stable.Seq = 12 },
		"a certificate that was not":     func(m *wire.HeldBy) { m.Commit = l.commitCert(0, 2, wire.Digest{1}); m.Commit.Seq = 900 },
		"a prepared one that was not":    func(m *wire.HeldBy) { m.Prepared = new(l.preparedCert(0, 2, wire.NullBody)); m.Prepared.Seq = 900 },
		"a view that nobody justified":   func(m *wire.HeldBy) { m.View, m.Suspects = 9, l.viewChange(2, 0, wire.StableCert{}).Suspects },
		"a view without a justification": func(m *wire.HeldBy) { m.View = 9 },
	} {
		m := decoded(t, good)
		spoil(m)
		if _, err := wire.Verify(&l.cfg, m, wireHolds); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

// D8.5: replicas that start together answer each other's questions from their disks. None of them waits until another
// one votes.
func TestD8_5_FourThatStartTogetherVoteAtOnce(t *testing.T) {
	c := newCluster(t, 4)
	c.asks = true
	c.tick(20 * time.Millisecond)
	c.order(6)
	for _, n := range c.nodes {
		n.crash()
	}
	c.wire = nil
	for _, n := range c.nodes {
		n.start()
		if !n.replica.inquiry.Asking {
			t.Fatal("it does not ask")
		}
	}
	c.tick(20 * time.Millisecond) // in the first turn all replicas ask, and in the second all get answers
	for _, n := range c.nodes {
		if n.replica.inquiry.Asking {
			t.Errorf("replica %d still asks", n.id)
		}
	}
	last := c.request(0, 99, "last")
	c.submit(last, 0)
	c.until(c.nodes[0].cfg.ViewTimeout/2, "the request is executed", func() bool { return executed(last, c.nodes...) })
}
