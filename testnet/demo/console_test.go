package demo

import (
	"errors"
	"strings"
	"testing"

	"tagma/testnet/check"
	"tagma/testnet/report"
)

func TestConsole_PlainOutputHasNoControlCharacters(t *testing.T) {
	var out strings.Builder
	c := NewConsole(&out, Style{})
	c.Begin("load", "requests")
	c.Advance(1, 2, "done")
	c.Note("a note")
	c.End("%d done", 2)
	c.Begin("next", "more")
	c.Fail(errors.New("it broke"))
	if strings.ContainsAny(out.String(), "\x1b\r") {
		t.Errorf("%q", out.String())
	}
	for _, part := range []string{"load", "a note", "2 done", "it broke"} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("%q does not tell %q", out.String(), part)
		}
	}
}

func TestPrint_TellsTheVerdictAndWhy(t *testing.T) {
	d := &report.Document{
		Verdict:    "fail",
		Operations: report.Operations{Submitted: 1234567},
		Faults:     []report.Fault{{What: "kill", Fired: false}},
		Invariants: []check.Result{{ID: "I9", Why: "key is gone"}},
		Replicas:   []report.Replica{{ID: 2, StateDigest: strings.Repeat("ab", 32)}},
		Expect:     []report.Expectation{{Key: "completed", Want: "all", Got: "none"}},
	}
	var out strings.Builder
	if err := Print(&out, d, Style{}); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"1,234,567 submitted", "kill did not happen", "key is gone", "abababababababab ", "expected completed to be all, got none", "FAIL"} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("%q is missing in\n%s", part, out.String())
		}
	}
}
