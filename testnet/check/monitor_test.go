package check

import (
	"testing"

	"tagma/pbft"
)

// Real cores behind real drivers keep every invariant, through losses, crashes at any record and changes of the view; the
// monitor has no false alarm, and something of every kind to check.
func TestMonitor_RealRunsAreClean(t *testing.T) {
	sum, facts, acked := tally{}, map[string]int{}, 0
	for seed := range uint64(24) {
		c := newCluster(t, []int{4, 5, 7}[seed%3], seed)
		c.loss = float64(seed%4) * 0.05
		for round := range 40 {
			if round%8 == 0 {
				c.cut = c.rng.IntN(len(c.nodes)+1) - 1
			}
			c.submit()
			c.run(20)
		}
		c.loss, c.calm, c.cut = 0, true, -1
		for range 400 {
			if c.run(5); len(c.open) == 0 {
				break
			}
		}
		c.run(300)
		ids := []pbft.ReplicaID{}
		for _, n := range c.nodes {
			if !n.replica.Inspect().LeftBehind {
				ids = append(ids, n.id)
			}
		}
		c.mon.Converged(ids...)
		for _, v := range c.mon.Violations() {
			t.Errorf("seed %d: %v", seed, &v)
		}
		if t.Failed() {
			return
		}
		for _, r := range c.mon.Results() {
			facts[r.ID] += r.Checked
		}
		acked += c.acked
		sum.crashes += c.tally.crashes
		sum.entered += c.tally.entered
		sum.checkpoints += c.tally.checkpoints
		sum.inactive += c.tally.inactive
	}
	t.Logf("%d acknowledged, %+v, %v", acked, sum, facts)
	if acked < 800 || sum.crashes < 50 || sum.entered < 50 || sum.checkpoints < 200 || sum.inactive == 0 {
		t.Errorf("not much of a run: %d acknowledged, %+v", acked, sum)
	}
	for _, id := range []string{
		"I1", "I2", "I3", "I5", "I6", "I7", "I8", "I9", "I10", "I11", "I12", "I14", "I16", "I17", "D0", "D1", "D2", "D4", "D5",
	} {
		if facts[id] == 0 {
			t.Errorf("%s was never checked", id)
		}
	}
}
