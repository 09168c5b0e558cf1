package report

import (
	"strings"
	"testing"

	"tagma/internal/terminal"
	"tagma/testnet/check"
)

func TestThousands(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000"} {
		if got := Thousands(n); got != want {
			t.Errorf("%d is written %s", n, got)
		}
	}
}

// An excused expectation is printed with the reason. It is never printed as if it had held.
func TestRun_ToldPlainly(t *testing.T) {
	late := Expectation{Key: "commits_within", Want: 1, Got: 9, Excused: "the machine was asleep"}
	for name, c := range map[string]struct {
		verdict string
		expect  Expectation
		want    []string
	}{
		"inconclusive":     {Inconclusive, late, []string{"INCONCLUSIVE: the machine was asleep; run it again", "to be 1, got 9 (excused)"}},
		"pass, but":        {Pass, late, []string{"PASS: all that is judged held", "not judged: the machine was asleep", "got 9 (excused)"}},
		"fail":             {Fail, Expectation{Key: "safe", Want: true, Got: false}, []string{"FAIL", "expected safe to be true, got false"}},
		"nothing is wrong": {Pass, Expectation{Key: "safe", Held: true, Got: true}, []string{"PASS: the cluster masked all of it"}},
	} {
		var whole, line strings.Builder
		d := &Document{Verdict: c.verdict, Expect: []Expectation{c.expect}}
		if err := d.Print(&whole, terminal.Style{}); err != nil {
			t.Fatal(err)
		}
		for _, want := range c.want {
			if !strings.Contains(whole.String(), want) {
				t.Errorf("%s: there is no %q in\n%s", name, want, whole.String())
			}
		}
		if err := d.PrintLine(&line, terminal.Style{}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(line.String(), "inconclusive: the machine was asleep"); got != (c.verdict == Inconclusive) {
			t.Errorf("%s: %s", name, line.String())
		}
	}
}

// Events of a scenario that are not faults are printed as events. No replica has to recover from them.
func TestRun_WhatHarmsNobodyIsNoFault(t *testing.T) {
	var out strings.Builder
	d := &Document{Faults: []Fault{{What: "submit 2 operations", Fired: true, Calm: true}, {What: "kill replica1", Fired: true}}}
	if err := d.Print(&out, terminal.Style{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"event         at 0 ms: submit 2 operations\n", "fault         at 0 ms: kill replica1; nothing was acknowledged since\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("there is no %q in\n%s", want, out.String())
		}
	}
}

func TestDocument_TellsTheVerdictAndWhy(t *testing.T) {
	d := &Document{
		Verdict:    "fail",
		Operations: Operations{Submitted: 1234567},
		Faults:     []Fault{{What: "kill", Fired: false}},
		Invariants: []check.Result{{ID: "I9", Why: "key is gone"}},
		Replicas:   []Replica{{ID: 2, StateDigest: strings.Repeat("ab", 32)}},
		Expect:     []Expectation{{Key: "completed", Want: "all", Got: "none"}},
	}
	var out strings.Builder
	if err := d.Print(&out, terminal.Style{}); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"1,234,567 submitted", "kill did not happen", "key is gone", "abababababababab ", "expected completed to be all, got none", "FAIL"} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("%q is missing in\n%s", part, out.String())
		}
	}
}

// If a verdict is not a pass, every form in which it is printed gives the reason. A check that has no result is also
// such a reason.
func TestRun_AFailureNamesItsReasonInOneLineToo(t *testing.T) {
	var out strings.Builder
	d := &Document{Invariants: []check.Result{{ID: "I4", Held: true, Note: "given up"}, {ID: "I5", Held: true}, {ID: "I6", Held: true, Idle: true}}}
	d.Judge()
	if err := d.PrintLine(&out, terminal.Style{}); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); d.Verdict != Fail || !strings.Contains(got, "I4: nothing was checked: given up\n") ||
		!strings.Contains(got, "I5: nothing was checked\n") || strings.Contains(got, "I6") {
		t.Errorf("%s: %s", d.Verdict, got)
	}
}
