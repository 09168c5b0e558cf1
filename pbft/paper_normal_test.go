package pbft

import (
	"testing"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// §4.2: the primary assigns sequence numbers and sends a pre-prepare with the request in it to all.
func TestPaper42_ThePrimaryPrePrepares(t *testing.T) {
	l := newLab(t, 4, 0)
	r := l.request(1, "a")
	pp := broadcasts[*wire.PrePrepare](l.fromClient(r))
	wantCount(t, pp, 1, "pre-prepares")
	if m := pp[0]; m.View != 0 || m.Seq != 1 || m.Digest != m.Body.Digest() || m.Body.Requests[0] != r {
		t.Fatalf("pre-prepare %+v", m)
	}
}

// §4.2: a backup that accepts the pre-prepare enters the prepare phase.
func TestPaper42_ABackupPrepares(t *testing.T) {
	l := newLab(t, 4, 3)
	b := l.batch(1, "a")
	p := broadcasts[*wire.Prepare](l.propose(0, 1, b))
	wantCount(t, p, 1, "prepares")
	if *p[0] != (wire.Prepare{View: 0, Seq: 1, Digest: b.Digest(), Replica: 3, Sig: p[0].Sig}) {
		t.Fatalf("prepare %+v", p[0])
	}
}

// §4.2, N1: the conditions for accepting a pre-prepare. Each case breaks one of them. Conditions that need no state are
// tested by Check.
func TestPaper42_N1_WhatABackupDoesNotAccept(t *testing.T) {
	for name, test := range map[string]struct {
		change func(l *lab, m *wire.PrePrepare)
		why    port.Reason // "" if Verify refuses it
	}{
		"a signature that is not the primary's": {func(l *lab, m *wire.PrePrepare) { l.signBy(m, 2) }, ""},
		"a client signature that does not hold": {func(l *lab, m *wire.PrePrepare) {
			m.Body.Requests[0].Sig[0] ^= 1
			m.Body = &wire.Body{Time: m.Body.Time, Requests: m.Body.Requests}
			m.Digest = m.Body.Digest()
			l.signBy(m, 0)
		}, ""},
		"a digest of something else": {func(l *lab, m *wire.PrePrepare) { m.Digest[0] ^= 1; l.signBy(m, 0) }, ""},
		"a sequence number at h":     {func(l *lab, m *wire.PrePrepare) { m.Seq = 8; l.signBy(m, 0) }, port.ReasonBelowWindow},
		"one far above H":            {func(l *lab, m *wire.PrePrepare) { m.Seq = 8 + 17; l.signBy(m, 0) }, port.ReasonAboveWindow},
		"no body":                    {func(_ *lab, m *wire.PrePrepare) { m.Body = nil }, port.ReasonNoBody},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, 4, 3)
			l.from(1, &wire.StableNotice{Cert: l.stableCert(8)})
			m := l.prePrepare(0, 9, l.batch(1, "a"))
			test.change(l, m)
			v, err := wire.Verify(&l.cfg, m, wireHolds)
			if test.why == "" {
				if err == nil {
					t.Fatal("verified")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			wantDrop(t, l.step(port.Received{From: port.Source{Replica: 0}, Msg: v}), test.why)
		})
	}
}

// §4.2: a backup accepts no pre-prepare of a lower view, and none for a second digest in the same view and sequence
// number.
func TestPaper42_N1_OnePrePreparePerViewAndPlace(t *testing.T) {
	l := newLab(t, 4, 3)
	l.enter(1)
	wantDrop(t, l.propose(0, 1, l.batch(1, "a")), port.ReasonOldView)
	l.propose(1, 1, l.batch(1, "a"))
	effects := l.propose(1, 1, l.batch(2, "b"))
	wantCount(t, broadcasts[*wire.Prepare](effects), 0, "prepares")
	wantCount(t, all[port.Accuse](effects), 1, "accusations")
	wantCount(t, broadcasts[*wire.Suspect](effects), 1, "suspects")
}

