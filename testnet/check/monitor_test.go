package check

import (
	"slices"
	"testing"

	"tagma/internal/rules"
	"tagma/testnet/byzantine"
)

// Real cores with real drivers keep every invariant although messages are lost, replicas crash at any record, and views
// change. The monitor raises no false alarm, and has something to compare for every invariant.
func TestMonitor_RealRunsAreClean(t *testing.T) {
	sum, facts, told, acked := tally{}, map[string]int{}, map[string]int{}, 0
	for seed := range uint64(25) {
		if seed == 24 {
			// With this seed, a NewView with a higher stable checkpoint is durable before the loopback delivers it to
			// its own core.
			seed = 864
		}
		c := newCluster(t, []int{4, 5, 7}[seed%3], seed, "")
		c.loss = float64(seed%4) * 0.05
		c.rough(40)
		for _, v := range c.mon.Violations() {
			t.Errorf("seed %d: %v", seed, &v)
		}
		for _, r := range c.journals().Results() {
			if !r.Held {
				t.Errorf("seed %d: by the journals %s: %s", seed, r.ID, r.Why)
			}
			told[r.ID] += r.Checked
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
	t.Logf("%d acknowledged, %+v, %v; by the journals %v", acked, sum, facts, told)
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
	for _, id := range []string{"I1", "I2", "I5", "I6", "I7", "I8", "I10", "I11", "I16", "I17"} {
		if told[id] == 0 {
			t.Errorf("%s was never checked by the journals", id)
		}
	}
}

func (c *cluster) newLostJournals() *Monitor {
	j := NewMonitor(configOf(len(c.nodes)), everybody, holds)
	j.VerifyEvery(1)
	return j
}

// journals reads the journals of all honest replicas twice: first their first half, then all.
func (c *cluster) journals() *Monitor {
	j := c.lostJournals
	if j == nil {
		j = c.newLostJournals()
	}
	for _, part := range []int{2, 1} {
		for _, n := range c.nodes {
			if !n.lies() {
				j.Read(n.id, slices.Concat(n.disk[:len(n.disk)/part]...))
			}
		}
	}
	return j
}

// An attacker runs among real cores. No correct replica breaks an invariant, and the monitor raises no false alarm.
// Evidence against the attacker is valid.
func TestMonitor_AnAttackerRaisesNoAlarm(t *testing.T) {
	evidence, refused := 0, 0
	for _, b := range byzantine.Catalogue() {
		t.Run(b.Name, func(t *testing.T) {
			for seed := range uint64(4) {
				c := newCluster(t, 4, seed, b.Name)
				c.loss = float64(seed%2) * 0.05
				c.rough(12)
				for _, v := range c.mon.Violations() {
					t.Errorf("seed %d: %v", seed, &v)
				}
				for _, r := range c.journals().Results() {
					if !r.Held {
						t.Errorf("seed %d: by the journals %s: %s", seed, r.ID, r.Why)
					}
				}
				if t.Failed() {
					return
				}
				evidence += c.mon.facts[e1].checked
				refused += c.tally.refused
				if c.acked == 0 {
					t.Errorf("seed %d: nothing was acknowledged", seed)
				}
			}
		})
	}
	if evidence == 0 || refused == 0 {
		t.Errorf("%d proofs were judged and %d messages refused", evidence, refused)
	}
}

// I12: a client that counts answers without comparing them accepts a false result, and the monitor notices that.
func TestI12_ANaiveClientIsNoticed(t *testing.T) {
	for seed := range uint64(4) {
		c := newCluster(t, 4, seed, "lying-reply")
		c.naive = true
		c.rough(12)
		if v := c.mon.Violation(); v != nil && v.ID == "I12" {
			return
		}
	}
	t.Error("no lie was believed, or nobody noticed")
}

// Every rule that a monitor can report has a name, and a sentence that fits in a line of a report.
func TestRules_EachHasANameAndASentence(t *testing.T) {
	seen := map[string]bool{}
	for i, r := range Rules {
		if says := rules.Sentence(r.ID); r.ID == "" || seen[r.ID] || says == "" || len(says) > 68 {
			t.Errorf("rule %d has the name %q and the sentence %q", i, r.ID, says)
		}
		seen[r.ID] = true
	}
}
