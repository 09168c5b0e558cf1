package swarm

import (
	"testing"

	"tagma/testnet/sim"
)

// Every seed of the narrow setting gives a run with faults and attackers that keeps every invariant. The run is the same if
// its plan is written and read back, because a plan is only data, and if no monitor watches.
func TestNarrow_RandomPlansKeepEveryInvariantAndAreOneRun(t *testing.T) {
	var total sim.Counts
	fired, seen := 0, map[string]uint64{}
	for seed := *firstSeed; seed < *firstSeed+30; seed++ {
		p := Narrow.Draw(seed, 0)
		out, err := sim.Run(p)
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, p)
		}
		if out.Violation != nil {
			for _, l := range out.Trace {
				t.Log(l)
			}
			t.Fatalf("%v\n%s\nagain: tagma-testnet sim --seed %d", out.Violation, p, seed)
		}
		if other, twice := seen[out.Hash]; twice {
			t.Errorf("seeds %d and %d are the same run", seed, other)
		}
		seen[out.Hash] = seed
		total.Acknowledged += out.Counts.Acknowledged
		total.Entered += out.Counts.Entered
		total.Restarts += out.Counts.Restarts
		fired += out.Fired
		if seed%2 == 0 {
			continue
		}
		again, err := sim.ParsePlan([]byte(p.String()))
		if err != nil {
			t.Fatal(err)
		}
		second, err := sim.Run(again, func(o *sim.Options) { o.Unwatched = true })
		if err != nil {
			t.Fatal(err)
		}
		if out.Hash != second.Hash {
			t.Errorf("seed %d: %s and then %s", seed, out, second)
		}
	}
	if total.Acknowledged == 0 || total.Entered == 0 || total.Restarts == 0 || fired == 0 {
		t.Errorf("I18: %d acknowledged, %d views entered, %d restarts, %d faults fired", total.Acknowledged, total.Entered, total.Restarts, fired)
	}
	t.Logf("%+v, %d faults", total, fired)
}