// §4.2, N2: a slot is prepared with the pre-prepare and the prepares of Q−1 distinct backups for its digest, view and
// sequence number.
func TestPaper42_N2_Prepared(t *testing.T) {
	l := newLab(t, 7, 6) // f = 2 and Q = 5, so four backups are needed, including this replica
	b := l.batch(1, "a")
	l.propose(0, 1, b)
	quiet := func(what string, effects []port.Effect) {
		t.Helper()
		wantCount(t, broadcasts[*wire.Commit](effects), 0, "commits after "+what)
	}
	quiet("one prepare", l.from(1, l.prepare(0, 1, b.Digest(), 1)))
	quiet("the same prepare again", l.from(1, l.prepare(0, 1, b.Digest(), 1)))
	quiet("a prepare for another digest", l.from(2, l.prepare(0, 1, wire.Digest{9}, 2)))
	quiet("a prepare for another place", l.from(3, l.prepare(0, 2, b.Digest(), 3)))
	quiet("a prepare for a later view", l.from(3, l.prepare(2, 1, b.Digest(), 3)))
	quiet("a prepare over another's link", l.from(5, l.prepare(0, 1, b.Digest(), 4)))
	quiet("the third prepare", l.from(4, l.prepare(0, 1, b.Digest(), 4)))
	effects := l.from(5, l.prepare(0, 1, b.Digest(), 5))
	wantCount(t, broadcasts[*wire.Commit](effects), 1, "commits")
	cert := all[port.Persist](effects)[0].Record.(*wire.Prepared).Cert
	if err := wire.Check(&l.cfg, &wire.HeldBy{Prepared: &cert}); err != nil {
		t.Fatal(err)
	}
}

// §4.2: the primary's prepare does not count, and is refused.
func TestPaper42_N2_ThePrimaryDoesNotPrepare(t *testing.T) {
	l := newLab(t, 4, 3)
	if err := wire.Check(&l.cfg, l.prepare(0, 1, wire.Digest{1}, 0)); err == nil {
		t.Fatal("a prepare of the primary passes")
	}
}

// §4.2, N2: prepares and commits may arrive before the pre-prepare.
func TestPaper42_N2_VotesMayComeFirst(t *testing.T) {
	l := newLab(t, 4, 3)
	b := l.batch(1, "a")
	for id := wire.ReplicaID(1); id <= 2; id++ {
		l.from(id, l.prepare(0, 1, b.Digest(), id))
		l.from(id, l.commit(0, 1, b.Digest(), id))
	}
	effects := l.propose(0, 1, b)
	wantCount(t, broadcasts[*wire.Commit](effects), 1, "commits")
	wantCount(t, all[port.Execute](effects), 1, "executions")
}

// §4.2: a slot is committed with Q commits of distinct replicas, including this one, for one digest and view.
func TestPaper42_N2_Committed(t *testing.T) {
	l := newLab(t, 4, 3)
	b := l.batch(1, "a")
	l.propose(0, 1, b)
	// With its own prepare the slot is prepared, and the replica has sent its own commit.
	l.from(1, l.prepare(0, 1, b.Digest(), 1))
	for name, m := range map[string]*wire.Commit{
		"another digest": l.commit(0, 1, wire.Digest{9}, 2),
		"another view":   l.commit(1, 1, b.Digest(), 1),
	} {
		wantCount(t, all[port.Execute](l.from(m.Replica, m)), 0, "executions after a commit for "+name)
	}
	wantCount(t, all[port.Execute](l.from(0, l.commit(0, 1, b.Digest(), 0))), 0, "executions with two commits")
	wantCount(t, all[port.Execute](l.from(2, l.commit(2, 1, b.Digest(), 2))), 0, "executions with commits of two views")
	l = newLab(t, 4, 3)
	wantCount(t, all[port.Execute](l.commitAll(0, 1, b)), 1, "executions")
}

// §4.2: batches are executed in sequence order, whatever the order in which they commit.
func TestPaper42_N4_ExecutionFollowsTheSequence(t *testing.T) {
	l := newLab(t, 4, 3)
	wantCount(t, all[port.Execute](l.commitAll(0, 2, l.batch(2, "b"))), 0, "executions while 1 is missing")
	x := all[port.Execute](l.commitAll(0, 1, l.batch(1, "a")))
	wantCount(t, x, 2, "executions")
	if x[0].Seq != 1 || x[1].Seq != 2 {
		t.Fatalf("order %d, %d", x[0].Seq, x[1].Seq)
	}
}

// N1: a pre-prepare whose agreed time is in the future is kept, not refused. It is accepted when this replica's clock
// has reached that time.
func TestN1_APrePrepareFromTheFutureWaits(t *testing.T) {
	l := newLab(t, 4, 3)
	b := &wire.Body{Time: l.r.wall + int64(l.cfg.ClockTolerance) + int64(50*time.Millisecond), Requests: []*wire.Request{l.request(1, "a")}}
	wantCount(t, broadcasts[*wire.Prepare](l.propose(0, 1, b)), 0, "prepares for the future")
	wantCount(t, broadcasts[*wire.Prepare](l.wait(40*time.Millisecond)), 0, "prepares 10 ms early")
	wantCount(t, broadcasts[*wire.Prepare](l.wait(10*time.Millisecond)), 1, "prepares in time")
}
