package sim

import (
	"flag"
	"testing"
)

var (
	firstSeed = flag.Uint64("sim.seed", 0, "the first seed of the random plans")
	seeds     = flag.Uint64("sim.seeds", 30, "how many random plans are run")
)

func TestDraw_RandomPlansKeepEveryInvariant(t *testing.T) {
	var total Counts
	fired := 0
	for seed := *firstSeed; seed < *firstSeed+*seeds; seed++ {
		p := Draw(seed, 0)
		out, err := Run(p)
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, p)
		}
		if out.Violation != nil {
			for _, l := range out.Trace {
				t.Log(l)
			}
			t.Fatalf("%v\n%s\nagain: go test ./testnet/sim -run RandomPlans -sim.seed %d -sim.seeds 1", out.Violation, p, seed)
		}
		total.Acknowledged += out.Counts.Acknowledged
		total.Entered += out.Counts.Entered
		total.Restarts += out.Counts.Restarts
		total.Transfers += out.Counts.Transfers
		fired += out.Fired
	}
	if total.Acknowledged == 0 || total.Entered == 0 || total.Restarts == 0 || fired == 0 {
		t.Errorf("I18: %d acknowledged, %d views entered, %d restarts, %d faults fired", total.Acknowledged, total.Entered, total.Restarts, fired)
	}
	t.Logf("%+v, %d faults", total, fired)
}
