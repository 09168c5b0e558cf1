package pbft

import (
	"testing"
	"time"

	"tagma/pbft/wire"
)

// oneBatch is a body with one signed request of client 0.
func (c *cluster) oneBatch(op string) *wire.Body {
	r := c.request(0, uint64(len(c.submitted)+1), op)
	return &wire.Body{Time: 1, Requests: []*wire.Request{r}}
}

// sign signs a message as a replica.
func (c *cluster) sign(by wire.ReplicaID, m wire.Message) wire.Message {
	wire.Sign(c.nodes[by].cfg, m, testSign(c.nodes[by].cfg.Members[by]))
	return m
}

// E1: two pre-prepares for one place.
func TestGolden_Equivocation(t *testing.T) {
	c := traced(t, 4)
	c.nodes[0].faulty = true
	a, b := c.oneBatch("put a"), c.oneBatch("put b")
	c.put(0, 1, c.sign(0, &wire.PrePrepare{Seq: 1, Digest: a.Digest(), Body: a}))
	c.put(0, 2, c.sign(0, &wire.PrePrepare{Seq: 1, Digest: a.Digest(), Body: a}))
	c.put(0, 3, c.sign(0, &wire.PrePrepare{Seq: 1, Digest: b.Digest(), Body: b}))
	c.settle()
	c.nodes[0].up = false
	if len(c.nodes[3].accused) == 0 || c.nodes[3].accused[0].Replica != 0 {
		t.Fatal("r3 has no evidence against r0")
	}
	c.submit(a.Requests[0], 1, 2, 3)
	c.until(3*time.Second, "a is executed", func() bool { return executed(a.Requests[0], c.nodes[1:]...) })
	golden(t, c, "equivocation", `# A primary signs two pre-prepares for one place (E1).
#
# r0 sends batch a to r1 and r2, and batch b to r3, both for sequence number 1 of view 0. Neither prepares with Q - 1
# backups behind it unless they agree, so nothing conflicting can commit. r3's prepare names another digest than the one
# r1 and r2 accepted: they show r3 the primary's statement, and the other way round. Two signatures of r0 side by side
# are evidence that anybody can check; whoever holds it suspects r0 at once, without waiting for a timer.
`)
}

// D3: a restart in the middle of a view change.
func TestGolden_RestartInMidViewChange(t *testing.T) {
	c := traced(t, 4)
	c.nodes[0].crash()
	c.filter = cut(wire.TypeNewView)
	r := c.request(0, 1, "put a")
	c.submit(r, 1, 2, 3)
	c.until(3*time.Second, "all moved to view 1", func() bool { return c.nodes[3].replica.view == 1 && c.nodes[2].replica.view == 1 })
	c.trace.comment("r3 crashes between its ViewChange and the NewView")
	c.nodes[3].crash()
	c.nodes[3].start()
	if rep := c.nodes[3].replica; rep.view != 1 || rep.active {
		t.Fatalf("restarted in view %d, active %v", rep.view, rep.active)
	}
	c.filter = nil
	c.until(3*time.Second, "the request is executed", func() bool { return executed(r, c.nodes[1:]...) })
	golden(t, c, "restart_in_mid_view_change", `# A replica restarts between its ViewChange and the NewView (D3, D7).
#
# r3's ViewChange to view 1 was durable before it was sent. After the crash the journal brings it back to view 1, and not
# active: it never votes in view 0 again, and it says nothing different from what it said before. Its status shows that
# it waits in view 1, and a replica that is active there sends it the NewView (V5).
`)
}

// V9, first stall: a new-view timer that needs Q for exactly its view, while a lone replica may leave.
func TestGolden_V9_NobodyLeavesAlone(t *testing.T) {
	c := traced(t, 4)
	c.trace.comment("r3 is deaf: nothing reaches it for four timeouts")
	c.filter = func(p *packet) bool { return p.to != 3 }
	c.tick(4 * time.Second)
	if n := c.nodes[3]; n.replica.view != 0 || !n.replica.active {
		t.Fatalf("r3 left for view %d", n.replica.view)
	}
	c.trace.comment("r3 hears again, and r0 crashes: r1, r2 and r3 are just enough, and none of them got ahead")
	c.filter = nil
	c.nodes[0].crash()
	r := c.request(0, 1, "put a")
	c.submit(r, 1, 2, 3)
	c.until(3*time.Second, "the request is executed", func() bool { return executed(r, c.nodes[1:]...) })
	if v := c.highestView(); v != 1 {
		t.Fatalf("view %d, want 1", v)
	}
	golden(t, c, "v9_nobody_leaves_alone", `# The first stall that V9 names, and how the rules pass through it (V7).
#
# If a replica may leave a view alone, a deaf one climbs from view to view. When the others then need it for a quorum,
# its view changes are for views they are not in; theirs, for views it has left; and a new-view timer that starts at Q
# view changes for exactly its view never starts. Here the deaf r3 suspects view 0 each timeout and stays in it: one
# suspect moves nobody. When r0 crashes, r3 is there to make up the quorum at once, in view 1.
`)
}

// V9, second stall: a justification that a receiver judges by its own low watermark.
func TestGolden_V9_AJustificationIsJudgedByItsBytes(t *testing.T) {
	c := traced(t, 4)
	c.filter = func(p *packet) bool { _, isCheckpoint := p.msg.(*wire.Checkpoint); return !isCheckpoint || p.to == 1 }
	for range 4 {
		b := uint64(len(c.submitted) + 1)
		c.submit(c.request(0, b, "op"), 0)
		c.settle()
	}
	if h := c.nodes[1].replica.log.Low; h != 4 {
		t.Fatalf("h of r1 is %d, want 4", h)
	}
	c.trace.lines.Reset()
	c.trace.comment("r1 alone has a stable checkpoint, h = 4; r2 and r3 have h = 0 and show certificates for 1 to 4")
	c.filter = func(p *packet) bool {
		_, isNotice := p.msg.(*wire.StableNotice)
		_, isCheckpoint := p.msg.(*wire.Checkpoint)
		return !isNotice && !isCheckpoint
	}
	c.nodes[0].crash()
	r := c.request(0, 100, "put a")
	c.submit(r, 1, 2, 3)
	c.until(3*time.Second, "the request is executed", func() bool { return executed(r, c.nodes[1:]...) })
	if v := c.highestView(); v != 1 {
		t.Fatalf("view %d, want 1", v)
	}
	golden(t, c, "v9_judged_by_its_bytes", `# The second stall that V9 names, and how the rules pass through it (V2, V4, V7).
#
# Replicas differ in their low watermarks. If a receiver judged a ViewChange, its justification or its certificates, by
# its own h, r1 (h = 4) would refuse what r2 and r3 (h = 0) show, they would refuse what r1 shows, and no quorum of view
# changes would ever be valid for all. Validity depends on the message's own bytes: certificates must lie above the
# message's own h. Min-s is the highest stable checkpoint in V, O starts above it, and who is behind adopts it with the
# NewView (V4).
`)
}
