package pbft

import (
	"testing"

	"tagma/pbft/msglog"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// N3: a replica that crashed while it was below the stable checkpoint needs bodies to execute. They are in its journal,
// and perhaps no other replica has them any more.
func TestN3_BodiesToExecuteOutliveARestart(t *testing.T) {
	const last = 48
	l := newLab(t, 4, 3, func(cfg *wire.Config) {
		cfg.CheckpointInterval, cfg.LogWindow, cfg.MaxOpBytes, cfg.MaxBatchBytes = last, 2*last, 1<<20, 2<<20
	})
	for seq := wire.Seq(1); seq <= last; seq++ {
		l.commitAll(0, seq, l.batch(uint64(seq), string(make([]byte, 1<<20))))
	}
	l.log = append(l.log, &wire.Stable{Cert: l.stableCert(last)}) // this is written together with a later record
	executed := len(all[port.Execute](l.restart()))
	for seq := wire.Seq(1); seq <= last; seq++ {
		for id := range wire.ReplicaID(3) {
			executed += len(all[port.Execute](l.from(id, l.commit(0, seq, l.r.log.At(seq).Prepared.Digest, id))))
		}
	}
	if executed != last {
		t.Fatalf("%d of %d batches of its own journal are executed again", executed, last)
	}
}

// S4: a faulty replica sends old bodies that nobody asked for. Bodies that were dropped are not stored again, neither in
// memory nor in the journal.
func TestS4_ForgottenBodiesAreNotTakenBack(t *testing.T) {
	const last = 48
	l := newLab(t, 4, 3, func(cfg *wire.Config) {
		cfg.CheckpointInterval, cfg.LogWindow, cfg.MaxOpBytes, cfg.MaxBatchBytes = last, 2*last, 1<<20, 2<<20
	})
	var bodies []*wire.Body
	for seq := wire.Seq(1); seq <= last; seq++ {
		bodies = append(bodies, l.batch(uint64(seq), string(make([]byte, 1<<20))))
		l.commitAll(0, seq, bodies[seq-1])
	}
	l.from(0, &wire.StableNotice{Cert: l.stableCert(last)})
	records := len(l.log)
	for i, b := range bodies {
		l.from(1, &wire.CertifiedBody{Seq: wire.Seq(i + 1), Body: b})
	}
	kept := 0
	for i := range l.r.log.Ring {
		kept += l.r.log.Ring[i].Memory
	}
	if kept > msglog.MaxKeptBytes || len(l.log) > records {
		t.Fatalf("%d bytes of bodies below h, of at most %d, and %d records for them", kept, msglog.MaxKeptBytes, len(l.log)-records)
	}
}

// S4: a batch of tens of thousands of empty operations takes many times more memory than its encoding. The bound counts
// this memory. It is computed once for a batch, and not again for each later proposal.
func TestS4_TinyOperationsAreCountedOnceAndInFull(t *testing.T) {
	l := newLab(t, 4, 3, func(cfg *wire.Config) { cfg.MaxOps = 256 })
	body := &wire.Body{Time: 1_700_000_000_000_000_000}
	for i := range uint64(128) {
		r := l.request(i+1, "")
		r.Ops = make([][]byte, 256)
		body.Requests = append(body.Requests, r)
	}
	l.r.log.At(1).Keep(body)
	takes, encoded := body.Memory(), body.RequestBytes()
	if held := l.r.log.LargeBytes(); held != takes || held < 4*encoded {
		t.Fatalf("%d bytes are counted for %d operations that are encoded in %d", held, 128*256, encoded)
	}
	small := l.batch(1000, "small")
	l.r.log.At(2).Keep(small)
	body.Requests = nil // if the sum were computed again, it would be smaller
	if held := l.r.log.LargeBytes(); held != takes+small.Memory() {
		t.Errorf("%d bytes, not %d: the operations are looked through again, or small bodies are left out", held, takes+small.Memory())
	}
}
