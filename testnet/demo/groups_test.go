package demo

import (
	"testing"
	"time"

	"tagma/testnet/play"
	"tagma/testnet/report"
)

// The same demonstration with fewer transfers, and with a view timeout that is longer than any step takes on a busy machine.
func TestGroups_TransfersKeepTheirSumsWhileDriversDie(t *testing.T) {
	t.Parallel()
	o := Groups(t.TempDir(), 1)
	s := o.Scenario
	s.Transactions.Count, s.Transactions.Deadline = 30, 8*time.Second
	*s.Across.Committed, *s.Across.Aborted = 5, 0
	for _, c := range s.Clusters {
		c.Settings.ViewTimeout.Duration = 8 * time.Second
		c.Malicious[0].Choice.Values["from_seq"] = "20"
		for i := range c.Events {
			if c.Events[i].AfterOperations > 0 {
				c.Events[i].AfterOperations = 40
			}
		}
	}
	d := give(t, o, play.Silent{})
	switch d.Verdict {
	case report.Pass:
	case report.Inconclusive:
		t.Skipf("the machine is too busy to judge: %q", d.Excuses())
	default:
		t.Error("the verdict is not pass")
	}
	x := d.Transactions
	if x.Made != 30 || x.Committed+x.Aborted != 30 || x.Died == 0 || x.Open+x.Locks != 0 || x.Minted != 10000 {
		t.Errorf("%+v", x)
	}
	if len(x.Sums) != 2 || x.Sums[0].Money+x.Sums[1].Money != x.Minted {
		t.Errorf("%+v", x.Sums)
	}
	if len(d.Clusters) != 2 || len(d.Clusters[1].Faults) != 2 || !d.Clusters[1].Faults[1].Fired {
		t.Errorf("%+v", d.Clusters)
	}
}
