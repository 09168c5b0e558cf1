package pbft

import (
	"testing"
	"time"

	"tagma/pbft/wire"
)

// beginAt starts a cluster whose configuration says that it began with the state of another cluster after a checkpoint.
func beginAt(t *testing.T, origin wire.Seq) *cluster {
	root := wire.Digest{0xba, 0xcc}
	c := &cluster{t: t, replies: map[wire.RequestID][]*wire.Reply{}, submitted: map[wire.Digest]bool{}, asks: true}
	c.check = newChecker(c)
	for i := range 4 {
		cfg := clusterConfig(4)
		cfg.Self, cfg.Origin = wire.ReplicaID(i), wire.Mark{Seq: origin, Digest: root}
		n := newNode(c, &cfg)
		restored := emptyState()
		restored.seq, restored.root, restored.chosen = origin, root, make([]wire.Digest, origin)
		n.saved[origin] = restored
		c.nodes = append(c.nodes, n)
	}
	for _, n := range c.nodes {
		n.boot(nil, n.saved[n.cfg.Origin.Seq], Start{Life: n.life, Nonce: c.nonce(), First: true})
	}
	c.tick(20 * time.Millisecond)
	return c
}

// D8.13, M1: a cluster that began with another cluster's state is at that checkpoint and continues above it. In view
// changes, this checkpoint is its stable checkpoint. It takes its next checkpoints as every cluster does.
func TestM1_AClusterGoesOnFromItsOrigin(t *testing.T) {
	const origin = 40
	c := beginAt(t, origin)
	for _, n := range c.nodes {
		if n.replica.executed != origin || n.replica.log.Low != origin {
			t.Fatalf("replica %d begins at %d with the watermark %d", n.id, n.replica.executed, n.replica.log.Low)
		}
	}
	c.order(2)
	c.nodes[0].crash() // the primary crashes before the first checkpoint of this cluster
	r := c.request(1, 1, "after the origin")
	c.submit(r, 1, 2, 3)
	c.until(20*time.Second, "the next view executes it", func() bool { return executed(r, c.nodes[1:]...) })
	vc := c.nodes[1].replica.origin.ViewChanges[0]
	if vc.Stable.Seq != origin || len(vc.Stable.Checkpoints) != 0 {
		t.Errorf("the view changes go by %v", vc.Stable)
	}
	c.nodes[0].start()
	c.order(8)
	c.until(20*time.Second, "the next checkpoint is stable", func() bool {
		for _, n := range c.nodes {
			if n.replica.log.Low < origin+4 {
				return false
			}
		}
		return true
	})
}

// D8.6, X1: a replica that loses its disk before the first checkpoint fetches the origin's state from the others. No
// batches lead to that state.
func TestM1_AReplicaThatLostTheOriginHasItFromTheOthers(t *testing.T) {
	for _, origin := range []wire.Seq{8, 40} { // above the batches that the others keep, and below them
		c := beginAt(t, origin)
		c.order(2)
		victim := c.nodes[3]
		victim.wipe()
		victim.start()
		c.until(60*time.Second, "it is whole again", func() bool {
			return victim.amnesiac == nil && !victim.replica.silent() && victim.replica.executed > origin
		})
		if victim.transfers == 0 {
			t.Errorf("origin %d: it executed its way to %d without a state", origin, victim.replica.executed)
		}
	}
}
