package main

import (
	"io"
	"strings"
	"testing"
	"time"

	"tagma/testnet/mutants"
)

// A test catches what makes it fail, and nothing else: not what it does not see, not what it never ran for, and not
// what does not build.
func TestHunt_ATestMustFailWithTheMutantAndPassWithout(t *testing.T) {
	if testing.Short() {
		t.Skip("builds tests five times")
	}
	mutant := func(name, expect, new string) mutants.Mutant {
		return mutants.Mutant{
			Name: name, What: "a change", Hunter: mutants.Test, Flags: []string{"./internal/nearest"}, Expect: expect,
			Edits: []mutants.Edit{{File: "internal/nearest/nearest.go", Old: "\tif best != \"\" {\n", New: new}},
		}
	}
	const first = "TestTo_TheFirstOfEquallyNearOnes"
	list := []mutants.Mutant{
		mutant("broken", first, "\tif best == \"\" {\n"),
		mutant("harmless", first, "\tif len(best) > 0 {\n"),
		mutant("unknown", "TestTo_NobodyWroteThis", "\tif best == \"\" {\n"),
		mutant("unfit", first, "\tif best {\n"),
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
