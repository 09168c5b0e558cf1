package simulated

import (
	"reflect"
	"strings"
	"testing"

	"tagma/internal/terminal"
	"tagma/testnet/report"
)

const twoBanks = `name = "x"
seed = 3
[transactions]
count = 30
drivers = 3
die = 0.3
lie = 0.2
deadline = "1s"
[[cluster]]
name = "east"
machine = "bank"
settings = { view_timeout = "400ms", checkpoint_interval = 4, log_window = 8 }
[[cluster]]
name = "west"
machine = "bank"
replicas = 7
settings = { view_timeout = "400ms", checkpoint_interval = 4, log_window = 8 }
[[event]]
at = "500ms"
do = "kill"
targets = ["east/0", "west/1"]
for = "300ms"
[expect]
committed = 5
`

func TestSeveral_TheSameSeedIsTheSameReport(t *testing.T) {
	a, b := runText(t, twoBanks), runText(t, twoBanks)
	if a.Verdict != report.Pass {
		t.Errorf("%s: %q", a.Verdict, problems(a))
	}
	if !reflect.DeepEqual(a, b) {
		t.Errorf("%+v\nand\n%+v", a, b)
	}
	c := runText(t, strings.Replace(twoBanks, "seed = 3", "seed = 4", 1))
	if reflect.DeepEqual(a.Clusters[0].Replicas, c.Clusters[0].Replicas) {
		t.Error("another seed is the same run")
	}
	if len(a.Clusters) != 2 || a.Clusters[1].Cluster != "west" || len(a.Clusters[1].Replicas) != 7 || len(a.Clusters[0].Faults) != 1 || !a.Clusters[0].Faults[0].Fired {
		t.Errorf("%+v", a.Clusters)
	}
	if x := a.Transactions; x.Made != 30 || x.Committed+x.Aborted != 30 || x.Died == 0 || x.Lied == 0 || x.Minted != 8000 {
		t.Errorf("%+v", x)
	}
	var text strings.Builder
	if err := a.Print(&text, terminal.Style{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"east", "west", "transactions  30 made", "money         8,000 minted", "I20", "PASS"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the report does not say %q:\n%s", want, text.String())
		}
	}
}

// Each expectation of the whole can fail, and so can those of one cluster.
func TestSeveral_WhatDoesNotHoldFailsTheVerdict(t *testing.T) {
	for more, problem := range map[string]string{
		"aborted = 25\n": "aborted: want 25, got",
		"safe = false\n": "safe: want false, got true",
		"[[event]]\nat = \"100ms\"\ndo = \"flip-state\"\ntargets = [\"west/2\"]\nkey = \"nobody's\"\n": "west: want pass, got fail",
	} {
		d := runText(t, strings.Replace(twoBanks, "[expect]\ncommitted = 5\n", "", 1)+map[bool]string{true: "", false: "[expect]\n"}[strings.HasPrefix(more, "[[")]+more)
		if d.Verdict != report.Fail || !strings.Contains(strings.Join(problems(d), "; "), problem) {
			t.Errorf("%s: %s: %q, want %q", more, d.Verdict, problems(d), problem)
		}
	}
}
