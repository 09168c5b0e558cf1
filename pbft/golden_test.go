package pbft

import (
	"testing"
	"time"

	"tagma/pbft/wire"
)

// §4.2: three phases, then execution and replies.
func TestGolden_NormalCase(t *testing.T) {
	c := traced(t, 4)
	c.submit(c.request(0, 1, "put a"), 0)
	c.settle()
	if !executed(c.request(0, 1, "put a"), c.nodes...) {
		t.Fatal("not executed")
	}
	golden(t, c, "normal_case", `# The normal case (§4.2) with four replicas; r0 is the primary of view 0.
#
# A client's request reaches the primary, which assigns sequence number 1 and pre-prepares. A backup makes the
# pre-prepare durable, then prepares (D1). With the pre-prepare and Q-1 = 2 prepares of backups the batch is
# prepared (N2): the certificate is made durable before the commit leaves (D2). Q = 3 commits and the batch is
# executed; the client is answered by everybody. A message that comes when its job is done is dropped, and why is
# part of the trace. Status messages and heartbeats are left out.
`)
}

// §4.4: the primary stops.
func TestGolden_PrimaryCrash(t *testing.T) {
	c := traced(t, 4)
	c.nodes[0].crash()
	r := c.request(0, 1, "put a")
	c.submit(r, 1, 2, 3)
	c.until(3*time.Second, "the request is executed", func() bool { return executed(r, c.nodes[1:]...) })
	if v := c.highestView(); v != 1 {
		t.Fatalf("view %d", v)
	}
	golden(t, c, "primary_crash", `# The primary crashes (§4.4, V7).
#
# r0 is gone. Its backups relay a request to it in vain; their timers expire, and each broadcasts Suspect(0) and goes
# on. With f+1 = 2 suspects a replica leaves view 0: its ViewChange carries exactly those suspects, so whoever gets it
# can follow with the same ones. Q = 3 view changes and r1, the primary of view 1, sends the NewView. Nothing was
# prepared, so O is empty. The waiting request is relayed to r1, and ordered.
`)
}

// V1, V3: what may have committed survives two view changes.
func TestGolden_PreparedSurvivesTwoViewChanges(t *testing.T) {
	c := traced(t, 4)
	c.filter = cut(wire.TypeCommit)
	r := c.request(0, 1, "put a")
	c.submit(r, 0)
	c.settle()
	c.trace.comment("no commit was delivered; r0 crashes, and so does r1 as soon as it starts view 1")
	c.nodes[0].crash()
	c.filter = cut(wire.TypeCommit, wire.TypePrepare)
	c.until(4*time.Second, "view 1 is active", func() bool { return c.nodes[2].replica.view == 1 && c.nodes[2].replica.active })
	c.nodes[1].crash()
	c.trace.comment("r0 is back, all links work, and view 2 needs three view changes: r0, r2, r3")
	c.filter = nil
	c.nodes[0].start()
	c.until(8*time.Second, "the request is executed", func() bool { return executed(r, c.nodes[0], c.nodes[2], c.nodes[3]) })
	golden(t, c, "prepared_survives_two_view_changes", `# A batch that prepared in view 0 is proposed again in views 1 and 2 (V1, V3).
#
# The batch prepares everywhere, but no commit gets through: it may have committed somewhere, for all one knows. View
# 1 takes it into O, and ends before anything prepares in it. P still holds the certificate of view 0: it covers every
# sequence number prepared in any earlier view, prepared again since or not. So view 2 has it in O as well, and there
# it commits. r0 replays its journal after its crash and goes by the same certificate.
`)
}

// V3, N4: nulls fill a gap.
func TestGolden_GapIsFilledWithNulls(t *testing.T) {
	c := traced(t, 4)
	c.nodes[0].faulty = true
	b := c.oneBatch("put b")
	c.trace.comment("r0 is faulty: it assigns sequence number 2 and leaves 1 out")
	for _, to := range []wire.ReplicaID{1, 2, 3} {
		c.put(0, to, c.sign(0, &wire.PrePrepare{Seq: 2, Digest: b.Digest(), Body: b}))
	}
	c.settle()
	c.nodes[0].up = false
	c.submit(b.Requests[0], 1, 2, 3)
	c.until(3*time.Second, "the batch is executed", func() bool { return executed(b.Requests[0], c.nodes[1:]...) })
	golden(t, c, "gap_filled_by_nulls", `# A gap in the sequence is filled with the null request (V3, N4).
#
# A faulty primary assigns sequence number 2 and never 1. The batch at 2 prepares among the backups, and cannot be
# executed. In the view change max-s is 2; for 1 no certificate turns up, so O has null there. Both go through three
# phases: null executes as nothing, and the batch right after it.
`)
}

// N7: catching up by certificates.
func TestGolden_LateReplicaCatchesUp(t *testing.T) {
	c := traced(t, 4)
	c.filter = func(p *packet) bool { return p.to != 3 }
	for i := range uint64(3) {
		c.submit(c.request(0, i+1, "op"+string(rune('1'+i))), 0)
		c.settle()
	}
	c.trace.comment("r3 heard nothing; now its links work again")
	c.trace.lines.Reset()
	c.filter = nil
	c.until(time.Second, "r3 executed everything", func() bool { return c.nodes[3].state.seq == 3 })
	golden(t, c, "late_replica_catches_up", `# A replica that was cut off follows by certificates (N7).
#
# r3 heard nothing while three batches were ordered. Its next status shows what it executed; the peer that the status
# names as helper pushes each batch with its commit certificate. Q commits of one view prove what was decided, so r3
# journals certificate and body and executes. It sends no vote for those, and no view changes: nobody waits for it.
`)
}
