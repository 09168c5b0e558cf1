package main

import (
	"encoding/json"
	"strings"
	"testing"

	"tagma/internal/command"
)

func TestSimGroups_TellsWhatBecameOfTheTransactions(t *testing.T) {
	code, stdout, stderr := run("sim", "--groups", "2", "--seeds", "3", "--twice", "--json")
	if code != command.Done || stderr != "" {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	var s struct {
		Seeds, Failed, Made, Committed, Aborted, Clusters int
		Least                                             int `json:"fewest_transactions"`
	}
	if err := json.Unmarshal([]byte(stdout), &s); err != nil {
		t.Fatal(err)
	}
	if s.Seeds != 3 || s.Failed != 0 || s.Clusters != 6 || s.Least < 20 || s.Committed+s.Aborted != s.Made || s.Committed == 0 || s.Aborted == 0 {
		t.Errorf("%+v", s)
	}
}

func TestSimGroups_OneSeedIsTracedWithTheClustersNames(t *testing.T) {
	code, stdout, _ := run("sim", "--groups", "2", "--seed", "2", "--trace", "--only", "fault,view")
	if code != command.Done || !strings.Contains(stdout, " east/r") || !strings.Contains(stdout, " west/r") || !strings.Contains(stdout, "transactions,") {
		t.Errorf("exit code %d: %.2000s", code, stdout)
	}
}

func TestSimGroups_RefusesInOneLine(t *testing.T) {
	for args, want := range map[string]string{
		"--groups 1":                      "2 to 4 clusters",
		"--groups 2 --replicas 7":         "leave out",
		"--groups 2 --seeds 3 --trace":    "endless",
		"--groups 2 --trace=x.jsonl":      "of one cluster",
		"--groups 2 --jobs 0":             "above 0",
		"--groups 2 --fault-model crash":  "leave out",
		"--groups 2 --seeds 3 --out /tmp": "--swarm",
	} {
		code, _, stderr := run(append([]string{"sim"}, strings.Fields(args)...)...)
		if code != command.Unusable || !strings.Contains(stderr, want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: exit code %d: %s", args, code, stderr)
		}
	}
	if code, _, stderr := run("demo", "--groups", "--ui"); code != command.Unusable || !strings.Contains(stderr, "two") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}
