package main

import (
	"encoding/json"
	"strings"
	"testing"

	"tagma/internal/command"
	"tagma/testnet/concepts"
)

func TestConcepts_AreNamedShownAndChecked(t *testing.T) {
	code, stdout, _ := run("concepts", "--list")
	if code != command.Done || !strings.Contains(stdout, "Q1 Which ways of failing are there?\n   crash ") ||
		!strings.Contains(stdout, "\nQ8 ") || strings.Count(stdout, "\n") != len(concepts.Cards)+len(concepts.Questions) {
		t.Errorf("exit code %d:\n%s", code, stdout)
	}
	code, stdout, _ = run("concepts", "crash")
	for _, part := range []string{"A process that crashes stops", "✓ crash", "kill replica0 at 1.0 s; 1 view changes", "1 of 1 concepts happened"} {
		if !strings.Contains(stdout, part) {
			t.Errorf("no %q in\n%s", part, stdout)
		}
	}
	if code != command.Done {
		t.Errorf("exit code %d", code)
	}
	code, stdout, _ = run("concepts", "crash", "duplicate-nothing")
	if code != command.Unusable || stdout != "" {
		t.Errorf("an unknown name: exit code %d, %q", code, stdout)
	}
	code, stdout, _ = run("concepts", "sequence-numbers", "--json")
	var outcomes []concepts.Outcome
	if err := json.Unmarshal([]byte(stdout), &outcomes); err != nil || code != command.Done || len(outcomes) != 1 || !outcomes[0].Shown {
		t.Errorf("exit code %d, %v: %s", code, err, stdout)
	}
}
