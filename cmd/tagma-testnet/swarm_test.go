package main

import (
	"encoding/json"
	"strings"
	"testing"

	"tagma/internal/command"
)

func TestSwarm_TellsWhatManySeedsCameTo(t *testing.T) {
	code, stdout, stderr := run("sim", "--swarm", "--seeds", "4", "--replicas", "4", "--twice", "--json", "--out", t.TempDir())
	if code != command.Done || stderr != "" {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	var report struct {
		Seeds, Acknowledged, Messages int
		Held                          bool
		Sizes                         map[string]int
		SimulatedHours                float64 `json:"simulated_hours"`
	}
	if err := json.Unmarshal([]byte(stdout), &report); err != nil {
		t.Fatal(err)
	}
	if !report.Held || report.Seeds != 4 || report.Sizes["4"] != 4 || report.Acknowledged == 0 || report.Messages == 0 || report.SimulatedHours <= 0 {
		t.Errorf("%+v", report)
	}
}

// One seed of a swarm can be run alone with a trace, and the run is the same.
func TestSwarm_OneSeedIsTraced(t *testing.T) {
	hash := func(args ...string) string {
		code, stdout, stderr := run(append(args, "--replicas", "4", "--seed", "3")...)
		if code != command.Done {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
		_, rest, found := strings.Cut(stdout, "trace_hash\":\"")
		if !found {
			_, rest, _ = strings.Cut(stdout, "seed 3  trace ")
		}
		return rest[:32]
	}
	if one, other := hash("sim", "--swarm", "--trace"), hash("sim", "--swarm", "--trace", "--twice"); one != other {
		t.Errorf("%s and %s", one, other)
	}
}

func TestSwarm_RefusesWhatIsForOneRun(t *testing.T) {
	for want, args := range map[string][]string{
		"give one of them": {"--swarm", "--plan", "x.json"},
		"one seed":         {"--swarm", "--seeds", "3", "--trace"},
		"add --swarm":      {"--minutes", "2"},
		"above 0":          {"--swarm", "--jobs", "0"},
		"at least 4":       {"--swarm", "--replicas", "3"},
	} {
		code, stdout, stderr := run(append([]string{"sim"}, args...)...)
		if code != command.Unusable || stdout != "" || !strings.Contains(stderr, want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%v: exit code %d, %q", args, code, stderr)
		}
	}
}
