package worlds

import (
	"testing"
	"time"

	"tagma/pbft/wire"
	"tagma/testnet/across"
	"tagma/testnet/sim"
)

// run runs transactions over clusters that run these machines, from a seed, until the end is settled.
func run(t *testing.T, o across.Options, change func(i int, o *sim.Options), machines ...string) *Host {
	t.Helper()
	h := New(o, 2*time.Second)
	for i, m := range machines {
		w := sim.Options{
			Seed: o.Seed + uint64(i)<<32, Cluster: []string{"east", "west", "south"}[i], Machine: m, Workload: sim.Workload{Kind: sim.None},
			Config: wire.Config{CheckpointInterval: 4, LogWindow: 8, MaxBatch: 4, ViewTimeout: 500 * time.Millisecond},
		}
		if change != nil {
			change(i, &w)
		}
		h.Prepare(&w)
		world, err := sim.New(w)
		if err != nil {
			t.Fatal(err)
		}
		h.Add(world)
	}
	h.Begin(machines)
	h.Load.Calm()
	if err := h.worlds[0].RunUntilTrue(10*time.Minute, "the end", h.Load.Done); err != nil {
		t.Fatalf("%v: %s: %+v", err, h.Load, h.Load.Counts())
	}
	for _, r := range h.Load.Judge() {
		if !r.Held || r.Checked == 0 && !r.Idle {
			t.Errorf("%+v", r)
		}
	}
	return h
}

func TestWorlds_TransactionsAreCarriedOut(t *testing.T) {
	for _, machines := range [][]string{{"kv", "kv"}, {"bank", "bank"}, {"bank", "kv", "bank"}} {
		h := run(t, across.Options{Seed: 1, Count: 30, Accounts: 8, Deadline: time.Second}, nil, machines...)
		if c := h.Load.Counts(); c.Made != 30 || c.Committed < 20 {
			t.Errorf("%v: %+v", machines, c)
		}
		t.Logf("%v: %+v %+v at %v", machines, h.Load.Counts(), h.Load.Sums(), h.Now())
	}
}

func TestWorlds_DriversThatDieAndLieBreakNothing(t *testing.T) {
	seeds := uint64(6)
	if testing.Short() {
		seeds = 1
	}
	for seed := range seeds {
		for _, machines := range [][]string{{"kv", "kv"}, {"bank", "bank"}} {
			o := across.Options{Seed: seed, Count: 30, Accounts: 8, Deadline: time.Second, Die: 0.3, Lie: 0.4, Clash: 0.2, Resolve: 300 * time.Millisecond, Intrude: 100 * time.Millisecond}
			h := run(t, o, nil, machines...)
			t.Logf("%v: %+v at %v", machines, h.Load.Counts(), h.Now())
		}
	}
}

// A driver dies at each single step, before or after it has sent something, and another client ends the transaction (TX10).
func TestTX10_ADriverMayDieAtAnyStep(t *testing.T) {
	for _, machines := range [][]string{{"kv", "kv"}, {"bank", "bank", "bank"}} {
		for step := 1; step <= 9; step++ {
			h := run(t, across.Options{
				Seed: uint64(step), Count: 8, Accounts: 8, Deadline: time.Second, Die: 1, DieAt: step, Resolve: 300 * time.Millisecond,
			}, nil, machines...)
			c := h.Load.Counts()
			if c.Made < 6 || c.Committed+c.Aborted != c.Made || step < 5 && c.Died < 6 { // one may die before its transaction is made
				t.Errorf("%v, step %d: %+v", machines, step, c)
			}
		}
	}
}
