package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tagma/internal/command"
	"tagma/testnet/sim"
	"tagma/testnet/swarm"
)

func TestSim_OneSeedIsOneRun(t *testing.T) {
	var hashes [2]string
	for i := range hashes {
		code, stdout, stderr := run("sim", "--seed", "1", "--replicas", "4", "--json")
		var r swarm.Report
		if err := json.Unmarshal([]byte(stdout), &r); err != nil || code != command.Done {
			t.Fatalf("exit code %d, %v, %s%s", code, err, stdout, stderr)
		}
		if !r.Held || r.Counts.Acknowledged == 0 || r.Replicas != 4 {
			t.Errorf("%+v", r)
		}
		hashes[i] = r.Hash
	}
	if hashes[0] != hashes[1] {
		t.Errorf("%s and %s", hashes[0], hashes[1])
	}
}

// This plan must fail: the disk of a replica fails, but the plan does not list the replica as faulty.
func TestSim_AFailureIsToldWithItsReplay(t *testing.T) {
	p := swarm.Narrow.Draw(1, 4)
	p.Malicious, p.Twins, p.Damaged, p.Cut, p.Heal = nil, nil, nil, nil, 0
	p.Faults = []sim.Fault{{Do: sim.IOError, At: p.Duration / 2, Until: p.Duration * 3 / 4, Replica: 2, Calls: 5}}
	file := filepath.Join(t.TempDir(), "plan.json")
	if err := os.WriteFile(file, []byte(p.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	code, stdout, _ := run("sim", "--plan", file)
	if code != command.Failed {
		t.Errorf("exit code %d", code)
	}
	for _, part := range []string{"FAIL", "stopped", "replica 2", "the plan:", "again: tagma-testnet sim --plan " + file} {
		if !strings.Contains(stdout, part) {
			t.Errorf("%q is not in\n%s", part, stdout)
		}
	}
}

func TestSim_StepsAndTrace(t *testing.T) {
	code, stdout, _ := run("sim", "--seed", "2", "--steps", "500", "--trace")
	if code != command.Done || strings.Count(stdout, "\n") < 500 || !strings.Contains(stdout, "→ r1  status v0") {
		t.Errorf("exit code %d, %d lines", code, strings.Count(stdout, "\n"))
	}
}

func TestSim_BadArguments(t *testing.T) {
	for part, args := range map[string][]string{
		"at least 4":    {"sim", "--replicas", "3"},
		"one run":       {"sim", "--plan", "x", "--seeds", "2"},
		"read the plan": {"sim", "--plan", filepath.Join(t.TempDir(), "none")},
	} {
		if code, _, stderr := run(args...); code != command.Unusable || !strings.Contains(stderr, part) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%v: exit code %d, %q", args, code, stderr)
		}
	}
}
