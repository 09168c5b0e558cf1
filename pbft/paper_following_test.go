package pbft

import (
	"testing"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// N3: a replica never prepares without the body, even if its digest is in O. It fetches the body, and then votes.
func TestN3_NoPrepareWithoutTheBody(t *testing.T) {
	l := newLab(t, 4, 3)
	b := l.batch(1, "a")
	var vcs []*wire.ViewChange
	for id := range wire.ReplicaID(3) {
		vcs = append(vcs, l.viewChange(1, id, wire.StableCert{}, l.preparedCert(0, 1, b)))
	}
	wantCount(t, broadcasts[*wire.Prepare](l.from(1, l.newViewFrom(1, vcs...))), 0, "prepares without the body")
	fetch := sends[*wire.Fetch](l.wait(10 * time.Millisecond))
	wantCount(t, fetch, 1, "fetches")
	if fetch[0].Digest != b.Digest() || fetch[0].Seq != 1 {
		t.Fatalf("fetches %+v", fetch[0])
	}
	wantDrop(t, l.from(2, &wire.CertifiedBody{Seq: 1, Body: l.batch(2, "forged")}), port.ReasonUnknownBody)
	effects := l.from(2, &wire.CertifiedBody{Seq: 1, Body: b})
	wantCount(t, all[port.Persist](effects), 1, "records")
	wantCount(t, broadcasts[*wire.Prepare](effects), 1, "prepares")
}

// N3: a replica keeps bodies and certificates for three windows below h, and sends them to others.
func TestN3_BodiesAreServedBelowTheLowWatermark(t *testing.T) {
	l := newLab(t, 4, 3)
	b := l.batch(1, "a")
	l.commitAll(0, 1, b)
	l.from(0, &wire.StableNotice{Cert: l.stableCert(4)})
	wantCount(t, sends[*wire.CertifiedBody](l.from(1, &wire.Fetch{Seq: 1, Digest: b.Digest()})), 1, "bodies")
	l.from(0, &wire.StableNotice{Cert: l.stableCert(24)})
	l.wait(time.Second)
	wantCount(t, sends[*wire.CertifiedBody](l.from(1, &wire.Fetch{Seq: 1, Digest: b.Digest()})), 1, "bodies")
	l.from(0, &wire.StableNotice{Cert: l.stableCert(28)})
	wantDrop(t, l.from(1, &wire.Fetch{Seq: 1, Digest: b.Digest()}), port.ReasonNotHeld)
}

// N5: if no batch is in flight, a request is proposed at once. Under load, batches become larger.
func TestN5_BatchesGrowUnderLoad(t *testing.T) {
	l := newLab(t, 4, 0)
	first := broadcasts[*wire.PrePrepare](l.fromClient(l.request(1, "a")))
	wantCount(t, first, 1, "pre-prepares for the first request")
	var next []*wire.PrePrepare
	for i := range uint64(6) {
		next = append(next, broadcasts[*wire.PrePrepare](l.fromClient(l.request(i+2, "a")))...)
	}
	if len(next) >= 6 {
		t.Fatalf("%d pre-prepares for 6 requests while one is in flight", len(next))
	}
	if k := len(next[len(next)-1].Body.Requests); k < 2 {
		t.Fatalf("the last batch has %d requests", k)
	}
}

// N5: the primary does not propose above H. It continues when the window moves.
func TestN5_ThePrimaryStopsAtTheHighWatermark(t *testing.T) {
	l := newLab(t, 4, 0, func(cfg *wire.Config) { cfg.MaxBatch = 1 })
	l.trust(l.r.pool)
	sent := 0
	for i := range uint64(12) {
		sent += len(broadcasts[*wire.PrePrepare](l.fromClient(l.request(i+1, "a"))))
	}
	if sent != 8 {
		t.Fatalf("%d pre-prepares with H = 8", sent)
	}
	wantCount(t, broadcasts[*wire.PrePrepare](l.from(1, &wire.StableNotice{Cert: l.stableCert(4)})), 4, "pre-prepares after h = 4")
}

// N6: a pre-prepare slightly above H waits for the window to move, and so do votes.
func TestN6_MessagesAboveTheWindowWait(t *testing.T) {
	l := newLab(t, 4, 3)
	b := l.batch(1, "a")
	wantCount(t, broadcasts[*wire.Prepare](l.propose(0, 9, b)), 0, "prepares above H")
	l.from(1, l.prepare(0, 9, b.Digest(), 1))
	l.from(2, l.prepare(0, 9, b.Digest(), 2))
	effects := l.from(1, &wire.StableNotice{Cert: l.stableCert(4)})
	wantCount(t, broadcasts[*wire.Prepare](effects), 1, "prepares when the window has moved")
	wantCount(t, broadcasts[*wire.Commit](effects), 1, "commits from the votes that waited")
}

// N7: a commit certificate and the body are enough to execute a batch, in any view and also while no view is active. The
// batch is written to the journal before, and is never part of P.
func TestN7_ACertificateSufficesToExecute(t *testing.T) {
	l := newLab(t, 4, 3)
	b := l.batch(1, "a")
	l.suspected(1)
	effects := l.from(2, &wire.CertifiedBody{Seq: 1, Body: b, Cert: l.commitCert(0, 1, b.Digest())})
	if p, ok := effects[0].(port.Persist); !ok || p.Record.(*wire.Certified).Cert.Digest != b.Digest() {
		t.Fatalf("first effect %#v, want the certificate made durable", effects[0])
	}
	if x, ok := effects[1].(port.Execute); !ok || x.Seq != 1 {
		t.Fatalf("second effect %#v, want the execution", effects[1])
	}
	vc := broadcasts[*wire.ViewChange](l.from(0, l.viewChange(3, 0, wire.StableCert{})))
	wantCount(t, vc, 1, "view changes")
	wantCount(t, vc[0].Prepared, 0, "certificates in P")
}

// N7: commits of any view can make a certificate. They may arrive one by one, and this replica may be in another view.
func TestN7_CommitsOfALowerViewStillCertify(t *testing.T) {
	l := newLab(t, 4, 3)
	b := l.batch(1, "a")
	l.propose(0, 1, b)
	l.enter(1)
	for id := range wire.ReplicaID(2) {
		wantCount(t, all[port.Execute](l.from(id, l.commit(0, 1, b.Digest(), id))), 0, "executions")
	}
	wantCount(t, all[port.Execute](l.from(2, l.commit(0, 1, b.Digest(), 2))), 1, "executions")
}

// N7: a lagging replica names a helper in its status. Only that helper sends what the replica lacks.
func TestN7_TheHelperPushesCertificates(t *testing.T) {
	for helper, want := range map[wire.ReplicaID]int{3: 2, 1: 0} {
		l := newLab(t, 4, 3)
		l.commitAll(0, 1, l.batch(1, "a"))
		l.commitAll(0, 2, l.batch(2, "b"))
		l.wait(100 * time.Millisecond)
		pushed := sends[*wire.CertifiedBody](l.from(2, &wire.Status{Active: true, Helper: helper}))
		wantCount(t, pushed, want, "bodies pushed")
		for _, m := range pushed {
			if m.Cert == nil {
				t.Error("a body without its certificate")
			}
		}
	}
}

// A tick skips slots that already have our commit. But if such a slot holds a pre-prepare that waits for the next view,
// that pre-prepare is accepted.
func TestN6_WhatWaitsInASlotThatIsDoneIsTakenUp(t *testing.T) {
	l := newLab(t, 4, 3)
	b := l.batch(1, "a")
	l.propose(0, 1, b)
	wantCount(t, broadcasts[*wire.Commit](l.from(1, l.prepare(0, 1, b.Digest(), 1))), 1, "commits")
	l.wait(time.Millisecond)
	l.from(1, l.prePrepare(1, 1, l.batch(2, "b"))) // early, because the NewView has not arrived yet
	wantCount(t, broadcasts[*wire.Prepare](l.enter(1)), 1, "prepares")
}

// N7: a pre-prepare that waits for its view is useless if the batch was meanwhile executed by certificate. So the search
// for waiting pre-prepares begins above the executed batches.
func TestN7_WhatWasExecutedByCertificateIsNotVotedForLater(t *testing.T) {
	l := newLab(t, 4, 3)
	first, second := l.batch(1, "a"), l.batch(2, "b")
	l.suspected(1)
	l.propose(1, 1, first)
	l.propose(1, 2, second)
	for id := range wire.ReplicaID(3) {
		l.from(id, l.commit(1, 1, first.Digest(), id))
	}
	wantCount(t, all[port.Execute](l.from(1, &wire.CertifiedBody{Seq: 1, Body: first})), 1, "executions by certificate")
	prepares := broadcasts[*wire.Prepare](l.enter(1))
	if len(prepares) != 1 || prepares[0].Seq != 2 {
		t.Fatalf("prepares %v, want one for the batch that waits above", prepares)
	}
}
