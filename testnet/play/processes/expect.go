package processes

import (
	"fmt"
	"slices"
	"time"

	"tagma/pbft"
	"tagma/testnet/play"
	"tagma/testnet/report"
	"tagma/testnet/scenario"
)

// expect holds the run against what was to hold: the scenario's expectations, and those of every run.
func (r *run) expect(d *report.Document) {
	o := scenario.Outcome{
		Submitted: d.Operations.Submitted, Acknowledged: d.Operations.Acknowledged, ViewChanges: d.ViewChanges,
		FinalView: d.FinalView, Ratio: d.Throughput.Ratio, Stopped: members(r.is(stopped)), DigestsEqual: r.converged,
	}
	if ms := r.recovery(r.table.last()); ms != nil {
		o.Committed = new(time.Duration(*ms) * time.Millisecond)
	}
	for _, e := range d.Evidence {
		if e.Verified {
			o.Convicted = append(o.Convicted, pbft.ReplicaID(e.Replica))
		}
	}
	for _, i := range d.Invariants {
		if !i.Held && o.Broken == "" {
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
var timed = []string{"max_view_changes", "max_final_view", "commits_within", "min_throughput_ratio"}

// starved reports whether the system kept us waiting for a good part of the view timeout. An order takes several steps on
// several replicas, so a quarter for one step of one process is enough to miss it.
func (r *run) starved() bool { return r.paused > r.s.ViewTimeout()/4 }

// excuse does not judge what was missed on a machine that was seen to starve processes: what it does to a timer is no fault
// of the protocol, and nobody can say how often it does so.
func (r *run) excuse(e *report.Expectation) {
	if e.Held || !r.starved() || !slices.Contains(timed, e.Key) {
		return
	}
	r.say(play.Note, "%s was to be %v and is %v: not judged, for this machine let a process wait for %v, and the view timeout is %v",
		e.Key, e.Want, e.Got, r.paused.Round(time.Millisecond), r.s.ViewTimeout())
	e.Want = fmt.Sprintf("%v, but for a machine that starves processes for %v", e.Want, r.paused.Round(time.Millisecond))
	e.Held = true
}
