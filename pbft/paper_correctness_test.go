package pbft

import (
	"fmt"
	"testing"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// §4.5: any two quorums share a correct replica, and the correct replicas alone are a quorum. 2f+1 has both properties
// only for n = 3f+1: with n = 6 it would be 3, and two quorums of 3 need not share anybody.
func TestPaper45_QuorumsIntersectInACorrectReplica(t *testing.T) {
	for n, want := range map[int][2]int{4: {1, 3}, 5: {1, 4}, 6: {1, 4}, 7: {2, 5}, 8: {2, 6}, 9: {2, 6}, 10: {3, 7}} {
		cfg := clusterConfig(n)
		f, q := cfg.F(), cfg.Quorum()
		if f != want[0] || q != want[1] {
			t.Errorf("n = %d: f = %d and Q = %d, want %d and %d", n, f, q, want[0], want[1])
		}
		if 2*q-n < f+1 {
			t.Errorf("n = %d: two quorums share only %d replicas", n, 2*q-n)
		}
		if n-f < q {
			t.Errorf("n = %d: the correct replicas are no quorum", n)
		}
		if cfg.Weak() != f+1 {
			t.Errorf("n = %d: f+1 = %d", n, cfg.Weak())
		}
	}
}

// §4.5.1: with n = 6, three commits are not enough, because three other replicas could commit another batch.
func TestPaper45_WithSixReplicasThreeCommitsAreTooFew(t *testing.T) {
	l := newLab(t, 6, 5)
	b := l.batch(1, "a")
	l.propose(0, 1, b)
	var effects []port.Effect
	for id := wire.ReplicaID(1); id <= 2; id++ {
		effects = append(effects, l.from(id, l.prepare(0, 1, b.Digest(), id))...) // with its own prepare there are Q−1 = 3
	}
	wantCount(t, broadcasts[*wire.Commit](effects), 1, "commits")
	effects = nil
	for id := range wire.ReplicaID(2) { // with the own one: 3
		effects = append(effects, l.from(id, l.commit(0, 1, b.Digest(), id))...)
	}
	wantCount(t, all[port.Execute](effects), 0, "executions with three commits")
	wantCount(t, all[port.Execute](l.from(2, l.commit(0, 1, b.Digest(), 2))), 1, "executions with four")
}

// §4.5.1: agreement holds within a view even if its primary lies: of two batches for one sequence number, at most one
// prepares.
func TestPaper45_AnEquivocatingPrimaryLeadsNobodyApart(t *testing.T) {
	for n := 4; n <= 10; n++ {
		c := begin(t, n)
		c.nodes[0].faulty = true
		a, b := c.oneBatch("a"), c.oneBatch("b")
		for _, nd := range c.nodes[1:] {
			body := a
			if int(nd.id) > n/2 {
				body = b
			}
			c.put(0, nd.id, c.sign(0, &wire.PrePrepare{Seq: 1, Digest: body.Digest(), Body: body}))
			for _, d := range []wire.Digest{a.Digest(), b.Digest()} {
				c.put(0, nd.id, c.sign(0, &wire.Commit{Seq: 1, Digest: d, Replica: 0}))
			}
		}
		c.settle() // the checker checks I1 at every execution
		c.nodes[0].up = false
		last := c.request(1, 1, "last")
		c.submit(last, c.all()...)
		c.until(8*time.Second, fmt.Sprintf("n = %d: a later request is executed", n), func() bool { return executed(last, c.correct()...) })
	}
}

// §4.5.1: a batch that one replica executed survives a view change, although the others do not know that it committed.
func TestPaper45_WhatCommittedAtOneReplicaSurvives(t *testing.T) {
	for n := 4; n <= 10; n++ {
		c := begin(t, n)
		c.filter = func(p *packet) bool { _, isCommit := p.msg.(*wire.Commit); return !isCommit || p.to == 1 }
		r := c.request(0, 1, "a")
		c.submit(r, 0)
		c.settle()
		if !executed(r, c.nodes[1]) || executed(r, c.nodes[2]) {
			t.Fatalf("n = %d: not committed at replica 1 alone", n)
		}
		c.nodes[0].crash()
		// Also cut off the replica that executed the batch.
		c.filter = func(p *packet) bool { return p.from != 1 && p.to != 1 }
		if n-2 >= c.nodes[0].cfg.Quorum() {
			c.submit(c.request(0, 2, "b"), c.all()...)
			c.tick(6 * time.Second)
		}
		c.filter = nil
		c.nodes[0].start()
		last := c.request(0, 3, "c")
		c.submit(last, c.all()...)
		c.until(20*time.Second, fmt.Sprintf("n = %d: all execute", n), func() bool { return executed(last, c.nodes...) && executed(r, c.nodes...) })
	}
}

// §4.5.2: the cluster stays live when f replicas are gone, even if they are the next f primaries.
func TestPaper45_FCrashedPrimariesInARow(t *testing.T) {
	for n := 4; n <= 10; n++ {
		c := begin(t, n)
		f := c.nodes[0].cfg.F()
		for _, nd := range c.nodes[:f] {
			nd.crash()
		}
		r := c.request(0, 1, "a")
		c.submit(r, c.all()...)
		c.until(time.Duration(4*f+2)*time.Second, fmt.Sprintf("n = %d: executed", n), func() bool { return executed(r, c.nodes[f:]...) })
		if v := c.highestView(); v != wire.View(f) {
			t.Errorf("n = %d: view %d, want %d", n, v, f)
		}
	}
}

// §4.5.2, V8: a replica that has left a view does not vote in it any more. It executes what that view decides by commit
// certificates.
func TestV8_WhoLeftAViewFollowsByCertificates(t *testing.T) {
	l := newLab(t, 4, 3)
	b := l.batch(1, "a")
	l.suspected(1)
	effects := l.commitAll(0, 1, b)
	wantCount(t, broadcasts[*wire.Prepare](effects), 0, "prepares")
	wantCount(t, broadcasts[*wire.Commit](effects), 0, "commits")
	wantCount(t, all[port.Execute](effects), 0, "executions without the body")
	effects = l.from(0, &wire.CertifiedBody{Seq: 1, Body: b})
	wantCount(t, all[port.Execute](effects), 1, "executions")
}
