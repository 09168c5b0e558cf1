package pbft

import (
	"testing"

	"tagma/pbft/wire"
)

// What is kept for those who follow is bounded by the memory it takes, decoded: a batch of small requests takes twice its
// bytes on the wire and more.
func TestN3_BodiesBelowTheWatermarkAreBoundedByTheirMemory(t *testing.T) {
	cfg := wire.Config{Members: make([]wire.PublicKey, 4), CheckpointInterval: 128, LogWindow: 512}
	w := newWindow(&cfg)
	w.low = 1500
	var one wire.Body
	for range 256 {
		one.Requests = append(one.Requests, &wire.Request{Ops: [][]byte{make([]byte, 100)}})
	}
	for seq := wire.Seq(1); seq <= w.low; seq++ {
		body := one
		w.at(seq).keep(&body)
	}
	w.forgetOldBodies(w.low)
	kept := 0
	for seq := w.low; seq > w.floor() && w.peek(seq).bodies != nil; seq-- {
		kept++
	}
	if most := maxKeptBytes / one.Memory(); kept != most {
		t.Errorf("%d bodies are kept, want %d", kept, most)
	}
	if one.Memory() < 256*(one.Requests[0].Size()+256) {
		t.Errorf("a body of %d bytes on the wire counts as %d", one.RequestBytes(), one.Memory())
	}
	for seq := w.low - wire.Seq(kept); seq > w.floor(); seq-- {
		if w.peek(seq).bodies != nil {
			t.Fatalf("the body of %d is kept, though newer ones are not", seq)
		}
	}
}

// N3: a replica that crashed behind the stable checkpoint has the bodies that it must execute again in its journal, and
// perhaps nobody else has them.
func TestN3_BodiesToExecuteOutliveARestart(t *testing.T) {
	const last = 48
	l := newLab(t, 4, 3, func(cfg *wire.Config) {
		cfg.CheckpointInterval, cfg.LogWindow, cfg.MaxOpBytes, cfg.MaxBatchBytes = last, 2*last, 1<<20, 2<<20
	})
	for seq := wire.Seq(1); seq <= last; seq++ {
		l.commitAll(0, seq, l.batch(uint64(seq), string(make([]byte, 1<<20))))
	}
	l.log = append(l.log, &wire.Stable{Cert: l.stableCert(last)}) // noted, and written with a later record
	executed := len(all[Execute](l.restart()))
	for seq := wire.Seq(1); seq <= last; seq++ {
		for id := range wire.ReplicaID(3) {
			executed += len(all[Execute](l.from(id, l.commit(0, seq, l.r.log.at(seq).prepared.Digest, id))))
		}
	}
	if executed != last {
		t.Fatalf("%d of %d batches of its own journal are executed again", executed, last)
	}
}

// S4: a faulty replica sends old bodies unasked; those that were forgotten stay so, in memory and in the journal.
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
	for i := range l.r.log.ring {
		kept += l.r.log.ring[i].memory
	}
	if kept > maxKeptBytes || len(l.log) > records {
		t.Fatalf("%d bytes of bodies below h, of at most %d, and %d records for them", kept, maxKeptBytes, len(l.log)-records)
	}
}
