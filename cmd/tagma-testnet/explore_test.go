package main

import (
	"encoding/json"
	"strings"
	"testing"

	"tagma/internal/command"
	"tagma/testnet/explore"
)

func TestExplore_ExhaustsItsBounds(t *testing.T) {
	code, stdout, stderr := run("explore", "--views", "1", "--json")
	var d explore.Document
	if err := json.Unmarshal([]byte(stdout), &d); err != nil {
		t.Fatalf("%v: %s", err, stdout)
	}
	if code != command.Done || d.Verdict != explore.Pass || len(d.Runs) != 2 || d.States == 0 {
		t.Errorf("exit code %d: %s%s", code, stdout, stderr)
	}
	code, stdout, _ = run("explore", "--views", "1", "--max-states", "50")
	if code != command.Failed || !strings.Contains(stdout, "incomplete") {
		t.Errorf("a spent budget: exit code %d: %s", code, stdout)
	}
	code, stdout, _ = run("explore", "--views", "1", "--replay", "1:2.0")
	if code != command.Done || !strings.Contains(stdout, "r2 receives") {
		t.Errorf("a replay: exit code %d: %s", code, stdout)
	}
}

func TestExplore_BadBoundsAreOneLine(t *testing.T) {
	for _, args := range [][]string{
		{"--replicas", "5"},
		{"--views", "0"},
		{"--slots", "3"},
		{"--crashes", "-1"},
		{"--byzantine", "4"},
		{"--byzantine", "-2"},
		{"--amnesia", "3"},
		{"--amnesiac", "4"},
		{"--all-correct", "--byzantine", "1"},
		{"--max-states", "0"},
		{"--fair-every", "-1"},
		{"--replay", "x"},
		{"--replay", "1:0.99"},
	} {
		code, stdout, stderr := run(append([]string{"explore"}, args...)...)
		if code != command.Unusable || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, args[0]) {
			t.Errorf("%v: exit code %d, stdout %q, stderr %q", args, code, stdout, stderr)
		}
	}
}
