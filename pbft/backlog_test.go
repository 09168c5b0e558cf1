package pbft

import (
	"testing"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// lag brings the replica into a state in which it was handed the batches up to one sequence number, has executed those
// up to a lower one, and its last durable state is lower still. Then the low watermark moves. lag returns what a crash
// leaves in the journal.
func (l *lab) lag(executed, handed, stable wire.Seq) []wire.Record {
	l.t.Helper()
	var log []wire.Record
	step := func(ev port.Event) {
		for _, e := range l.r.Step(ev) {
			switch e := e.(type) {
			case port.Persist:
				log = append(log, e.Record)
			case port.Note:
				log = append(log, e.Record)
			case port.Broadcast:
				log = append(log, &wire.Sent{Msg: l.signBy(e.Msg, l.cfg.Self)})
			default:
			}
		}
	}
	for s := wire.Seq(1); s <= handed; s++ {
		b := l.batch(uint64(s), "a")
		step(port.Received{From: port.Source{Replica: 1}, Msg: wire.Own(&wire.CertifiedBody{Seq: s, Body: b, Cert: l.commitCert(0, s, b.Digest())})})
		if s <= executed {
			step(port.Executed{Seq: s})
		}
	}
	step(port.Snapshotted{Seq: executed, Digest: stateAfter(executed)})
	step(port.Received{From: port.Source{Replica: 1}, Msg: wire.Own(&wire.StableNotice{Cert: l.stableCert(stable)})})
	return log
}

// A replica crashed after it had been handed more batches than it had executed. Others hold the next batches, and its
// journal holds those before. Such a replica can follow the others; an earlier version took it for left behind for ever.
func TestD5_WhoCouldFollowBeforeACrashCanFollowAfterIt(t *testing.T) {
	l := newLab(t, 4, 3)
	k := l.cfg.CheckpointInterval
	log := l.lag(k, 2*k+1, 2*k+wire.KeptWindows*l.cfg.LogWindow)
	if l.r.leftBehind() {
		t.Fatal("left behind before the crash")
	}
	r, err := New(&l.cfg, log, Applied{Seq: k, Root: stateAfter(k)})
	if err != nil {
		t.Fatal(err)
	}
	if l.r = r; r.leftBehind() {
		t.Error("left behind after it")
	}
	effects := l.wait(l.cfg.ViewTimeout)
	for i, e := range all[port.Execute](effects) {
		if want := k + 1 + wire.Seq(i); e.Seq != want || e.Body.Requests[0].ID.T != uint64(want) {
			t.Errorf("executes request %d as %d, want %d", e.Body.Requests[0].ID.T, e.Seq, want)
		}
	}
	wantCount(t, all[port.Execute](effects), int(k)+1, "batches")
	wantCount(t, broadcasts[*wire.Checkpoint](effects), 1, "checkpoints")
	b := l.batch(uint64(2*k+2), "a")
	effects = l.from(1, &wire.CertifiedBody{Seq: 2*k + 2, Body: b, Cert: l.commitCert(0, 2*k+2, b.Digest())})
	wantCount(t, all[port.Execute](effects), 1, "batches that others keep")
}

// D5, X1: no batch is skipped. If the journal lacks a batch below those that the others hold, the replica first fetches
// the state.
func TestX1_AJournalWithAHoleBelowWhatOthersKeepNeedsATransfer(t *testing.T) {
	l := newLab(t, 4, 3)
	k := l.cfg.CheckpointInterval
	log := l.lag(k, 2*k, 2*k+wire.KeptWindows*l.cfg.LogWindow)
	for i, rec := range log {
		if c, ok := rec.(*wire.Certified); !ok || c.Cert.Seq <= k {
			continue
		}
		with := append(append([]wire.Record{}, log[:i]...), log[i+1:]...)
		l.wantTransferAtStart(with, Applied{Seq: k}, l.stableCert(2*k+wire.KeptWindows*l.cfg.LogWindow))
		if t.Failed() {
			t.Fatalf("without record %d", i)
		}
	}
	far := l.stableCert(1 << 40)
	l.wantTransferAtStart([]wire.Record{&wire.Stable{Cert: far}}, Applied{}, far)
}

// wantTransferAtStart starts the replica. The replica must ask for a state and execute nothing.
func (l *lab) wantTransferAtStart(log []wire.Record, at Applied, target wire.StableCert) {
	l.t.Helper()
	r, err := New(&l.cfg, log, at)
	if err != nil {
		l.t.Fatal(err)
	}
	l.r = r
	effects := l.wait(l.cfg.ViewTimeout / 100)
	if found := all[port.Transfer](effects); len(found) != 1 || found[0].Target.Seq != target.Seq {
		l.t.Errorf("asks for the states %v, want that of %d", found, target.Seq)
	}
	wantCount(l.t, all[port.Execute](effects), 0, "batches executed without their state")
}

// A replica that is left behind drops the batches that it has executed from its journal. If it crashes at that moment,
// its journal must not look like an older copy that was put back beside its store.
func TestD8_WhyTheJournalWasShortenedIsDurableBefore(t *testing.T) {
	l := newLab(t, 4, 3)
	k, window := l.cfg.CheckpointInterval, l.cfg.LogWindow
	stable := l.stableCert(wire.KeptWindows*window + 3*k)
	var vcs []*wire.ViewChange
	for id := range wire.ReplicaID(3) {
		vcs = append(vcs, l.viewChange(1, id, stable))
	}
	for name, m := range map[string]wire.Message{"a certificate": &wire.StableNotice{Cert: stable}, "a new view": l.newViewFrom(1, vcs...)} {
		l.log = nil
		l.restart()
		l.lag(2*k, 2*k, 2*k)
		l.log = l.r.Anchor() // the journal that is left begins with this anchor
		beforeIn(t, l.from(1, m), name+", then the truncation",
			func(e port.Effect) bool { return persists[*wire.Stable](e) || persists[*wire.Activated](e) },
			func(e port.Effect) bool { _, ok := e.(port.Truncate); return ok })
		if reach := wire.Log(l.log).Reach(&l.cfg); reach < 2*k {
			t.Errorf("after %s the journal reaches to %d, the store holds %d", name, reach, 2*k)
		}
	}
}
