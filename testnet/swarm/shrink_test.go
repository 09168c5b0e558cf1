package swarm

import (
	"slices"
	"testing"
	"time"

	"tagma/pbft/driver"
	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/testnet/links"
	"tagma/testnet/sim"
	"tagma/testnet/sim/disk"
)

// forgetful is a core with a deliberate mistake, as a positive control: a replica that contradicts one of its own
// prepares, but only after its second start and in a view above 0. To show that, a plan needs a crash of this replica
// and a view change (I2).
type forgetful struct {
	driver.Core
	told bool
}

func (c *forgetful) Step(ev port.Event) []port.Effect {
	effects := c.Core.Step(ev)
	for _, e := range effects {
		b, ok := e.(port.Broadcast)
		if !ok || c.told {
			continue
		}
		if p, ok := b.Msg.(*wire.Prepare); ok && p.View > 0 {
			c.told = true
			lie := &wire.Prepare{View: p.View, Seq: p.Seq, Digest: wire.Digest{1}, Replica: p.Replica}
			return append(slices.Clone(effects), port.Broadcast{Msg: lie})
		}
	}
	return effects
}

// broken puts the forgetful core into replica 2 of a world.
func broken(o *sim.Options) {
	starts := 0
	o.Around = func(_ *sim.World, id wire.ReplicaID, core driver.Core) driver.Core {
		if id == 2 {
			if starts++; starts > 1 {
				return &forgetful{Core: core}
			}
		}
		return core
	}
}

// crowded is a plan with that crash, a view change, and many other faults. At no time are three of the seven replicas
// down: that alone would change the view, and then the smaller plan would need all three faults.
func crowded() *sim.Plan {
	const T = 500 * time.Millisecond
	p := &sim.Plan{
		Seed: 5, Replicas: 7, Machine: "kv", CheckpointInterval: 4, LogWindow: 16, MaxBatch: 4, ViewTimeout: T, MaxViewTimeout: 8 * T,
		SegmentBytes: 16 << 10, Base: links.Link{Delay: time.Millisecond, Jitter: 5 * time.Millisecond, Duplicate: 0.05},
		Sync: time.Millisecond, SyncJitter: time.Millisecond, Clients: 5,
		Workload:  sim.Workload{Kind: sim.Mixed, Think: 100 * time.Millisecond, Outstanding: 2, Until: 10 * time.Second},
		Malicious: []sim.Malice{{Replica: 6, Behaviour: "lying-reply"}}, Damaged: []wire.ReplicaID{5},
		Rogues: []sim.Rogue{{Behaviour: "partial-client", From: time.Second, Until: 3 * time.Second}},
		Heal:   7 * time.Second, Duration: 10 * time.Second,
	}
	away := func(id wire.ReplicaID, at, until time.Duration) sim.Fault {
		targets := []wire.ReplicaID{id}
		return sim.Fault{
			Do: sim.Network, Replica: id, At: at, Until: until,
			Links: &links.Command{Do: links.DoIsolate, Targets: targets}, Undo: &links.Command{Do: links.DoRejoin, Targets: targets},
		}
	}
	p.Faults = []sim.Fault{
		{Do: sim.ClockSkew, Replica: 3, At: 200 * time.Millisecond, By: time.Minute},
		{Do: sim.IOError, Replica: 5, At: 500 * time.Millisecond, Until: 4 * time.Second, Calls: 3},
		{Do: sim.CrashNow, Replica: 2, At: time.Second, Until: 1500 * time.Millisecond, Loss: disk.All},
		{Do: sim.Pausing, Replica: 4, At: 1600 * time.Millisecond, Until: 2 * time.Second},
		away(0, 3*time.Second, 5*time.Second),
		{Do: sim.CrashNow, Replica: 1, At: 5 * time.Second, Until: 5500 * time.Millisecond, Loss: disk.Tail},
		away(3, 5*time.Second, 6*time.Second),
	}
	return p
}

func TestShrink_KeepsWhatBreaksTheInvariantAndNothingElse(t *testing.T) {
	p := crowded()
	if out, err := sim.Run(p); err != nil || out.Violation != nil {
		t.Fatalf("without the break: %v, %v", err, out.Violation)
	}
	out, err := sim.Run(p, broken)
	if err != nil || out.Violation == nil {
		t.Fatalf("the break is not seen: %v", err)
	}
	text := p.String()
	small := Shrink(t.Context(), p, out.Violation, Budget{Runs: 300, Time: time.Minute}, broken)
	if p.String() != text {
		t.Error("the plan that was given is another one now")
	}
	t.Logf("%d runs: %v\n%s", small.Runs, small.Violation, small.Plan)
	q := small.Plan
	if small.Violation.Invariant != out.Violation.Invariant {
		t.Errorf("%s became %s", out.Violation.Invariant, small.Violation.Invariant)
	}
	if q.Replicas != 4 || q.Clients != 1 || len(q.Malicious)+len(q.Damaged)+len(q.Rogues) != 0 || len(q.Faults) > 2 || q.Duration >= p.Duration {
		t.Errorf("too much is left: %d replicas, %d clients, %d faults, %v", q.Replicas, q.Clients, len(q.Faults), q.Duration)
	}
	if !slices.ContainsFunc(q.Faults, func(f sim.Fault) bool { return f.Do == sim.CrashNow && f.Replica == 2 }) {
		t.Error("the crash without which nothing breaks is gone")
	}
	again, err := sim.ParsePlan([]byte(q.String()))
	if err != nil {
		t.Fatal(err)
	}
	if out, err := sim.Run(again, broken); err != nil || out.Violation == nil || *out.Violation != *small.Violation {
		t.Errorf("as a file it does something else: %v, %v", out.Violation, err)
	}
	if out, err := sim.Run(again); err != nil || out.Violation != nil {
		t.Errorf("without the break: %v, %v", out.Violation, err)
	}
}

func TestShrink_StopsWhenItsBudgetIsSpent(t *testing.T) {
	p := crowded()
	out, err := sim.Run(p, broken)
	if err != nil || out.Violation == nil {
		t.Fatal(err, "the break is not seen")
	}
	if small := Shrink(t.Context(), p, out.Violation, Budget{Runs: 5, Time: time.Minute}, broken); small.Runs != 5 || small.Violation == nil {
		t.Errorf("%d runs, %v", small.Runs, small.Violation)
	}
	if small := Shrink(t.Context(), p, out.Violation, Budget{Runs: 100}, broken); small.Runs != 0 || small.Plan.String() != p.String() {
		t.Errorf("without any time there were %d runs", small.Runs)
	}
}
