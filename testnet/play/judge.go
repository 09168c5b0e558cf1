package play

import (
	"fmt"
	"slices"
	"time"

	"tagma/pbft/wire"
	"tagma/testnet/check"
	"tagma/testnet/report"
	"tagma/testnet/scenario"
)

// finish tells the whole of a run that has come to rest.
func (r *course) finish() (*report.Document, error) {
	r.show.Phase("judge", "invariants, histories, evidence and expectations")
	left, err := r.c.Remains()
	if err != nil {
		return nil, err
	}
	d := &report.Document{
		Scenario: r.s.Name, Engine: r.e.Name(), Seed: r.s.Seed, FinalView: r.view(), ViewChanges: left.Views,
		LongestStallMS: left.Waited.Milliseconds(), Faults: []report.Fault{}, Evidence: []report.Evidence{},
		Expect: []report.Expectation{},
	}
	work := r.c.Work()
	r.tellFaults(d, left, work.Acks)
	r.tellWork(d, &work)
	for _, p := range left.Proofs {
		d.AddProof(p.Replica, p.Kind, p.Holds)
	}
	standing := r.standing()
	for _, x := range left.Replicas {
		d.Replicas = append(d.Replicas, x.Replica)
	}
	d.LowestStable(func(x *report.Replica) bool {
		return slices.ContainsFunc(standing, func(s Replica) bool { return s.ID == x.ID })
	})
	d.Invariants = append(left.Invariants, r.judged(d, left, work.Acks)...)
	d.SortInvariants()
	r.expect(d, left, work.Acks)
	d.Judge()
	return d, nil
}

// tellWork tells what the clients did. Where there is no run without faults to compare with, there is the part before the
// first fault.
func (r *course) tellWork(d *report.Document, w *Work) {
	d.Operations, d.Latency = w.Operations, latencies(w.Acks)
	measured := r.rates(w.Acks)
	d.Throughput = report.Throughput{OpsPerSecond: measured.whole, Baseline: r.baseline.whole, Apart: r.baseline.whole > 0}
	if r.baseline.later > 0 {
		d.Throughput.Ratio = report.Round(measured.later / r.baseline.later)
	}
	if d.Throughput.Apart {
		return
	}
	first := r.lasted
	for _, f := range d.Faults {
		if f.Fired && !f.Calm {
			first = min(first, time.Duration(f.AtMS)*time.Millisecond)
		}
	}
	if first > 0 && first < r.lasted {
		d.Throughput.Baseline = Rate(len(w.Acks)-len(after(w.Acks, first)), first)
	}
	if d.Throughput.Baseline > 0 {
		d.Throughput.Ratio = report.Round(measured.whole / d.Throughput.Baseline)
	}
}

// tellFaults tells everything that was to happen, and what nobody planned.
func (r *course) tellFaults(d *report.Document, left *Remains, acks []Ack) {
	for _, a := range r.acts {
		if a.ends && a.done && a.missed == nil {
			continue
		}
		f := report.Fault{What: a.what, Planned: true, Fired: a.done && a.missed == nil, Calm: a.calm}
		if a.missed != nil {
			f.What += ": " + a.missed.Error()
		}
		if f.Fired {
			r.prove(a, r.lasted)
		}
		if f.Fired && a.proof != nil && !a.proven {
			f.Fired = false
			f.What += ": it touched nothing"
			for _, err := range left.Failed {
				f.What += "; " + err.Error()
			}
		}
		f.AtMS = a.began().Milliseconds()
		if f.Fired && !a.calm {
			f.RecoveredMS = recovery(acks, a.began())
		}
		d.Faults = append(d.Faults, f)
	}
	for _, s := range left.Strange {
		how := "not by this run"
		if s.Own {
			how = "by itself"
		}
		d.Faults = append(d.Faults, report.Fault{
			What: s.What + ", " + how, Fired: true, AtMS: s.At.Milliseconds(), RecoveredMS: recovery(acks, s.At),
		})
	}
}

// recovery is how many milliseconds after a moment an operation was acknowledged that was submitted since, nil if none was.
func recovery(acks []Ack, since time.Duration) *int64 {
	at, ok := recovered(acks, since)
	if !ok {
		return nil
	}
	return new((at - since).Milliseconds())
}

// judgePatience bounds the search for an order of a history, by the clock on the wall.
const judgePatience = 20 * time.Second

// judged are the invariants that the course itself judges.
func (r *course) judged(d *report.Document, left *Remains, acks []Ack) (results []check.Result) {
	if left.Violated {
		return append(results, r.genuine(d))
	}
	if len(left.Calls) > 0 {
		results = append(results, check.Linearizable(left.Calls, judgePatience))
	}
	if _, ok := recovered(acks, r.last()); r.s.HasFaults() && !r.s.Expect.Halts() && (ok || r.s.Workload.Kind != scenario.KindNone) {
		results = append(results, r.settledAfter(d, left.Waited, acks))
	}
	return append(results, r.genuine(d))
}

