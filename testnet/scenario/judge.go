package scenario

import (
	"fmt"
	"slices"
	"time"

	"tagma/pbft/wire"
	"tagma/testnet/byzantine"
	"tagma/testnet/report"
)

// Outcome is what a run measured, as far as expectations ask for it.
type Outcome struct {
	Submitted    int // operations
	Acknowledged int
	ViewChanges  int
	FinalView    uint64
	Ratio        float64 // of the throughput without faults
	// Committed is how long after the end of the last fault an operation was acknowledged that was submitted then or
	// later; nil if none was.
	Committed    *time.Duration
	MaxLatency   float64          // of acknowledged operations, in milliseconds
	Convicted    []wire.ReplicaID // of whom correct replicas hold proof that verifies
	Stopped      []wire.ReplicaID // that stopped by themselves and were not started again
	DigestsEqual bool             // of correct replicas that run
	Order        []string         // operations in executed order, like Operation.String
	Broken       string           // the first invariant that did not hold; "": all held
}

// Judge compares what was to hold with what did, in the order of docs/scenarios.md. Times are milliseconds.
func Judge(e *Expect, o *Outcome) (out []report.Expectation) {
	add := func(key string, want, got any, held bool) {
		out = append(out, report.Expectation{Key: key, Want: want, Got: got, Held: held})
	}
	is := func(key string, want *bool, got bool) {
		if want != nil {
			add(key, *want, got, got == *want)
		}
	}
	atMost := func(key string, want *int, got int) {
		if want != nil {
			add(key, *want, got, got <= *want)
		}
	}
	are := func(key string, want, got []wire.ReplicaID) {
		if want != nil {
			add(key, orEmpty(want), orEmpty(got), same(want, got))
		}
	}
	is("safe", e.Safe, o.Broken == "")
	if e.AcknowledgedAll {
		add("acknowledged", o.Submitted, o.Acknowledged, o.Acknowledged == o.Submitted && o.Submitted > 0)
	}
	if e.Acknowledged != nil {
		add("acknowledged", *e.Acknowledged, o.Acknowledged, o.Acknowledged >= *e.Acknowledged)
	}
	atMost("max_view_changes", e.MaxViewChanges, o.ViewChanges)
	atMost("max_final_view", e.MaxFinalView, int(o.FinalView))
	if e.MinThroughputRatio != nil {
		add("min_throughput_ratio", *e.MinThroughputRatio, report.Round(o.Ratio), o.Ratio >= *e.MinThroughputRatio)
	}
	if e.CommitsWithin != nil {
		want, got := e.CommitsWithin.Milliseconds(), any(nil)
		if o.Committed != nil {
			got = o.Committed.Milliseconds()
		}
		add("commits_within", want, got, o.Committed != nil && *o.Committed <= *e.CommitsWithin)
	}
	if e.MaxLatency != nil {
		want := e.MaxLatency.Milliseconds()
		add("max_latency", want, o.MaxLatency, o.MaxLatency <= float64(want))
	}
	are("evidence", e.Evidence, o.Convicted)
	are("stopped", e.Stopped, o.Stopped)
	is("digests_equal", e.DigestsEqual, o.DigestsEqual)
	is("serves", e.Serves, o.Committed != nil)
	if len(e.Order) > 0 {
		want := make([]string, len(e.Order))
		for i, operation := range e.Order {
			want[i] = operation.String()
		}
		got := o.Order[:min(len(o.Order), len(want))]
		add("order", want, got, slices.Equal(want, got))
	}
	return out
}

// orEmpty makes a list that is empty instead of null in JSON.
func orEmpty(ids []wire.ReplicaID) []wire.ReplicaID { return append([]wire.ReplicaID{}, ids...) }

// same reports whether two lists hold the same replicas.
func same(a, b []wire.ReplicaID) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(slices.Compact(a), slices.Compact(b))
}

// Engines that scenarios run on, as --engine takes them and reports hold them.
const (
	OnProcesses = "processes"
	OnSim       = "sim"
)

// WhyNot says in one sentence why an engine, sim or processes, cannot run the scenario; "" if it can. An engine is never
// given what it does not really perform: a fault that a report calls fired happened.
func (s *Scenario) WhyNot(engine string) (line int, why string) {
	for _, e := range s.Events {
		if e.Do == FlipState {
			return e.Line, "flip-state turns a bit in a replica's memory, which no engine can do yet; leave it out, " +
				"or show a wrong state with the behaviour lying-checkpoint"
		}
	}
	if engine == OnProcesses {
		return s.whyNotProcesses()
	}
	for _, m := range s.Malicious {
		if byzantine.LinksOnly(m.Choice) {
			return m.Line, fmt.Sprintf("%s of %s attacks links below their messages, and the simulator has none; run it with --engine processes",
				m.Choice.Name, m.Who())
		}
	}
	return 0, ""
}

func (s *Scenario) whyNotProcesses() (line int, why string) {
	const mend = "run it with --engine sim"
	if len(s.Scripts) > 0 {
		return s.Scripts[0].Line, "scripts send single messages at exact moments, which only the simulator has; " + mend
	}
	for _, e := range s.Events {
		if e.BeforeSend != 0 {
			return e.Line, "before_send is a moment inside a replica, which only the simulator can stop at; " + mend
		}
		if slices.Contains([]string{LoseUnsynced, IOError}, e.Do) {
			return e.Line, fmt.Sprintf("%s needs a disk that obeys, which only the simulator has; %s", e.Do, mend)
		}
	}
	if len(s.Expect.Order) > 0 {
		return 0, "the expectation order follows single operations, which only the simulator does; " + mend
	}
	return 0, ""
}
