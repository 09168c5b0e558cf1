package local

import (
	"context"
	"errors"
	"testing"
	"time"

	"tagma/client"
	"tagma/crypto"
	"tagma/internal/cluster"
	"tagma/internal/reach"
	"tagma/pbft/wire"
	"tagma/statemachine/kv"
	"tagma/testnet/byzantine"
	"tagma/testnet/links"
)

// controlled starts a cluster that takes orders, and a client.
func controlled(t *testing.T, o Options) (*Cluster, *client.Client) {
	t.Helper()
	o.Seed = 1
	o.Protocol = cluster.Protocol{ViewTimeout: cluster.Duration{Duration: 8 * time.Second}}
	c := start(t, o)
	key, err := crypto.ReadKey(c.ClientKey(0))
	if err != nil {
		t.Fatal(err)
	}
	session, err := reach.Dial(t.Context(), c.File, key)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = session.Close() })
	return c, session
}

func put(t *testing.T, c *client.Client, within time.Duration) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	_, err := kv.NewClient(c).Put(ctx, "key", []byte("value"))
	return err
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestControl_APartitionStopsCommitsUntilItHealsAndSurvivesARestart(t *testing.T) {
	t.Parallel()
	c, session := controlled(t, Options{})
	must(t, put(t, session, patience))
	split := links.Command{ID: "split", Do: links.DoPartition, Groups: [][]wire.ReplicaID{{0, 1}, {2, 3}}}
	must(t, c.Order(t.Context(), split))
	c.Kill(1)
	must(t, c.Start(1)) // the new process is sent the partition again
	if err := put(t, session, 700*time.Millisecond); !errors.Is(err, client.ErrUnknown) {
		t.Fatalf("a write in a partition without a quorum: %v", err)
	}
	for id := range 4 { // including the one that was started again, however long that took
		until(t, "every replica lost frames to the partition", func() bool { return c.Counts(id).Frames["split"] > 0 })
	}
	must(t, c.Order(t.Context(), links.Command{Do: links.DoHeal}))
	must(t, put(t, session, patience))
}

func TestControl_DelayedFramesArriveLateAndInOrder(t *testing.T) {
	t.Parallel()
	const delay = 60 * time.Millisecond
	c, session := controlled(t, Options{Network: links.Link{Delay: delay}})
	began := time.Now()
	must(t, put(t, session, patience))
	// A request needs three messages between replicas, one after the other.
	if took := time.Since(began); took < 3*delay {
		t.Errorf("with %v on every link a write took %v", delay, took)
	}
	if c.Counts(0).Frames[links.Network] != 0 {
		t.Error("a link without chances counts some")
	}
}

func TestControl_ARuleHoldsOneTypeUntilItsRelease(t *testing.T) {
	t.Parallel()
	c, session := controlled(t, Options{})
	must(t, put(t, session, patience))
	hold := links.Rule{Name: "now", Match: links.Match{Types: links.Types{wire.TypePrePrepare}}, Action: links.Hold}
	must(t, c.Order(t.Context(), links.Command{ID: "hold", Do: links.DoRule, Rule: &hold}))
	if err := put(t, session, 500*time.Millisecond); !errors.Is(err, client.ErrUnknown) {
		t.Fatalf("a write without its pre-prepare: %v", err)
	}
	must(t, c.Order(t.Context(), links.Command{Do: links.DoRelease, Name: "now"}))
	must(t, put(t, session, patience))
	until(t, "the primary counts what it held", func() bool { return c.Counts(0).Frames["hold"] >= 3 })
	if n := c.Counts(1).Frames["hold"]; n != 0 {
		t.Errorf("replica 1, which is not primary, held %d frames", n)
	}
}

func TestControl_ADormantBehaviourLiesOnlyWhileItIsAwake(t *testing.T) {
	t.Parallel()
	silent := byzantine.Choice{Name: "silent"}
	c, session := controlled(t, Options{Malicious: map[int][]byzantine.Choice{3: {silent}}})
	must(t, put(t, session, patience))
	if n := c.Counts(3).Lies; len(n) > 0 && n[0] != 0 {
		t.Fatalf("a dormant behaviour lied %d times", n[0])
	}
	must(t, c.Switch(t.Context(), 3, 0, true))
	must(t, put(t, session, patience))
	lies := func() int {
		if n := c.Counts(3).Lies; len(n) == 1 {
			return n[0]
		}
		return 0
	}
	until(t, "it keeps something back", func() bool { return lies() > 0 })
	c.Kill(3)
	before := lies()
	must(t, c.Start(3))
	must(t, put(t, session, patience))
	until(t, "it lies after its restart too", func() bool { return lies() > before })
	if err := c.Switch(t.Context(), 3, 1, true); err == nil {
		t.Error("a behaviour that it has not was switched on")
	}
}

func TestControl_AFullDiskStopsTheReplica(t *testing.T) {
	t.Parallel()
	c, session := controlled(t, Options{})
	must(t, put(t, session, patience))
	must(t, c.FillDisks(t.Context(), 3))
	for gone := false; !gone; {
		must(t, put(t, session, patience))
		select {
		case d := <-c.Deaths():
			if gone = d.Replica == 3; !gone {
				t.Fatal(d)
			}
		default:
		}
	}
	must(t, c.Start(3))
	must(t, waitReady(c, 3))
}

func TestControl_AClockJumpReachesTheCore(t *testing.T) {
	t.Parallel()
	c, session := controlled(t, Options{})
	must(t, put(t, session, patience))
	must(t, c.JumpClocks(t.Context(), -time.Hour, 1, 2, 3))
	// The cores get the new time with their next tick. From then on the primary's clock is an hour ahead of a quorum's
	// (N1).
	until(t, "no more commits", func() bool { return errors.Is(put(t, session, 300*time.Millisecond), client.ErrUnknown) })
	must(t, c.JumpClocks(t.Context(), time.Hour, 1, 2, 3))
	must(t, put(t, session, patience))
}

func TestControl_APausedReplicaTakesItsOrdersLaterAndNobodyHangs(t *testing.T) {
	t.Parallel()
	c, session := controlled(t, Options{})
	must(t, put(t, session, patience))
	must(t, c.Pause(3))
	mute := links.Command{ID: "mute", Do: links.DoIsolate, Targets: []wire.ReplicaID{3}, Direction: links.Out}
	must(t, c.Order(t.Context(), mute)) // Order does not wait for a paused replica
	must(t, c.Resume(3))
	until(t, "what it says is lost since", func() bool { return c.Counts(3).Frames["mute"] > 0 })
	must(t, c.Pause(3))
	var err error
	for range 2000 {
		if err = c.Order(t.Context(), mute); err != nil {
			break
		}
	}
	if err == nil {
		t.Error("a paused replica takes orders without end")
	}
}

func TestControl_ReplicasTellOfFacts(t *testing.T) {
	t.Parallel()
	const executed, entered = "replica 2 executed 1", "any replica entered 1"
	c, session := controlled(t, Options{Facts: []string{executed, entered}})
	must(t, put(t, session, patience))
	until(t, "replica 2 tells that it has executed", func() bool { return c.Counts(2).Facts[executed] > 0 })
	if n := c.Counts(1).Facts; n[executed] != 0 || n[entered] != 0 {
		t.Errorf("replica 1 tells of what it did not do: %v", n)
	}
	before := c.Counts(2).Facts[executed]
	c.Kill(2)
	if n := c.Counts(2).Facts[executed]; n < before {
		t.Errorf("%d facts are left of %d", n, before)
	}
}