// settledAfter judges what came after the last fault (I15). Expectations ask for times; more views than there may be are
// excused on a machine that was seen to starve processes.
func (r *course) settledAfter(d *report.Document, waited time.Duration, acks []Ack) check.Result {
	rest := check.Recovery{
		Committed: -1, CaughtUp: r.caughtUp, Before: wire.View(r.before), Views: wire.View(d.FinalView),
		MostViews: check.ViewsAfter(len(r.s.Faulty())),
	}
	if at, ok := recovered(acks, r.last()); ok {
		rest.Committed = at - r.last()
	}
	if r.caughtUp < 0 {
		rest.Behind = behind(r.standing())
	}
	result := check.Settled(rest)
	if why := Starved(waited, r.s.ViewTimeout()); why != "" && !result.Held {
		if rest.MostViews = int(d.FinalView); check.Settled(rest).Held {
			result.Excused = why
		}
	}
	return result
}

// behind are those that have executed less than another one.
func behind(all []Replica) (ids []wire.ReplicaID) {
	most := uint64(0)
	for _, x := range all {
		most = max(most, x.Executed)
	}
	for _, x := range all {
		if x.Executed < most {
			ids = append(ids, wire.ReplicaID(x.ID))
		}
	}
	return ids
}

// genuine is I18: enough was acknowledged, and everything that was to happen did. A workload that ends with a time must
// have done something.
func (r *course) genuine(d *report.Document) check.Result {
	wanted := r.s.Workload.Operations
	switch {
	case r.s.Expect.Acknowledged != nil:
		wanted = *r.s.Expect.Acknowledged
	case wanted == 0 && r.s.Workload.Kind != scenario.KindNone:
		wanted = 1
	}
	var planned []check.Planned
	for _, f := range d.Faults {
		if f.Planned {
			planned = append(planned, check.Planned{What: f.What, Fired: f.Fired})
		}
	}
	return check.Real(d.Operations.Acknowledged, wanted, planned)
}

// expect holds the run against what was to hold: the scenario's expectations, and those of every run.
func (r *course) expect(d *report.Document, left *Remains, acks []Ack) {
	o := scenario.Outcome{
		Submitted: d.Operations.Submitted, Acknowledged: d.Operations.Acknowledged, ViewChanges: d.ViewChanges,
		FinalView: d.FinalView, Ratio: d.Throughput.Ratio, MaxLatency: d.Latency.Max, Convicted: members(d.Convicted()),
		Stopped: members(left.Stopped), DigestsEqual: r.converged, Order: left.Order,
	}
	if at, ok := recovered(acks, r.last()); ok {
		o.Committed = new(at - r.last())
	}
	for _, i := range d.Invariants {
		if !i.Held && i.Excused == "" && o.Broken == "" {
			o.Broken = fmt.Sprintf("%s: %s", i.ID, i.Why)
		}
	}
	d.Expect = append(d.Expect, scenario.Judge(&r.s.Expect, &o)...)
	if r.broke != nil {
		d.Expected("completed", "the whole run", r.broke.Error(), false)
	} else {
		d.Expected("completed", "the whole run", "the whole run", true)
	}
	const few = "only those whose disks were damaged"
	ended := few
	for _, s := range left.Strange {
		if s.Own {
			ended = s.What
		}
	}
	d.Expected("ended_by_themselves", few, ended, ended == few)
	clean := "cleanly"
	if left.Unclean != nil {
		clean = left.Unclean.Error()
	}
	d.Expected("stopped_at_the_end", "cleanly", clean, left.Unclean == nil)
	if r.also != nil {
		r.also(d)
	}
	for i := range d.Expect {
		r.excuse(&d.Expect[i], d, left.Waited)
	}
}

// timed are the expectations that a machine which lets processes wait can break, whatever the protocol does.
var timed = []string{"max_view_changes", "max_final_view", "commits_within", "max_latency", "min_throughput_ratio"}

// excuse marks what was missed on a machine that was seen to starve processes, or to be faster at one time than at another:
// it did not hold, and nobody can say whether it would have elsewhere.
func (r *course) excuse(e *report.Expectation, d *report.Document, waited time.Duration) {
	if e.Held || !slices.Contains(timed, e.Key) {
		return
	}
	if e.Excused = Starved(waited, r.s.ViewTimeout()); e.Excused != "" || e.Key != "min_throughput_ratio" {
		return
	}
	later := d.Throughput.Ratio * (r.slower + r.faster) / 2
	if least, ok := e.Want.(float64); ok && later >= least*r.slower {
		e.Excused = fmt.Sprintf("the runs without faults differ among themselves: %.0f and %.0f operations a second", r.slower, r.faster)
	}
}

// members turns numbers into the protocol's.
func members(ids []int) []wire.ReplicaID {
	out := make([]wire.ReplicaID, len(ids))
	for i, id := range ids {
		out[i] = wire.ReplicaID(id)
	}
	return out
}
