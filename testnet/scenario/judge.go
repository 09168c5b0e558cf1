package scenario

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
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
	Ratio        *float64 // throughput as a share of that without faults; nil: unknown
	// Committed is how long after the end of the last fault an operation was acknowledged that was submitted then or
	// later; nil if none was.
	Committed    *time.Duration
	MaxLatency   float64          // of acknowledged operations, in milliseconds
	Convicted    []wire.ReplicaID // replicas against which correct replicas have valid evidence
	Stopped      []wire.ReplicaID // replicas that stopped by themselves and were not started again
	DigestsEqual bool             // whether correct running replicas have equal digests
	Splits       []Split          // by replica: what correct running replicas report about checkpoints
	Order        []string         // operations in executed order, like Operation.String
	// The following fields are about the course of the run. They are set if expectations ask for them.
	Ended    time.Duration // when the run ended
	Said     string        // the first message that Silent's replica sent while it had to be silent; "": none
	Executed string        // the first execution during NoExecutions; "": none
	// What correct replicas executed at the sequence numbers in Slots: a digest in hex, or NullSlot.
	Slots  map[wire.Seq]string
	Broken string   // the first invariant that did not hold; "": all held
	Breaks []string // the invariants that did not hold
}

// Judge compares the expectations with the outcome, in the order of docs/scenarios.md. Times are milliseconds.
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
	if len(e.Breaks) > 0 {
		add("breaks", e.Breaks, o.Breaks, slices.ContainsFunc(e.Breaks, func(id string) bool { return slices.Contains(o.Breaks, id) }))
	}
	switch want := e.Acknowledged; {
	case want == nil:
	case *want == All:
		add("acknowledged", o.Submitted, o.Acknowledged, o.Acknowledged == o.Submitted && o.Submitted > 0)
	default:
		add("acknowledged", int(*want), o.Acknowledged, o.Acknowledged >= int(*want))
	}
	atMost("max_view_changes", e.MaxViewChanges, o.ViewChanges)
	atMost("max_final_view", e.MaxFinalView, int(o.FinalView))
	if e.MinThroughputRatio != nil {
		got := any(nil)
		if o.Ratio != nil {
			got = report.Round(*o.Ratio)
		}
		add("min_throughput_ratio", *e.MinThroughputRatio, got, o.Ratio != nil && *o.Ratio >= *e.MinThroughputRatio)
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
	if e.Split != nil {
		judgeSplit(*e.Split, o.Splits, add)
	}
	is("serves", e.Serves, o.Committed != nil)
	if len(e.Order) > 0 {
		want := make([]string, len(e.Order))
		for i, operation := range e.Order {
			want[i] = operation.String()
		}
		got := o.Order[:min(len(o.Order), len(want))]
		add("order", want, got, slices.Equal(want, got))
	}
	judgeCourse(e, o, add)
	return out
}

// Split is what a replica reports about its checkpoints.
type Split struct {
	Replica wire.ReplicaID
	Never   wire.Seq // the first checkpoint that can never be stable, as the replica reports; 0: none
	Stable  wire.Seq
}

// judgeSplit judges whether the replicas report a split. That is so if all of them name the same checkpoint that can
// never be stable, above their stable ones. There is no split if none of them names one.
func judgeSplit(want bool, said []Split, add func(key string, want, got any, held bool)) {
	got, held := map[string]string{}, len(said) > 0
	for _, s := range said {
		got[strconv.Itoa(int(s.Replica))] = fmt.Sprintf("never stable %d, stable %d", s.Never, s.Stable)
		held = held && want == (s.Never > 0) && s.Never == said[0].Never && (!want || s.Stable < s.Never)
	}
	add("split", want, got, held)
}

// judgeCourse judges the expectations about what happens during the run. An expectation about a time that the run did
// not reach fails.
func judgeCourse(e *Expect, o *Outcome, add func(key string, want, got any, held bool)) {
	const nothing = "nothing"
	span := func(key, want string, x *Span, found string) {
		switch {
		case found != "":
			add(key, want, found, false)
		case o.Ended <= x.From:
			add(key, want, fmt.Sprintf("the run ended at %v", o.Ended), false)
		default:
			add(key, want, nothing, true)
		}
	}
	if e.Silent != nil {
		span("silent", fmt.Sprintf("replica %d sends nothing %v", e.Silent.Replica, &e.Silent.Span), &e.Silent.Span, o.Said)
	}
	if e.NoExecutions != nil {
		span("no_executions", fmt.Sprintf("nothing is executed %v", e.NoExecutions), e.NoExecutions, o.Executed)
	}
	if len(e.Slots) == 0 {
		return
	}
	want, got, held := map[string]string{}, map[string]string{}, true
	for _, s := range e.Slots {
		key, found := strconv.FormatUint(uint64(s.Seq), 10), cmp.Or(o.Slots[s.Seq], nothing)
		want[key], got[key] = s.What, found
		held = held && (s.What == found || s.What == SomeSlot && found != nothing && found != NullSlot)
	}
	add("slots", want, got, held)
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

// The engines on which scenarios run, by the names that --engine takes and that reports contain.
const (
	OnProcesses = "processes"
	OnSim       = "sim"
)

// WhyNot says in one sentence why an engine, sim or processes, cannot run the scenario; "" if it can. An engine never
// gets a fault that it cannot perform, so every fault that a report calls fired has happened.
func (s *Scenario) WhyNot(engine string) (line int, why string) {
	for _, c := range s.Clusters {
		if line, why := c.WhyNot(engine); why != "" {
			return line, why
		}
	}
	if engine == OnProcesses {
		return s.whyNotProcesses()
	}
	for _, e := range s.Events {
		if needs := e.act().real; needs != "" {
			return e.Line, fmt.Sprintf("%s needs %s, which the simulator has not; run it with --engine processes", e.Do, needs)
		}
	}
	if s.Workload.Keys > 0 {
		return 0, "the keys of the workload are written in advance, which only processes do; run it with --engine processes"
	}
	for _, m := range s.Malicious {
		if byzantine.LinksOnly(m.Choice) {
			return m.Line, fmt.Sprintf("%s of %s attacks links below their messages, and the simulator has none; run it with --engine processes",
				m.Choice.Name, m.Who())
		}
		if byzantine.BesideOrder(m.Choice) {
			return m.Line, fmt.Sprintf("%s of %s reads the past, which the simulator's replicas do not answer; run it with --engine processes",
				m.Choice.Name, m.Who())
		}
	}
	return 0, ""
}

func (s *Scenario) whyNotProcesses() (line int, why string) {
	const mend = "; run it with --engine sim"
	if len(s.Scripts) > 0 {
		return s.Scripts[0].Line, "scripts send single messages at exact moments, which only the simulator has" + mend
	}
	for _, e := range s.Events {
		if e.AfterFirstSend != 0 {
			return e.Line, fmt.Sprintf("%q is a moment that only the simulator knows, since what a process has sent may still be in its buffers%s", &e.Moment, mend)
		}
		if lacks := e.act().lacks; lacks != "" {
			return e.Line, fmt.Sprintf("%s needs %s, which only the simulator has%s", e.Do, lacks, mend)
		}
	}
	if s.Expect.Course() {
		return 0, "the expectations silent, no_executions and slots follow single messages and batches, which only the simulator does" + mend
	}
	if len(s.Expect.Order) > 0 {
		return 0, "the expectation order follows single operations, which only the simulator does" + mend
	}
	return 0, ""
}
