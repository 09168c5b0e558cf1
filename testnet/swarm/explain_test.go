package swarm

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tagma/testnet/sim"
)

func TestExplain_TellsTheInvariantTheTraceAndThePlan(t *testing.T) {
	p := crowded()
	out, err := sim.Run(p, broken)
	if err != nil || out.Violation == nil {
		t.Fatal(err, "the break is not seen")
	}
	f, err := Explain(t.Context(), &Result{Outcome: out}, Budget{Runs: 200, Time: time.Minute}, broken)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Trace) < 5 || len(f.Trace) > traceLines {
		t.Errorf("%d lines of trace", len(f.Trace))
	}
	trace := strings.Join(f.Trace, "\n")
	for _, part := range []string{"r2  crashed: ", "r2  started in v", "r2  entered v1"} {
		if !strings.Contains(trace, part) {
			t.Errorf("the trace does not say that %s:\n%s", part, trace)
		}
	}
	if strings.Contains(trace, "status") || strings.Contains(trace, "synced") {
		t.Errorf("the trace tells what everybody does all the time:\n%s", trace)
	}
	for _, part := range []string{f.Violation, f.Shrunk, "4 replicas, 1 clients", "crash of replica 2"} {
		if !strings.Contains(f.String(), part) {
			t.Errorf("%q is missing in:\n%s", part, f)
		}
	}
}

// If two runs of one seed differ, that is also a failure.
func TestRun_OneSeedThatIsTwoRunsIsAFailure(t *testing.T) {
	runs := 0
	o := Options{First: 3, Seeds: 1, Replicas: 4, Twice: true, Change: func(o *sim.Options) {
		o.Seed += uint64(runs)
		runs++
	}}
	s, err := Run(t.Context(), o, func(r *Result, _ *Summary) error {
		if r.Violation == nil || r.Violation.Invariant != Repeats {
			t.Errorf("%v", r.Violation)
		}
		return nil
	})
	if err != nil || s.Failed != 1 {
		t.Errorf("%v, %d failed", err, s.Failed)
	}
}

func TestKind_IsTheInvariantAndItsFirstWordsWithoutNumbers(t *testing.T) {
	a := &sim.Violation{Invariant: "I2", What: "replica 2 signs a prepare for (3, 17) with 0badf00d"}
	b := &sim.Violation{Invariant: "I2", What: "replica 4 signs a prepare for (1, 2) with 12345678"}
	c := &sim.Violation{Invariant: "I2", What: "replica 2 signs two different suspects for view 1"}
	if kind(a) != kind(b) || kind(a) == kind(c) {
		t.Errorf("%q, %q, %q", kind(a), kind(b), kind(c))
	}
}

// A failure is printed at once, its plan is written to a file that can be run, and the summary counts it.
func TestTell_WritesThePlanOfAFailureDown(t *testing.T) {
	runs := 0
	o := Options{First: 3, Seeds: 1, Replicas: 4, Twice: true, Change: func(o *sim.Options) {
		o.Seed += uint64(runs)
		runs++
	}}
	dir := t.TempDir()
	var told, end strings.Builder
	sum, err := Tell(t.Context(), o, Telling{Out: dir, To: &told, Again: func(seed uint64) string { return fmt.Sprintf("again %d", seed) }})
	if err != nil || sum.Held || len(sum.Failures) != 1 {
		t.Fatalf("%+v, %v", sum, err)
	}
	f := sum.Failures[0]
	text, err := os.ReadFile(filepath.Join(dir, "swarm-seed-3.json"))
	if err != nil {
		t.Fatal(err)
	}
	if p, err := sim.ParsePlan(text); err != nil || p.Seed != 3 {
		t.Errorf("%+v, %v", p, err)
	}
	if !strings.Contains(told.String(), "FAIL seed 3: ") || !strings.Contains(told.String(), "seed:  again 3\n") || !strings.HasSuffix(f.Replay, f.File) {
		t.Errorf("%+v, told as\n%s", f, told.String())
	}
	if err := sum.Print(&end); err != nil || !strings.HasSuffix(end.String(), "FAIL: 1 of 1 seeds\n") || strings.Contains(told.String(), "\x1b") {
		t.Errorf("%v: %s", err, end.String())
	}
}
