package pbft

import (
	"testing"
	"time"

	"tagma/internal/alone"
	"tagma/pbft/msglog"
	"tagma/pbft/pool"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// S4: a question of 42 bytes can be answered by a body of a megabyte. So a peer gets at most two windows of bodies.
func TestS4_FetchesAreAnsweredWithinABudget(t *testing.T) {
	l := newLab(t, 4, 0, func(cfg *wire.Config) { cfg.MaxOpBytes, cfg.MaxBatchBytes = 1<<20, 2<<20 })
	b := l.batch(1, string(make([]byte, 1<<20)))
	l.r.log.At(1).Keep(b)
	ask := &wire.Fetch{Seq: 1, Digest: b.Digest()}
	answered := 0
	for range 100 {
		answered += len(sends[*wire.CertifiedBody](l.from(1, ask)))
	}
	if most := 2*l.r.log.Bytes()>>20 + 1; answered != most {
		t.Fatalf("%d bodies of 1 MiB at once, want %d: two windows", answered, most)
	}
	wantDrop(t, l.from(1, ask), port.ReasonTooOften)
	wantCount(t, sends[*wire.CertifiedBody](l.from(2, ask)), 1, "bodies to another peer")
	l.wait(l.cfg.ViewTimeout)
	wantCount(t, sends[*wire.CertifiedBody](l.from(1, ask)), 1, "bodies later")
}

// S4, I14: large bodies above h are bounded in bytes, not only in number.
func TestS4_AWindowOfLargeBodiesIsBounded(t *testing.T) {
	alone.Test(t)
	l := newLab(t, 4, 3, func(cfg *wire.Config) { cfg.LogWindow, cfg.MaxOpBytes, cfg.MaxBatchBytes = 512, 4<<20-1<<10, 4<<20 })
	op := string(make([]byte, 4<<20-1<<10))
	seq := wire.Seq(0)
	for l.r.log.LargeBytes() <= 4*msglog.MaxLargeBytes {
		seq++
		l.r.log.At(seq).Keep(l.batch(uint64(seq), op))
	}
	wantDrop(t, l.propose(0, seq+1, l.batch(uint64(seq+1), op)), port.ReasonNoRoom)
	if why := l.r.whyRefuse(l.r.log.At(seq+1), &wire.PrePrepare{Body: l.batch(1, "small")}); why != "" {
		t.Fatalf("a small batch is refused: %s", why)
	}
}

// N3: the bodies that are kept below h are bounded in bytes as well; the oldest ones are dropped first.
func TestN3_OldBodiesAreForgottenByBytes(t *testing.T) {
	l := newLab(t, 4, 3, func(cfg *wire.Config) { cfg.LogWindow, cfg.MaxOpBytes, cfg.MaxBatchBytes = 64, 1<<20, 2<<20 })
	for seq := wire.Seq(1); seq <= 48; seq++ {
		l.r.log.At(seq).Keep(l.batch(uint64(seq), string(make([]byte, 1<<20))))
	}
	l.r.handed = 48
	l.from(0, &wire.StableNotice{Cert: l.stableCert(48)})
	if held := len(l.r.log.At(48).Bodies); held != 1 {
		t.Fatalf("%d bodies at h", held)
	}
	if held := len(l.r.log.At(1).Bodies); held != 0 {
		t.Fatalf("%d bodies far below h", held)
	}
}

// K2: a replica whose state contradicts a stable checkpoint does not answer clients, also not after a restart.
func TestK2_DivergenceOutlivesARestart(t *testing.T) {
	c := newCluster(t, 4)
	n := c.nodes[3]
	own := wire.Mark{Seq: 4, Digest: wire.Digest{9}}
	n.replica.checkpoints.Remember(own, 0)
	cert := newLab(t, 4, 3).stableCert(4)
	n.replica.adoptStable(cert)
	n.replica.started = false
	effects := n.replica.Step(port.Tick{Mono: time.Second})
	wantCount(t, all[port.Diverged](effects), 1, "reports of divergence")
	if !n.replica.diverged {
		t.Fatal("the replica answers clients")
	}
}

// C6: if many requests arrive at once, the backups admit no more than the primary has room for, and relay all that they
// admit.
func TestC6_ABackupAdmitsWhatThePrimaryTakesOver(t *testing.T) {
	l := newLab(t, 4, 3, func(cfg *wire.Config) { cfg.MaxPending, cfg.MaxPerClient = 1024, 1024 })
	relayed, busy := 0, 0
	for i := range uint64(500) {
		effects := l.fromClient(l.request(i+1, "x"))
		relayed += len(sends[*wire.Request](effects))
		busy += len(all[port.Respond](effects))
	}
	share := l.r.pool.Limit(l.cfg.MaxPending).Part(4).Requests
	if relayed != share || busy != 500-share {
		t.Fatalf("%d relayed and %d busy, want %d and %d", relayed, busy, share, 500-share)
	}
	again := sends[*wire.Request](l.wait(l.cfg.ViewTimeout / 3))
	if len(again) < share {
		t.Fatalf("%d relayed again, want all %d", len(again), share)
	}
}

// N5: a primary that has executed batches because of their certificates proposes only above these batches, not for slots
// that are already decided.
func TestN5_APrimaryThatFollowedProposesAboveIt(t *testing.T) {
	l := newLab(t, 4, 0)
	l.commitAll(0, 1, l.batch(1, "decided without this primary"))
	sent := broadcasts[*wire.PrePrepare](l.fromClient(l.request(2, "next")))
	wantCount(t, sent, 1, "proposals")
	if sent[0].Seq != 2 {
		t.Fatalf("proposes for %d, which is decided", sent[0].Seq)
	}
}

// C6: a client that sends many requests fills only its own part of the queue, so there is room for another client.
func TestC6_AFloodLeavesRoomForOthers(t *testing.T) {
	l := newLab(t, 4, 0, func(cfg *wire.Config) { cfg.MaxPending, cfg.MaxPerClient = 64, 64 })
	l.r.proposed = l.r.log.High() // nothing is ordered meanwhile
	for i := range uint64(500) {
		l.fromClient(l.request(i+1, "flood"))
	}
	flood := l.r.pool.Direct.Requests
	later := &wire.Request{ID: wire.RequestID{Client: testKey("client", 7), Session: 1, T: 1}, Ops: [][]byte{[]byte("later")}}
	wantCount(t, all[port.Respond](l.fromClient(later)), 0, "busy answers to who comes later")
	if l.r.pool.Direct.Requests != flood+1 {
		t.Fatalf("%d requests wait, %d of the flood", l.r.pool.Direct.Requests, flood)
	}
}

// C6: while other clients wait, a client with many requests gets no more of a batch than its part.
func TestC6_ABatchIsSharedByTheClients(t *testing.T) {
	p := pool.New(4, time.Second)
	for i := range uint64(100) {
		p.Add(&wire.Request{ID: wire.RequestID{Client: testKey("client", 0), T: i + 1}}, pool.FromClient, 0)
	}
	for i := range 3 {
		p.Add(&wire.Request{ID: wire.RequestID{Client: testKey("client", i+1), T: 1}}, pool.FromClient, 0)
	}
	for range 256 { // they cost little
		p.Spend(1, []*wire.Reply{{ID: wire.RequestID{Client: testKey("client", 0)}, Outcome: wire.OutcomeExecuted}}, []uint64{1}, time.Millisecond, nil, 0)
	}
	batch := p.Take(64, 1<<20)
	if len(batch) != 16+3 {
		t.Fatalf("a batch of %d, want 16 of the one and all 3 of the others", len(batch))
	}
	if alone := p.Take(64, 1<<20); len(alone) != 64 {
		t.Fatalf("a batch of %d for a client that is alone", len(alone))
	}
}

// S4, I14: messages that a faulty replica sends too early, for a view that it leads or above the window, are bounded in
// bytes too, and do not use up the room for messages of the current primary. For such an attack the faulty replica needs
// only one large request of any client.
func TestS4_EarlyPrePreparesAreBoundedInBytes(t *testing.T) {
	l := newLab(t, 4, 3, func(cfg *wire.Config) { cfg.LogWindow, cfg.MaxOpBytes, cfg.MaxBatchBytes = 64, 4<<20-1<<10, 4<<20 })
	large := l.batch(1, string(make([]byte, l.cfg.MaxOpBytes)))
	waiting := func() (sum int) {
		for i := range l.r.log.Ring {
			if m := l.r.log.Ring[i].Waiting; m != nil {
				sum += m.Body.RequestBytes()
			}
		}
		return sum
	}
	for seq := wire.Seq(1); seq <= l.r.log.High(); seq++ {
		l.propose(1, seq, large)
	}
	if most := msglog.MaxLargeBytes + l.cfg.MaxBatchBytes; waiting() > most {
		t.Fatalf("%d bytes wait for view 1, of at most %d", waiting(), most)
	}
	of1 := waiting()
	for seq := l.r.log.High() + 1; seq <= 2*l.r.log.High(); seq++ {
		l.propose(0, seq, large)
	}
	if of0 := waiting() - of1; of0 <= msglog.MaxLargeBytes || of0 > msglog.MaxLargeBytes+l.cfg.MaxBatchBytes {
		t.Fatalf("%d bytes of the current view wait beside it", of0)
	}
	l.suspected(1)
	if waiting() > of1 {
		t.Errorf("%d bytes wait, those of the view that was left among them", waiting())
	}
	l.from(0, &wire.StableNotice{Cert: l.stableCert(l.cfg.LogWindow)})
	if waiting() > 0 {
		t.Errorf("%d bytes wait below h", waiting())
	}
}
