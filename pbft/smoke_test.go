package pbft

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestNormalCaseOrdersAndCheckpoints(t *testing.T) {
	c := newCluster(t, 4)
	c.tick(20 * time.Millisecond)
	for i := range 40 {
		c.submit(c.request(0, uint64(i+1), "x"), 0)
		c.settle()
	}
	c.tick(200 * time.Millisecond)
	for _, n := range c.nodes {
		if len(n.state.done) != 40 || n.replica.view != 0 || n.replica.log.low != 40 {
			t.Fatalf("replica %d: %d done, view %d, h %d", n.id, len(n.state.done), n.replica.view, n.replica.log.low)
		}
	}
}

func TestPrimaryCrashChangesView(t *testing.T) {
	c := newCluster(t, 4)
	c.tick(20 * time.Millisecond)
	c.submit(c.request(0, 1, "a"), 0)
	c.settle()
	c.nodes[0].crash()
	c.submit(c.request(0, 2, "b"), 1, 2, 3)
	c.tick(3 * time.Second)
	for _, n := range c.nodes[1:] {
		if len(n.state.done) != 2 || n.replica.view != 1 {
			t.Fatalf("replica %d: %d done, view %d active %v", n.id, len(n.state.done), n.replica.view, n.replica.active)
		}
	}
	c.nodes[0].start()
	c.tick(3 * time.Second)
	if n := c.nodes[0]; len(n.state.done) != 2 || n.replica.view != 1 {
		t.Fatalf("restarted: %d done, view %d", len(n.state.done), n.replica.view)
	}
}

// Random loss, reordering and crashes; then healing: everything converges (V9).
func TestRandomSchedules(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 1))
		n := []int{4, 4, 5, 6, 7}[seed%5]
		c := newCluster(t, n, func(cfg *Config) { cfg.LogWindow = 256 }) // no replica needs a state transfer
		healed := false
		c.filter = func(*packet) bool { return healed || rng.IntN(100) >= 15 }
		next := uint64(0)
		for range 600 {
			switch k := rng.IntN(100); {
			case k < 70 && len(c.wire) > 0:
				for range min(5, len(c.wire)) {
					c.deliver(rng.IntN(len(c.wire)))
					if len(c.wire) == 0 {
						break
					}
				}
			case k < 80:
				next++
				c.submit(c.request(0, next, "r"), c.all()[rng.IntN(n)], c.all()[rng.IntN(n)])
			case k < 82:
				nd := c.nodes[rng.IntN(n)]
				if nd.up {
					nd.crash()
				}
			case k < 85:
				nd := c.nodes[rng.IntN(n)]
				if !nd.up {
					nd.start()
				}
			default:
				c.now += time.Duration(rng.IntN(200)) * time.Millisecond
				for _, nd := range c.nodes {
					if nd.up {
						nd.step(Tick{Mono: c.now, Wall: int64(c.now) + 1})
					}
				}
			}
			c.agree(c.nodes...)
		}
		healed = true
		for _, nd := range c.nodes {
			if !nd.up {
				nd.start()
			}
		}
		var low View
		for _, nd := range c.nodes {
			low = max(low, nd.replica.view)
		}
		last := c.request(0, next+1, "last")
		for i := range 120 {
			if i%2 == 0 {
				c.submit(last, c.all()...)
			}
			c.tick(500 * time.Millisecond)
			if slices.IndexFunc(c.nodes, func(nd *node) bool { _, ok := nd.state.done[last.ID]; return !ok }) < 0 {
				break
			}
		}
		c.agree(c.nodes...)
		for _, nd := range c.nodes {
			if _, ok := nd.state.done[last.ID]; !ok {
				for _, nd := range c.nodes {
					t.Logf("replica %d: %+v", nd.id, nd.replica.Inspect())
				}
				t.Fatalf("seed %d (n=%d): replica %d did not execute the last request", seed, n, nd.id)
			}
			if nd.replica.view > low+4 {
				t.Errorf("seed %d: view %d, was %d at healing", seed, nd.replica.view, low)
			}
		}
	}
}
