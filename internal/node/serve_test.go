package node

import (
	"fmt"
	"testing"

	"tagma/internal/cluster"
	"tagma/statemachine/kv"
)

func TestFourReplicasOrderAndServe(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, cluster.Protocol{CheckpointInterval: 8, LogWindow: 32})
	b.startAll()
	c, ctx := b.dial()
	for i := range 100 {
		if _, err := kv.NewClient(c).Put(ctx, fmt.Sprintf("k%d", i), []byte("v")); err != nil {
			t.Fatal(err)
		}
		if i%20 == 19 {
			b.level(4) // so that on a busy machine no replica falls behind by more than the window
		}
	}
	if v, err := kv.NewClient(c).Get(ctx, "k42"); err != nil || string(v) != "v" {
		t.Fatalf("k42 = %q, %v", v, err)
	}
	b.until("all replicas at one stable checkpoint", func(rs []Report) bool {
		for _, r := range rs {
			if r.StableCheckpoint < 80 || r.StateDigest != rs[0].StateDigest {
				return false
			}
		}
		return len(rs) == 4
	})
}

// All four replicas stop. Three of them that start again are enough, and nothing acknowledged is lost (I9).
func TestRestartOfAllKeepsEverything(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, cluster.Protocol{CheckpointInterval: 8, LogWindow: 32})
	b.startAll()
	c, ctx := b.dial()
	for i := range 50 {
		if _, err := kv.NewClient(c).Put(ctx, fmt.Sprintf("k%d", i), fmt.Appendf(nil, "v%d", i)); err != nil {
			t.Fatal(err)
		}
		if i%20 == 19 {
			b.level(4)
		}
	}
	b.stopAll()
	for i := range 3 {
		b.start(i)
	}
	for i := range 50 {
		if v, err := kv.NewClient(c).Get(ctx, fmt.Sprintf("k%d", i)); err != nil || string(v) != fmt.Sprintf("v%d", i) {
			t.Fatalf("k%d = %q, %v", i, v, err)
		}
	}
}
