package pbft

import (
	"testing"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// X1: while following makes progress, no transfer begins, even if a stable checkpoint is above what was executed.
func TestX1_NoTransferWhileFollowingMayDo(t *testing.T) {
	l := newLab(t, 4, 3)
	wantCount(t, all[port.Transfer](l.stable(3*l.cfg.LogWindow)), 0, "transfers within what others keep")
	for s := wire.Seq(1); s <= 8; s++ { // one batch within each timeout
		wantCount(t, all[port.Transfer](l.wait(l.cfg.ViewTimeout*9/10)), 0, "transfers while batches come")
		b := l.batch(uint64(s), "a")
		l.from(1, &wire.CertifiedBody{Seq: s, Body: b, Cert: l.commitCert(0, s, b.Digest())})
	}
}

// X1: a transfer begins at once when the next batch to execute lies below all slots of the ring.
func TestX1_ItBeginsWhenTheRingHasPassed(t *testing.T) {
	l := newLab(t, 4, 3)
	far := 3*l.cfg.LogWindow + l.cfg.CheckpointInterval
	effects := l.stable(far)
	begun := all[port.Transfer](effects)
	if len(begun) != 1 || begun[0].Target.Seq != far {
		t.Fatalf("%v begins", begun)
	}
	beforeIn(t, effects, "the target is durable before anything is fetched", persists[*wire.Stable],
		func(e port.Effect) bool { _, ok := e.(port.Transfer); return ok })
}

// X1: a transfer begins when all others have said that they do not hold the next batch. All but one are not enough.
func TestX1_ItBeginsWhenNobodyHoldsTheNextBatch(t *testing.T) {
	l := newLab(t, 4, 3)
	l.stable(8)
	to, _ := asked(l.wait(l.cfg.ViewTimeout / 16))
	for range 2 {
		wantCount(t, to, 1, "questions")
		effects := l.from(to[0], &wire.Slots{From: 1, Next: 1})
		wantCount(t, all[port.Transfer](effects), 0, "transfers while one may hold it")
		to, _ = asked(effects)
	}
	wantCount(t, all[port.Transfer](l.from(to[0], &wire.Slots{From: 1, Next: 1})), 1, "transfers when none does")
}

// X1: the answer that a replica does not hold one batch says nothing about the batch after it.
func TestX1_RefusalsCountForTheNextBatchOnly(t *testing.T) {
	l := newLab(t, 4, 3)
	l.stable(8)
	to, _ := asked(l.wait(l.cfg.ViewTimeout / 16))
	effects := l.from(to[0], &wire.Slots{From: 1, Next: 1})
	to, _ = asked(effects)
	to, from := asked(l.serve(to[0], 1, 2))
	for range 2 {
		if len(to) != 1 || from[0] != 2 {
			t.Fatalf("asks %v from %v", to, from)
		}
		effects = l.from(to[0], &wire.Slots{From: 2, Next: 2})
		wantCount(t, all[port.Transfer](effects), 0, "transfers")
		to, from = asked(effects)
	}
}

// X1: a transfer begins when nothing was executed for a view timeout, but not while the executor works on a batch.
func TestX1_ItBeginsWhenNothingWasExecutedForATimeout(t *testing.T) {
	l := newLab(t, 4, 3)
	l.beat(5 * l.cfg.ViewTimeout) // idle time before the checkpoint does not count
	l.stable(8)
	wantCount(t, all[port.Transfer](l.wait(l.cfg.ViewTimeout-time.Millisecond)), 0, "transfers before a timeout")
	wantCount(t, all[port.Transfer](l.wait(time.Millisecond)), 1, "transfers after it")

	l = newLab(t, 4, 3)
	b := l.batch(1, "a")
	l.r.Step(port.Received{From: port.Source{Replica: 1}, Msg: wire.Own(&wire.CertifiedBody{Seq: 1, Body: b, Cert: l.commitCert(0, 1, b.Digest())})})
	l.stable(8)
	wantCount(t, all[port.Transfer](l.wait(3*l.cfg.ViewTimeout)), 0, "transfers while the executor works")
}

// X1, D5: a transfer begins at a start whose store holds none of the states that the journal names.
func TestX1_ItBeginsAtAStartWithoutAState(t *testing.T) {
	l := newLab(t, 4, 3)
	log := []wire.Record{&wire.Head{Cluster: l.cfg.Cluster, Self: 3, Active: true}, &wire.Stable{Cert: l.stableCert(8)}}
	r, err := Boot(&l.cfg, log, Applied{}, Start{Fetch: true})
	if err != nil {
		t.Fatal(err)
	}
	l.r = r
	begun := all[port.Transfer](l.wait(10 * time.Millisecond))
	if len(begun) != 1 || begun[0].Target.Seq != 8 {
		t.Errorf("%v begins", begun)
	}
	l.log = log
	wantCount(t, all[port.Transfer](l.restart()), 0, "transfers of a start that has its state")
}

// X1: each newer stable checkpoint becomes a running transfer's target, once it is durable, whatever message brings it.
func TestX1_ANewerCheckpointIsABetterTarget(t *testing.T) {
	l := inTransfer(t)
	later := map[string]func() []port.Effect{
		"a certificate": func() []port.Effect { return l.stable(48) },
		"a new view": func() []port.Effect {
			var vcs []*wire.ViewChange
			for id := range wire.ReplicaID(3) {
				vcs = append(vcs, l.viewChange(1, id, l.stableCert(52)))
			}
			return l.from(1, l.newViewFrom(1, vcs...))
		},
	}
	for _, name := range []string{"a certificate", "a new view"} {
		effects := later[name]()
		begun := all[port.Transfer](effects)
		if len(begun) != 1 || begun[0].Target.Seq != l.r.log.Low {
			t.Fatalf("%s: %v is named", name, begun)
		}
		beforeIn(t, effects, name, persists[*wire.Stable], func(e port.Effect) bool { _, ok := e.(port.Transfer); return ok })
	}
}

// inTransfer returns a replica that has executed four batches and was then left behind. Its h is 40.
func inTransfer(t *testing.T) *lab {
	l := newLab(t, 4, 3)
	for s := wire.Seq(1); s <= 4; s++ {
		l.tempt(0, s)
	}
	l.stable(40)
	if !l.r.transfer.on {
		t.Fatal("no transfer")
	}
	return l
}

// X6: one record makes the fetched state the replica's own. Only after that does execution continue from this state.
func TestX6_OneRecordSwitches(t *testing.T) {
	l := inTransfer(t)
	effects := l.step(port.Transferred{Cert: l.stableCert(40)})
	installed := 0
	for _, p := range all[port.Persist](effects) {
		if rec, ok := p.Record.(*wire.Installed); ok && rec.Cert.Seq == 40 {
			installed++
		}
	}
	if installed != 1 {
		t.Fatalf("%d records", installed)
	}
	beforeIn(t, effects, "the record, then execution goes on", persists[*wire.Installed],
		func(e port.Effect) bool { _, ok := e.(port.Resume); return ok })
	if l.r.handed != 40 || l.r.leftBehind() {
		t.Errorf("it stands at %d, left behind %v", l.r.handed, l.r.leftBehind())
	}
	wantCount(t, all[port.Execute](l.tempt(0, 41)), 1, "batches after it")
}

// X6, X7: a restart before that record continues from the old sequence number and begins the transfer again. A restart
// after it continues from the new one. Checkpoints recorded before that record do not count any more.
func TestX6_ARestartFindsOnePositionOrTheOther(t *testing.T) {
	l := inTransfer(t)
	before := recode(t, l.log)
	if marks := wire.Log(before).Marks(); marks[0].Seq != 4 {
		t.Errorf("marks before the record: %v", marks)
	}
	r, err := New(&l.cfg, before, Applied{Seq: 4, Root: stateAfter(4)})
	if err != nil {
		t.Fatal(err)
	}
	whole := l.r
	l.r = r
	wantCount(t, all[port.Transfer](l.wait(10*time.Millisecond)), 1, "transfers after a restart before the record")
	if r.handed != 4 {
		t.Errorf("it stands at %d", r.handed)
	}

	l.r, l.log = whole, before
	cert := l.stableCert(40)
	l.step(port.Transferred{Cert: cert})
	after := recode(t, l.log)
	if marks := wire.Log(after).Marks(); len(marks) != 2 || marks[0] != (wire.Mark{Seq: 40, Digest: cert.Digest}) || marks[1].Seq != 0 {
		t.Errorf("marks after the record: %v", marks)
	}
	if r, err = New(&l.cfg, after, Applied{Seq: 40, Root: cert.Digest}); err != nil {
		t.Fatal(err)
	}
	l.r = r
	wantCount(t, all[port.Transfer](l.wait(10*time.Millisecond)), 0, "transfers after a restart after the record")
	wantCount(t, all[port.Execute](l.tempt(0, 41)), 1, "batches after a restart after the record")
	if reach := wire.Log(after).Reach(&l.cfg); reach < 40 {
		t.Errorf("the journal reaches to %d only: its store would seem to be ahead of it", reach)
	}
}

// X7, X4: before the store may hold any part of the target's state, the journal contains a record of the target.
func TestX7_TheJournalReachesToTheTarget(t *testing.T) {
	l := inTransfer(t)
	if reach := wire.Log(l.log).Reach(&l.cfg); reach != 40 {
		t.Errorf("it reaches to %d", reach)
	}
}

// X9: after the transfer the replica asks for the batches above the state. If it is left behind again, it begins another
// transfer.
func TestX9_AfterTheSwitchItFollows(t *testing.T) {
	l := inTransfer(t)
	l.statusOf(0, 45)
	l.statusOf(1, 45)
	l.step(port.Transferred{Cert: l.stableCert(40)})
	if _, from := asked(l.wait(l.cfg.ViewTimeout / 16)); len(from) != 1 || from[0] != 41 {
		t.Errorf("asks from %v", from)
	}
	wantCount(t, all[port.Transfer](l.stable(40+3*l.cfg.LogWindow+4)), 1, "transfers when left behind again")
}
