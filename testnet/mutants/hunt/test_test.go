package main

import (
	"io"
	"strings"
	"testing"
	"time"

	"tagma/testnet/mutants"
)

// A test has found a mutant only if it fails with the mutant. If it passes, does not run or cannot be built, it has not.
func TestHunt_ATestMustFailWithTheMutantAndPassWithout(t *testing.T) {
	if testing.Short() {
		t.Skip("builds tests five times")
	}
	mutant := func(name, expect, line string) mutants.Mutant {
		m, err := mutants.Parse(name, "what: a change\nhunter: test\nflags: ./internal/nearest\nexpect: "+expect+
			"\n\n--- a/internal/nearest/nearest.go\n+++ b/internal/nearest/nearest.go\n@@ -1,1 +1,1 @@\n-\tif best != \"\" {\n+\t"+line+"\n")
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	const first = "TestTo_TheFirstOfEquallyNearOnes"
	list := []mutants.Mutant{
		mutant("broken", first, `if best == "" {`),
		mutant("harmless", first, "if len(best) > 0 {"),
		mutant("unknown", "TestTo_NobodyWroteThis", `if best == "" {`),
		mutant("unfit", first, "if best {"),
	}
	o := &order{source: "../../..", jobs: 1, limit: 5 * time.Minute}
	all, err := o.hunt(t.Context(), list, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if r := all[0]; !r.Caught || r.By != first || r.Unexpected || r.runs() != "one test" || !strings.Contains(r.Finding, "got") {
		t.Errorf("%+v", r)
	}
	for i, trouble := range []string{1: "", 2: "neither passes nor fails", 3: "do not build"} {
		if r := all[i]; i > 0 && (r.Caught || !strings.Contains(r.Trouble, trouble) || trouble == "" && r.Trouble != "") {
			t.Errorf("%+v", r)
		}
	}
}

func TestTested_ReadsWhatATestProgramPrints(t *testing.T) {
	for _, c := range []struct {
		out            string
		passed, failed bool
		says           string
	}{
		{"=== RUN   TestA\n--- PASS: TestA (0.00s)\nPASS\n", true, false, "PASS"},
		{"=== RUN   TestA\n    a_test.go:7: no\n--- FAIL: TestA (0.00s)\nFAIL\n", false, true, "no"},
		{"=== RUN   TestA\n--- FAIL: TestA (0.00s)\npanic: lost [recovered]\n", false, true, "lost [recovered]"},
		{"=== RUN   TestA\n--- SKIP: TestA (0.00s)\nPASS\n", false, false, "PASS"},
		{"=== RUN   TestAB\n--- FAIL: TestAB (0.00s)\nFAIL\n", false, false, "FAIL"},
		{"testing: warning: no tests to run\nPASS\n", false, false, "PASS"},
		{"", false, false, ""},
	} {
		var got tested
		if got.read("TestA", c.out); got != (tested{passed: c.passed, failed: c.failed, says: c.says}) {
			t.Errorf("%q: %+v", c.out, got)
		}
	}
}
