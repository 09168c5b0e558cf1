package pbft

import (
	"errors"
	"slices"
	"testing"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// beforeIn checks that an effect of the first kind comes before one of the second kind.
func beforeIn(t *testing.T, effects []port.Effect, what string, first, second func(port.Effect) bool) {
	t.Helper()
	i, j := slices.IndexFunc(effects, first), slices.IndexFunc(effects, second)
	if i < 0 || j < 0 || i > j {
		t.Fatalf("%s: at %d and %d of %v", what, i, j, effects)
	}
}

func persists[R wire.Record](e port.Effect) bool {
	p, ok := e.(port.Persist)
	if !ok {
		return false
	}
	_, ok = p.Record.(R)
	return ok
}

func sendsOut[M wire.Message](e port.Effect) bool {
	b, ok := e.(port.Broadcast)
	if !ok {
		return false
	}
	_, ok = b.Msg.(M)
	return ok
}

// D1: the accepted pre-prepare, with its body, is durable before the prepare.
func TestD1_ThePrePrepareIsDurableBeforeThePrepare(t *testing.T) {
	l := newLab(t, 4, 3)
	effects := l.propose(0, 1, l.batch(1, "a"))
	beforeIn(t, effects, "pre-prepare and prepare", persists[*wire.Accepted], sendsOut[*wire.Prepare])
	if all[port.Persist](effects)[0].Record.(*wire.Accepted).PrePrepare.Body == nil {
		t.Fatal("a record without the body")
	}
}

// D2: the prepared certificate is durable before the commit.
func TestD2_TheCertificateIsDurableBeforeTheCommit(t *testing.T) {
	l := newLab(t, 4, 3)
	b := l.batch(1, "a")
	l.propose(0, 1, b)
	effects := l.from(1, l.prepare(0, 1, b.Digest(), 1))
	beforeIn(t, effects, "certificate and commit", persists[*wire.Prepared], sendsOut[*wire.Commit])
}

// D0: a batch is executed only after its certificates are durable, in this step or in an earlier one.
func TestD0_NothingIsExecutedBeforeItsCertificateIsDurable(t *testing.T) {
	l := newLab(t, 4, 3)
	b := l.batch(1, "a")
	effects := l.from(1, &wire.CertifiedBody{Seq: 1, Body: b, Cert: l.commitCert(0, 1, b.Digest())})
	beforeIn(t, effects, "certificate and execution", persists[*wire.Certified],
		func(e port.Effect) bool { _, ok := e.(port.Execute); return ok })
}

// D3: after a restart a replica is in the view of its last ViewChange, the view is not active, and the replica sends the
// same bytes again.
func TestD3_AViewThatWasLeftStaysLeft(t *testing.T) {
	l := newLab(t, 4, 3)
	own := broadcasts[*wire.ViewChange](l.suspected(1))[0]
	effects := l.restart()
	if l.r.view != 1 || l.r.active {
		t.Fatalf("view %d, active %v", l.r.view, l.r.active)
	}
	wantCount(t, broadcasts[*wire.ViewChange](effects), 0, "new view changes")
	wantDrop(t, l.propose(0, 1, l.batch(1, "a")), port.ReasonOldView)
	again := sends[*wire.ViewChange](l.from(2, &wire.Status{View: 1}))
	if len(again) != 1 || string(wire.Encode(again[0])) != string(wire.Encode(own)) {
		t.Fatal("not the same bytes")
	}
}

// D4: the NewView is durable before the first prepare in it, and a second one for the view is ignored.
func TestD4_TheNewViewIsDurableBeforeItsVotes(t *testing.T) {
	l := newLab(t, 4, 3)
	var vcs []*wire.ViewChange
	for id := range wire.ReplicaID(3) {
		vcs = append(vcs, l.viewChange(1, id, wire.StableCert{}, l.preparedCert(0, 1, wire.NullBody)))
	}
	first := l.newViewFrom(1, vcs...)
	beforeIn(t, l.from(1, first), "new view and prepare", persists[*wire.Activated], sendsOut[*wire.Prepare])
	for i := range vcs {
		vcs[i] = l.viewChange(1, wire.ReplicaID(i), wire.StableCert{})
	}
	effects := l.from(1, l.newViewFrom(1, vcs...))
	wantCount(t, all[port.Accuse](effects[:1]), 1, "accusations of who signed two (E1)")
	wantDrop(t, effects[1:], port.ReasonOldView)
	l.restart()
	if !l.r.active || l.r.view != 1 || l.r.log.At(1).Digest != wire.NullDigest {
		t.Fatal("the restart did not bring the view back")
	}
}

// D5: the digest of a checkpoint is announced only when the state is reported durable.
func TestD5_ACheckpointFollowsTheSnapshot(t *testing.T) {
	r, err := New(&wire.Config{}, nil, Applied{})
	if err == nil || r != nil {
		t.Fatal("an empty configuration was taken")
	}
	l := newLab(t, 4, 3)
	l.r.handed = 3
	effects := l.r.Step(port.Received{From: port.Source{Replica: 1}, Msg: wire.Own(&wire.CertifiedBody{
		Seq: 4, Body: wire.NullBody, Cert: l.commitCert(0, 4, wire.NullDigest),
	})})
	wantCount(t, all[port.Snapshot](effects), 1, "snapshots")
	wantCount(t, broadcasts[*wire.Checkpoint](effects), 0, "checkpoints before the snapshot is there")
	wantCount(t, broadcasts[*wire.Checkpoint](l.r.Step(port.Snapshotted{Seq: 4, Digest: stateAfter(4)})), 1, "checkpoints")
}

// D7: after a restart a replica signs no second digest for any type, view and sequence number, whatever the primary
// sends now.
func TestD7_ARestartedReplicaRepeatsItself(t *testing.T) {
	l := newLab(t, 4, 3)
	b := l.batch(1, "a")
	first := broadcasts[*wire.Prepare](l.propose(0, 1, b))[0]
	l.restart()
	effects := l.propose(0, 1, l.batch(2, "b"))
	wantCount(t, broadcasts[*wire.Prepare](effects), 0, "prepares for another digest")
	wantCount(t, all[port.Accuse](effects), 1, "accusations")
	l.wait(time.Second / 10)
	again := sends[*wire.Prepare](l.from(2, &wire.Status{Active: true, Slots: []wire.SlotStatus{{Seq: 1, Lacks: wire.LacksPrepares}}}))
	if len(again) != 1 || *again[0] != *first {
		t.Fatalf("sends %v again, signed %v", again, first)
	}
}

// D7: a restarted primary does not propose a second batch for a sequence number.
func TestD7_ARestartedPrimaryContinuesAfterWhatItProposed(t *testing.T) {
	l := newLab(t, 4, 0)
	l.fromClient(l.request(1, "a"))
	l.restart()
	l.wait(time.Second)
	for i := range uint64(8) {
		for _, pp := range broadcasts[*wire.PrePrepare](l.fromClient(l.request(i+2, "b"))) {
			if pp.Seq <= 1 {
				t.Fatalf("proposes %d again", pp.Seq)
			}
		}
	}
}

// D9: an anchor alone restores every vote that still matters.
func TestD9_AnAnchorRestoresWhatMatters(t *testing.T) {
	l := newLab(t, 4, 3)
	b := l.batch(1, "a")
	l.enter(1)
	l.propose(1, 5, b)
	l.from(2, l.prepare(1, 5, b.Digest(), 2))
	l.propose(1, 6, l.batch(2, "b"))
	l.log = l.r.Anchor()
	l.restart()
	s5, s6 := l.r.log.At(5), l.r.log.At(6)
	switch {
	case l.r.view != 1 || !l.r.active:
		t.Fatalf("view %d, active %v", l.r.view, l.r.active)
	case s5.Prepared == nil || !s5.CommitSent || s5.Body(b.Digest()) == nil:
		t.Fatalf("slot 5: %+v", s5)
	case !s6.Accepted || !s6.PrepareSent || s6.CommitSent:
		t.Fatalf("slot 6: %+v", s6)
	}
}

// D9, D3: an anchor that is written between a ViewChange and the NewView holds the ViewChange and the certificates in
// its P.
func TestD9_AnAnchorInMidViewChangeHoldsTheViewChange(t *testing.T) {
	l := newLab(t, 4, 3)
	b := l.batch(1, "a")
	l.propose(0, 1, b)
	l.from(1, l.prepare(0, 1, b.Digest(), 1))
	own := broadcasts[*wire.ViewChange](l.suspected(1))[0]
	l.log = l.r.Anchor()
	l.restart()
	if l.r.view != 1 || l.r.active {
		t.Fatalf("view %d, active %v", l.r.view, l.r.active)
	}
	again := sends[*wire.ViewChange](l.from(2, &wire.Status{View: 1}))
	if len(again) != 1 || string(wire.Encode(again[0])) != string(wire.Encode(own)) {
		t.Fatal("the view change is lost")
	}
	if p := broadcasts[*wire.ViewChange](l.from(0, l.viewChange(5, 0, wire.StableCert{})))[0].Prepared; len(p) != 1 {
		t.Fatalf("P = %v in the next view change", p)
	}
}

// A replica was started with a smaller window, and silently ignored the part of its journal above that window. So
// batches that were executed and answered were ordered again.
func TestD0_AJournalIsNotReadUnderAWindowWithoutRoomForIt(t *testing.T) {
	l := newLab(t, 4, 3)
	k, window := l.cfg.CheckpointInterval, l.cfg.LogWindow
	b := l.batch(1, "a")
	stable := &wire.Stable{Cert: l.stableCert(2 * k)}
	vote := func(s wire.Seq) *wire.Sent { return &wire.Sent{Msg: l.signBy(l.prepare(0, s, b.Digest(), 3), 3)} }
	for _, c := range []struct {
		name string
		log  []wire.Record
		want error
	}{
		{"a vote at H", []wire.Record{stable, vote(2*k + window)}, nil},
		{"a vote above H", []wire.Record{stable, vote(2*k + window + 1)}, wire.ErrOtherWindow},
		{"a certificate at h+2L", []wire.Record{stable, &wire.Certified{Body: b, Cert: *l.commitCert(0, 2*k+2*window, b.Digest())}}, nil},
		{"a certificate above it", []wire.Record{stable, &wire.Committed{Cert: *l.commitCert(0, 2*k+2*window+1, b.Digest())}}, wire.ErrOtherWindow},
		{"no multiple of K stable", []wire.Record{&wire.Stable{Cert: l.stableCert(2*k + 1)}}, wire.ErrOtherWindow},
		{"no multiple of K of its own", []wire.Record{stable, &wire.Sent{Msg: &wire.Checkpoint{Seq: 3*k + 1, Replica: 3}}}, wire.ErrOtherWindow},
		{"one of its own, below h", []wire.Record{stable, &wire.Sent{Msg: &wire.Checkpoint{Seq: 2*k - 1, Replica: 3}}}, nil},
	} {
		if _, err := New(&l.cfg, c.log, Applied{Seq: 2 * k}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// N7, I1: a replica accepted a batch for a slot, and then receives the commit certificate of another batch for that
// slot. It does not vote for the first batch any more, neither at once nor after a restart that finds both in the
// journal.
func TestN7_NobodyVotesAgainstACertificateThatItHolds(t *testing.T) {
	for _, restarts := range []bool{false, true} {
		l := newLab(t, 4, 3)
		accepted, certified := l.prePrepare(0, 1, l.batch(1, "a")), l.batch(2, "b")
		cert := l.commitCert(1, 1, certified.Digest())
		if restarts { // the replica crashed before it sent its prepare
			l.log = []wire.Record{&wire.Accepted{PrePrepare: accepted}, &wire.Certified{Cert: *cert, Body: certified}}
		}
		var effects []port.Effect
		if restarts {
			effects = l.restart()
		} else {
			l.from(0, accepted)
			effects = l.from(2, &wire.CertifiedBody{Seq: 1, Body: certified, Cert: cert})
		}
		for id := range wire.ReplicaID(3) {
			if id != 0 {
				effects = append(effects, l.from(id, l.prepare(0, 1, accepted.Digest, id))...)
			}
		}
		wantCount(t, broadcasts[*wire.Prepare](effects), 0, "prepares")
		wantCount(t, broadcasts[*wire.Commit](effects), 0, "commits")
	}
}
