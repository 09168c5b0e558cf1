package sim

import "testing"

// Every seed is a run: with faults and attackers, whatever else the process does.
func TestRun_OnePlanIsOneRun(t *testing.T) {
	seen := map[string]uint64{}
	for seed := *firstSeed; seed < *firstSeed+*seeds/2; seed++ {
		first, err := Run(Draw(seed, 0))
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParsePlan([]byte(first.Plan.String())) // a plan is data, and nothing else
		if err != nil {
			t.Fatal(err)
		}
		second, err := Run(again, func(o *Options) { o.Unwatched = true }) // and who watches changes nothing
		if err != nil {
			t.Fatal(err)
		}
		if first.Hash != second.Hash {
			t.Errorf("seed %d: %s and then %s", seed, first, second)
		}
		if other, twice := seen[first.Hash]; twice {
			t.Errorf("seeds %d and %d are the same run", seed, other)
		}
		seen[first.Hash] = seed
	}
}
