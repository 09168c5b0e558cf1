package processes

import (
	"fmt"
	"slices"
	"time"

	"tagma/testnet/observe"
	"tagma/testnet/report"
	"tagma/testnet/scenario"
)

// expect holds the run against what was to hold: the scenario's expectations, and those of every run.
func (r *run) expect(d *report.Document) {
	o := scenario.Outcome{
		Submitted: d.Operations.Submitted, Acknowledged: d.Operations.Acknowledged, ViewChanges: d.ViewChanges,
		FinalView: d.FinalView, Ratio: d.Throughput.Ratio, MaxLatency: d.Latency.Max, Convicted: members(d.Convicted()),
		Stopped: members(r.is(stopped)), DigestsEqual: r.converged,
	}
	if ms := r.recovery(r.table.last()); ms != nil {
		o.Committed = new(time.Duration(*ms) * time.Millisecond)
	}
	for _, i := range d.Invariants {
		if !i.Held && i.Excused == "" && o.Broken == "" {
			o.Broken = i.ID
		}
	}
	d.Expect = scenario.Judge(&r.s.Expect, &o)
	for i := range d.Expect {
		r.excuse(&d.Expect[i])
	}
	add := func(key string, want, got any, held bool) {
		d.Expect = append(d.Expect, report.Expectation{Key: key, Want: want, Got: got, Held: held})
	}
	completed := "the whole run"
	if r.broke != nil {
		completed = r.broke.Error()
	}
	add("completed", "the whole run", completed, r.broke == nil)
	ended := "only those whose disks were damaged"
	for _, death := range r.ends {
		if !r.damaged[death.Replica] {
			ended = death.String()
		}
	}
	add("ended_by_themselves", "only those whose disks were damaged", ended, ended == "only those whose disks were damaged")
	clean := "cleanly"
	if r.stopped != nil {
		clean = r.stopped.Error()
	}
	add("stopped_at_the_end", "cleanly", clean, r.stopped == nil)
}

// timed are the expectations that a machine which lets processes wait can break, whatever the protocol does.
var timed = []string{"max_view_changes", "max_final_view", "commits_within", "max_latency", "min_throughput_ratio"}

// starved says that this machine is to blame for what was late, "" if it is not.
func (r *run) starved() string { return observe.Starved(r.paused, r.s.ViewTimeout()) }

// excuse marks what was missed on a machine that was seen to starve processes, or to be faster at one time than at another:
// it did not hold, and nobody can say whether it would have elsewhere.
func (r *run) excuse(e *report.Expectation) {
	if e.Held || !slices.Contains(timed, e.Key) {
		return
	}
	if e.Excused = r.starved(); e.Excused == "" && e.Key == "min_throughput_ratio" {
		e.Excused = r.unsteady()
	}
}

// unsteady says that whether the ratio held depends on which of the runs without faults it is taken of, "" if not.
func (r *run) unsteady() string {
	if r.rates().later < *r.s.Expect.MinThroughputRatio*r.slower {
		return ""
	}
	return fmt.Sprintf("the runs without faults differ among themselves: %.0f and %.0f operations a second", r.slower, r.faster)
}
