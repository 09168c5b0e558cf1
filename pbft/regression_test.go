package pbft

import (
	"testing"
	"time"

	"tagma/pbft/pool"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// These are schedules that once broke a rule. Each comment says what went wrong then.

// A left-behind replica, which certificates can no longer help, listed every sequence number up to H in its status.
// These were more than two windows, so all others refused the status and sent no help.
func TestN7_AReplicaLeftBehindStillSendsAStatusThatPeersAccept(t *testing.T) {
	l := newLab(t, 4, 3)
	for s := wire.Seq(8); s <= 40; s += 8 {
		l.from(0, &wire.StableNotice{Cert: l.stableCert(s)})
	}
	l.from(1, l.commit(0, 47, wire.Digest{1}, 1))
	status := broadcasts[*wire.Status](l.wait(time.Second))
	wantCount(t, status, 1, "status messages")
	if err := wire.Check(&l.cfg, status[0]); err != nil {
		t.Fatal(err)
	}
}

// A body that came with a commit certificate waited behind a gap, so no record held it. Then a new view proposed the
// same digest. The replica prepared the slot, and later executed it, with a body that it would have lost in a crash.
func TestD1_ABodyThatCameByCertificateIsDurableBeforeThePrepare(t *testing.T) {
	l := newLab(t, 4, 3)
	b := l.batch(1, "a")
	l.from(1, &wire.CertifiedBody{Seq: 2, Body: b, Cert: l.commitCert(0, 2, b.Digest())}) // 1 is missing
	var vcs []*wire.ViewChange
	for id := range wire.ReplicaID(3) {
		vcs = append(vcs, l.viewChange(1, id, wire.StableCert{}, l.preparedCert(0, 2, b)))
	}
	effects := l.from(1, l.newViewFrom(1, vcs...))
	durable := false
	for _, e := range effects {
		switch e := e.(type) {
		case port.Persist:
			f, ok := e.Record.(*wire.Fetched)
			durable = durable || ok && f.Body.Digest() == b.Digest()
		case port.Broadcast:
			if p, ok := e.Msg.(*wire.Prepare); ok && p.Seq == 2 {
				if !durable {
					t.Fatal("prepared before the body was durable")
				}
				return
			}
		}
	}
	t.Fatal("never prepared")
}

// A faulty replica signed a pre-prepare for a view far away, of which it would be the primary. That message took the
// slot's only place for an early pre-prepare, and the slot no longer counted as lacking one. So the pre-prepare of the
// current view, if it was lost, was never asked for again.
func TestN6_APrePrepareForAnAbsurdViewTakesNobodysPlace(t *testing.T) {
	l := newLab(t, 4, 3)
	b := l.batch(1, "a")
	l.from(2, l.prePrepare(1<<40+2, 1, wire.NullBody))
	for _, id := range []wire.ReplicaID{1, 2} { // so that the slot is known to be proposed
		l.from(id, l.prepare(0, 1, b.Digest(), id))
	}
	if lacks := l.r.newStatus().Slots; len(lacks) != 1 || lacks[0].Lacks&wire.LacksProposal == 0 {
		t.Fatalf("lacks %v, want the proposal of slot 1", lacks)
	}
	l.from(1, l.prePrepare(1, 1, b)) // early, because the NewView has not arrived yet
	effects := l.enter(1)
	wantCount(t, broadcasts[*wire.Prepare](effects), 1, "prepares")
}

// The record of an accepted pre-prepare became durable, and then the replica crashed before it sent its prepare. Nothing
// made it vote in that view again.
func TestD1_ACrashBetweenPrePrepareAndPrepareCostsNoVote(t *testing.T) {
	l := newLab(t, 4, 3)
	b := l.batch(1, "a")
	l.log = []wire.Record{&wire.Accepted{PrePrepare: l.prePrepare(0, 1, b)}}
	if p := broadcasts[*wire.Prepare](l.restart()); len(p) != 1 || p[0].Digest != b.Digest() {
		t.Fatalf("prepares after the restart: %v", p)
	}
}

// The same happened in a view change: the NewView was durable, but the votes for its O were not sent.
func TestD4_ACrashBetweenNewViewAndPrepareCostsNoVote(t *testing.T) {
	l := newLab(t, 4, 3)
	var vcs []*wire.ViewChange
	for id := range wire.ReplicaID(3) {
		vcs = append(vcs, l.viewChange(1, id, wire.StableCert{}, l.preparedCert(0, 1, wire.NullBody)))
	}
	l.log = []wire.Record{&wire.Activated{NewView: l.newViewFrom(1, vcs...)}}
	wantCount(t, broadcasts[*wire.Prepare](l.restart()), 1, "prepares")
}

// A primary crashed when its pre-prepare was durable and had not reached any other replica. So no replica asked for the
// pre-prepare.
func TestD1_APrimarySendsAgainWhatACrashKeptBack(t *testing.T) {
	l := newLab(t, 4, 0)
	pp := l.prePrepare(0, 1, l.batch(1, "a"))
	l.log = []wire.Record{&wire.Sent{Msg: pp}}
	again := sends[*wire.PrePrepare](l.restart())
	wantCount(t, again, 3, "pre-prepares")
	if string(wire.Encode(again[0])) != string(wire.Encode(pp)) {
		t.Fatal("D7: not the bytes that were signed before the crash")
	}
}

// A pre-prepare was lost on the way to all replicas. Its primary listed it in its status, but the other replicas ignored
// that.
func TestN3_APrePrepareLostToAllIsAskedFor(t *testing.T) {
	c := begin(t, 4)
	c.filter = func(p *packet) bool { _, isPrePrepare := p.msg.(*wire.PrePrepare); return !isPrePrepare }
	r := c.request(0, 1, "a")
	c.submit(r, 0)
	c.settle()
	c.filter = nil
	c.until(900*time.Millisecond, "the request is executed in view 0", func() bool { return executed(r, c.nodes...) })
	if v := c.highestView(); v != 0 {
		t.Fatalf("view %d", v)
	}
}

// A backup relayed a request once, the message was lost, and the client went away. The backup suspected a correct
// primary for ever, and with the Suspect of one faulty replica the primary would have been replaced.
func TestC3_ALostRelayIsRepeated(t *testing.T) {
	c := begin(t, 4)
	c.filter = func(p *packet) bool { _, isRequest := p.msg.(*wire.Request); return !isRequest }
	r := c.request(0, 1, "a")
	c.submit(r, 2)
	c.settle()
	c.filter = nil
	c.until(900*time.Millisecond, "the request is executed in view 0", func() bool { return executed(r, c.nodes...) })
	if c.nodes[2].replica.suspicion.sent {
		t.Fatal("the backup suspects the primary")
	}
}

// A status that lists every slot as missing was answered with every pre-prepare of the window, however large they were.
func TestS4_AStatusBringsBackABoundedAnswer(t *testing.T) {
	l := newLab(t, 4, 0, func(cfg *wire.Config) { cfg.LogWindow, cfg.MaxOpBytes, cfg.MaxBatchBytes = 64, 1<<20, 2<<20 })
	big := string(make([]byte, 1<<20))
	for t := range uint64(8) {
		l.fromClient(l.request(t+1, big))
		l.r.proposed = wire.Seq(t + 1)
		l.r.handed = l.r.proposed // as if everything was ordered, so that the next request is proposed at once
	}
	l.r.handed = 0
	l.wait(time.Second)
	m := &wire.Status{Active: true, Helper: 0}
	for s := range wire.Seq(8) {
		m.Slots = append(m.Slots, wire.SlotStatus{Seq: s + 1, Lacks: lacksEverything})
	}
	if k := len(sends[*wire.PrePrepare](l.from(1, m))); k < 1 || k > 5 {
		t.Fatalf("%d pre-prepares of 1 MiB, want 4 MiB and what exceeds it", k)
	}
	wantDrop(t, l.from(1, m), port.ReasonTooOften)
}

// If a replica always claimed to lack everything, every other replica sent it every slot of the window sixteen times in
// a timeout. So one liar multiplied the traffic by sixteen. Now a replica has a budget, which grows with time and with
// its progress.
func TestS4_WhoAlwaysLacksEverythingIsHelpedWithinAnAllowance(t *testing.T) {
	const slots, timeouts = 200, 10
	l := newLab(t, 4, 0, func(cfg *wire.Config) { cfg.CheckpointInterval, cfg.LogWindow = 128, 256 })
	m := &wire.Status{Active: true, Helper: 0}
	for s := wire.Seq(1); s <= slots; s++ {
		l.commitAll(0, s, l.batch(uint64(s), "a"))
		m.Slots = append(m.Slots, wire.SlotStatus{Seq: s, Lacks: wire.LacksPrepares | wire.LacksCommits})
	}
	l.wait(time.Second)
	first := l.from(1, m)
	wantCount(t, sends[*wire.Commit](first), slots, "commits: whoever really lacks them gets them all")
	wantCount(t, sends[*wire.CertifiedBody](first), slots, "certificates")
	bytes := 0
	for range timeouts * 16 {
		l.wait(l.cfg.ViewTimeout / 16)
		for _, e := range all[port.Send](l.from(1, m)) {
			bytes += wire.SizeHint(e.Msg)
		}
	}
	if most := (timeouts + 3) * l.r.log.Bytes(); bytes < most/2 || bytes > most {
		t.Errorf("%d bytes in %d timeouts, want at most %d and not much less", bytes, timeouts, most)
	}
	others := l.from(2, m)
	wantCount(t, sends[*wire.Commit](others), slots, "commits to somebody else")
}

// A primary that lagged behind the stable checkpoint counted everything up to that checkpoint as in flight. So it
// proposed nothing until the requests filled a batch.
func TestN5_APrimaryThatLagsProposesAllTheSame(t *testing.T) {
	l := newLab(t, 4, 0)
	l.from(1, &wire.StableNotice{Cert: l.stableCert(8)})
	pp := broadcasts[*wire.PrePrepare](l.fromClient(l.request(1, "a")))
	if len(pp) != 1 || pp[0].Seq != 9 {
		t.Fatalf("pre-prepares %v, want one at 9", pp)
	}
}

// Only a primary takes requests out of the queues. So at a backup the queues grew with every request that arrived.
func TestS4_TheQueuesOfABackupDoNotGrow(t *testing.T) {
	c := newCluster(t, 4)
	p := pool.New(4, time.Second)
	first := c.request(1, 1, "always one outstanding")
	p.Add(first, pool.FromClient, 0)
	p.MarkProposed(&wire.Body{Requests: []*wire.Request{first}})
	for i := range uint64(1000) {
		// One client that sends a request and goes away, and one that always has a request in the pool.
		for client := range 2 {
			b := &wire.Body{Requests: []*wire.Request{c.request(client, i+2, "op")}}
			p.Add(b.Requests[0], pool.FromClient, 0)
			p.MarkProposed(b)
			p.MarkOrdered(1, b)
			p.Remove(b.Requests[0].ID)
		}
	}
	if k := len(p.Turns); k > 2*pool.Slack {
		t.Errorf("%d clients are listed for a turn", k)
	}
	if k := len(p.Clients[first.ID.Client].Fifo); k > 2*pool.Slack {
		t.Errorf("%d requests are listed for a client that has one", k)
	}
}

// When a view began, all requests of a client were ordered and not yet executed. The client lost its turn, and the new
// primary never proposed its next request.
func TestC6_AClientWithOrderedRequestsGetsItsTurnAfterAViewChange(t *testing.T) {
	c := newCluster(t, 4)
	p := pool.New(4, time.Second)
	ordered := &wire.Body{Requests: []*wire.Request{c.request(0, 1, "ordered")}}
	p.Add(ordered.Requests[0], pool.FromClient, 0)
	p.MarkProposed(ordered)
	p.MarkOrdered(1, ordered)
	p.Requeue()
	p.Add(c.request(0, 2, "next"), pool.FromClient, 0)
	if batch := p.Take(4, 1<<20); len(batch) != 1 || batch[0].ID.T != 2 {
		t.Fatalf("batch %v, want the next request", batch)
	}
}

// When a replica entered a view, it dropped the bodies that the view's O did not choose. But a later view change may
// show a certificate for one of them. Then no correct replica had the body any more, and no view could order the slot.
func TestV4_ABodyPreparedOnceIsKeptForALaterViewChange(t *testing.T) {
	l := newLab(t, 4, 3)
	b := l.batch(1, "a")
	l.propose(0, 1, b) // it prepares here, and a faulty replica does not show its certificate
	var nulls, hidden []*wire.ViewChange
	for id := range wire.ReplicaID(3) {
		nulls = append(nulls, l.viewChange(1, id, wire.StableCert{}, l.preparedCert(0, 2, wire.NullBody)))
		hidden = append(hidden, l.viewChange(2, id, wire.StableCert{}))
	}
	l.from(1, l.newViewFrom(1, nulls...)) // O: slot 1 null
	hidden[0] = l.viewChange(2, 0, wire.StableCert{}, l.preparedCert(0, 1, b))
	effects := l.from(2, l.newViewFrom(2, hidden...))
	if p := broadcasts[*wire.Prepare](effects); len(p) != 1 || p[0].Digest != b.Digest() {
		t.Fatalf("prepares %v, want the batch of view 0", p)
	}
}

// A replica that was left behind dropped the executed batches from its journal. After a restart its state was above the
// end of its journal, so it took the journal for an old copy.
func TestD8_WhoWasLeftBehindDoesNotTakeItsJournalForAnOldCopy(t *testing.T) {
	l := newLab(t, 4, 3)
	b := l.batch(1, "a")
	executed := []wire.Record{&wire.Certified{Body: b, Cert: *l.commitCert(0, 1, b.Digest())}}
	if got := wire.Log(executed).Reach(&l.cfg); got != 1 {
		t.Errorf("a journal with a certified batch reaches to %d", got)
	}
	far := wire.KeptWindows*l.cfg.LogWindow + 8
	behind := []wire.Record{&wire.Stable{Cert: l.stableCert(far)}} // what is left of the journal
	if got := wire.Log(behind).Reach(&l.cfg); got != far {
		t.Errorf("a journal that begins above 8 reaches to %d, want %d: the state there may have been fetched in part", got, far)
	}
	for at, behindIt := range map[wire.Seq]bool{7: true, 8: false} {
		r, err := New(&l.cfg, behind, Applied{Seq: at})
		if err != nil || r.leftBehind() != behindIt {
			t.Errorf("the state after %d: needs the state from others %v, %v", at, r.leftBehind(), err)
		}
	}
}
