package pbft

import (
	"strings"
	"testing"
	"time"

	"tagma/pbft/pool"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// §4.1: the client sends its request to the primary, which orders it and every replica replies to the client.
func TestPaper41_EveryReplicaRepliesToTheClient(t *testing.T) {
	c := begin(t, 4)
	r := c.request(0, 1, "a")
	c.submit(r, 0)
	c.settle()
	replies := c.replies[r.ID]
	wantCount(t, replies, 4, "replies")
	for _, m := range replies {
		if m.Outcome != wire.OutcomeExecuted || m.Seq != 1 || m.Request != r.Digest() {
			t.Errorf("reply %+v", m)
		}
	}
}

// §4.1, C3: if there is no reply in time, the client sends the request to all replicas. A backup relays it to the
// primary, which orders it.
func TestPaper41_C3_ABackupRelaysToThePrimary(t *testing.T) {
	l := newLab(t, 4, 2)
	r := l.request(1, "a")
	effects := l.fromClient(r)
	wantCount(t, sends[*wire.Request](effects), 1, "relayed requests")
	if to := all[port.Send](effects)[0].To; to != 0 {
		t.Fatalf("relayed to replica %d, the primary is 0", to)
	}
}

// C3: a backup relays a large request only if the primary has not proposed it within T/4, even if the client sends it
// again before that. If the primary proposes it in time, the backup does not relay it at all.
func TestC3_ABackupRelaysALargeRequestLater(t *testing.T) {
	for _, proposed := range []bool{false, true} {
		l := newLab(t, 4, 2)
		r := l.request(1, strings.Repeat("x", 100_000))
		effects := l.fromClient(r)
		effects = append(effects, l.wait(l.cfg.ViewTimeout/4-time.Millisecond)...)
		effects = append(effects, l.fromClient(r)...)
		wantCount(t, sends[*wire.Request](effects), 0, "requests relayed early")
		want := 1
		if proposed {
			l.propose(0, 1, &wire.Body{Time: 1, Requests: []*wire.Request{r}})
			want = 0
		}
		wantCount(t, sends[*wire.Request](l.wait(2*time.Millisecond)), want, "relayed requests")
	}
}

// §4.1: a backup accepts requests only from clients. It drops a request that a replica relays, because relayed requests
// are for the primary.
func TestPaper41_ARelayedRequestIsForThePrimaryOnly(t *testing.T) {
	l := newLab(t, 4, 2)
	wantDrop(t, l.from(1, l.request(1, "a")), port.ReasonNotPrimary)
}

// §4.1, C3: if the request is not executed in time the backup suspects the primary.
func TestPaper41_C3_ABackupTimesARequest(t *testing.T) {
	l := newLab(t, 4, 2)
	l.fromClient(l.request(1, "a"))
	l.from(0, l.signBy(&wire.Heartbeat{}, 0))
	wantCount(t, broadcasts[*wire.Suspect](l.wait(l.cfg.ViewTimeout-time.Millisecond)), 0, "suspects before the timeout")
	wantCount(t, broadcasts[*wire.Suspect](l.wait(time.Millisecond)), 1, "suspects")
}

// C3: if a request is already held or ordered, sending it again starts no second timer and does not order it again.
func TestC3_AResentRequestIsNotOrderedTwice(t *testing.T) {
	l := newLab(t, 4, 0)
	r := l.request(1, "a")
	wantCount(t, broadcasts[*wire.PrePrepare](l.fromClient(r)), 1, "pre-prepares")
	l.wait(l.cfg.ViewTimeout / 8)
	wantCount(t, broadcasts[*wire.PrePrepare](l.fromClient(r)), 0, "pre-prepares of the same request")
	wantCount(t, broadcasts[*wire.PrePrepare](l.from(1, r)), 0, "pre-prepares of the relayed request")
}

// C3: a timer belongs to a request's name, not to its digest. If another operation is sent under the same name, the same
// timer applies.
func TestC3_RequestsAreKeyedByName(t *testing.T) {
	l := newLab(t, 4, 2)
	l.fromClient(l.request(1, "a"))
	wantDrop(t, l.fromClient(l.request(1, "b")), port.ReasonDuplicate)
	if k := len(l.r.pool.ByID); k != 1 {
		t.Fatalf("%d requests held", k)
	}
}

// C6: if there is no room for a request, it is answered Busy, with a hint when to try again, and is not kept.
func TestC6_OverflowIsAnsweredBusy(t *testing.T) {
	l := newLab(t, 4, 1, func(cfg *wire.Config) { cfg.MaxPerClient = 2 })
	l.fromClient(l.request(1, "a"))
	l.fromClient(l.request(2, "b"))
	effects := l.fromClient(l.request(3, "c"))
	replies := all[port.Respond](effects)
	wantCount(t, replies, 1, "replies")
	if r := replies[0].Reply; r.Outcome != wire.OutcomeBusy || r.RetryAfterMillis == 0 || r.ID.T != 3 {
		t.Fatalf("reply %+v", r)
	}
	if k := len(l.r.pool.ByID); k != 2 {
		t.Fatalf("%d requests held", k)
	}
}

// C6: requests that one replica relays cannot use up the room that is reserved for another replica.
func TestC6_EachBackupHasAShareOfItsOwn(t *testing.T) {
	l := newLab(t, 4, 0, func(cfg *wire.Config) { cfg.MaxPending = 16 })
	share := 0
	for i := range uint64(16) {
		if len(all[port.Dropped](l.from(1, l.request(i+1, "flood")))) == 0 {
			share++
		}
	}
	if share == 0 || share == 16 {
		t.Fatalf("%d of 16 requests of one backup were admitted", share)
	}
	if d := all[port.Dropped](l.from(2, l.request(100, "other"))); len(d) > 0 {
		t.Fatalf("another backup's request was dropped: %s", d[0].Why)
	}
}

// C6: clients take turns in a batch, however many requests one of them has queued.
func TestC6_ClientsTakeTurns(t *testing.T) {
	c := newCluster(t, 4)
	p := pool.New(4, time.Second)
	for i := range uint64(5) {
		p.Add(c.request(0, i+1, "greedy"), pool.FromClient, 0)
	}
	modest := c.request(1, 1, "modest")
	p.Add(modest, pool.FromClient, 0)
	if batch := p.Take(2, 1<<20); len(batch) != 2 || batch[1].ID != modest.ID {
		t.Fatal("the second place of the batch is not the other client's")
	}
}

// Only requests are accepted over a client's link.
func TestPaper41_AClientCannotSendVotes(t *testing.T) {
	l := newLab(t, 4, 2)
	m := l.prepare(0, 1, wire.Digest{1}, 1)
	wantDrop(t, l.step(port.Received{From: port.Source{Client: true}, Msg: wire.Own(m)}), port.ReasonFromClient)
}
