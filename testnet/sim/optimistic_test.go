package sim

import (
	"testing"
	"time"

	"tagma/pbft/wire"
	"tagma/testnet/sim/disk"
)

func optimistic(seed uint64) Options {
	o := loaded(seed)
	o.Config.Optimistic = true
	o.WriteDelay = 20 * time.Millisecond
	return o
}

// powerCut stops replicas at once, with everything that was not durable lost, and starts them again.
func powerCut(t *testing.T, w *World, l disk.Loss, ids ...wire.ReplicaID) {
	t.Helper()
	for _, id := range ids {
		w.Crash(id, l)
	}
	w.mustRun(t, w.Now()+500*time.Millisecond)
	for _, id := range ids {
		if err := w.Restart(id); err != nil {
			t.Fatal(err)
		}
	}
}

// D8.14: f unclean stops at a time lose no acknowledged operation. A replica that stopped uncleanly does not vote for a
// window, and then votes again.
func TestD8_14_OneUncleanStopIsMasked(t *testing.T) {
	for _, loss := range disk.Losses() {
		for seed := range uint64(5) {
			w := mustNew(t, optimistic(seed))
			w.mustRun(t, time.Second)
			id := wire.ReplicaID(seed % 4)
			powerCut(t, w, loss, id)
			in, up := w.Inspect(id)
			if !up || !in.Unclean || !in.Silent || in.Until != in.Stable+w.Config().LogWindow {
				t.Fatalf("%s, seed %d: %+v", loss, seed, in)
			}
			w.mustRun(t, 4*time.Second)
			w.mustSettle(t, 20*time.Second, 0, 1, 2, 3)
			if in, _ := w.Inspect(id); in.Silent || in.Halted {
				t.Errorf("%s, seed %d: it is still silent: %+v", loss, seed, in)
			}
			if r := w.Linearizable(time.Minute); !r.Held || r.Checked == 0 {
				t.Errorf("I9: %+v", r)
			}
			if w.Counts().Forgotten != 0 {
				t.Errorf("%s, seed %d: an unclean stop is taken for a lost disk", loss, seed)
			}
		}
	}
}

// D8.14: more than f unclean stops at once halt the cluster for good. The replicas report that, and no two correct
// replicas execute different batches.
func TestD8_14_MoreThanFUncleanStopsHaltTheCluster(t *testing.T) {
	for _, all := range [][]wire.ReplicaID{{0, 1}, {1, 3}, {0, 1, 2, 3}} {
		w := mustNew(t, optimistic(uint64(len(all))))
		w.mustRun(t, time.Second)
		powerCut(t, w, disk.All, all...)
		w.mustRun(t, w.Now()+2*time.Second)
		acknowledged := w.Acknowledged()
		w.mustRun(t, w.Now()+20*time.Second)
		if w.Acknowledged() != acknowledged {
			t.Errorf("%v: %d operations were acknowledged after the halt", all, w.Acknowledged()-acknowledged)
		}
		for _, id := range all {
			if in, up := w.Inspect(id); !up || !in.Unclean || !in.Halted {
				t.Errorf("%v: replica %d does not say that the cluster is halted: %+v", all, id, in)
			}
		}
		// Clean stops and new starts do not help: the lost votes are still missing.
		for _, id := range all {
			w.Stop(id)
		}
		for _, id := range all {
			if err := w.Restart(id); err != nil {
				t.Fatal(err)
			}
		}
		w.mustRun(t, w.Now()+10*time.Second)
		if in, _ := w.Inspect(all[0]); w.Acknowledged() != acknowledged || !in.Halted {
			t.Errorf("%v: a clean restart ends the halt: %+v", all, in)
		}
	}
}

// D8.14: after clean stops of any number of replicas, all of them may vote at once. A later unclean stop counts again.
func TestD8_14_CleanStopsLoseNothing(t *testing.T) {
	w := mustNew(t, optimistic(3))
	ids := []wire.ReplicaID{0, 1, 2, 3}
	for range 3 {
		w.mustRun(t, w.Now()+700*time.Millisecond)
		for _, id := range ids {
			w.Stop(id)
		}
		for _, id := range ids {
			if err := w.Restart(id); err != nil {
				t.Fatal(err)
			}
			if in, _ := w.Inspect(id); in.Silent || in.Unclean {
				t.Fatalf("replica %d is silent after a clean stop: %+v", id, in)
			}
		}
	}
	w.mustRun(t, w.Now()+700*time.Millisecond)
	powerCut(t, w, disk.All, 2)
	if in, _ := w.Inspect(2); !in.Unclean {
		t.Errorf("an unclean stop after a clean one is taken for a clean one: %+v", in)
	}
	w.mustRun(t, w.Now()+time.Second)
	w.mustSettle(t, 20*time.Second, ids...)
}
