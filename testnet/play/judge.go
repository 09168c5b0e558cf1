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

// finish makes the report of a run whose replicas have stopped.
func (r *course) finish() (*report.Document, error) {
	r.show.Phase("judge", "invariants, histories, evidence and expectations")
	left, err := r.c.Remains()
	if err != nil {
		return nil, err
	}
	d := &report.Document{
		Scenario: r.s.Name, Engine: r.e.Name(), Seed: r.s.Seed, FinalView: r.view(), ViewChanges: left.Views,
		LongestStallMS: left.Strain.Waited.Milliseconds(), Faults: []report.Fault{}, Evidence: []report.Evidence{},
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
	excuseInvariants(d, r.starved(left))
	r.expect(d, left, work.Acks)
	d.Judge()
	return d, nil
}

// tellWork reports what the clients did. It compares the throughput with that of the run without faults. If there was
// none, it compares it with the throughput before the first fault.
func (r *course) tellWork(d *report.Document, w *Work) {
	d.Operations, d.Latency = w.Operations, latencies(w.Acks)
	measured := r.rates(w.Acks)
	d.Throughput = report.Throughput{OpsPerSecond: measured.whole, Baseline: r.baseline.whole, Apart: r.baseline.whole > 0}
	if r.baseline.later > 0 {
		d.Throughput.Ratio = new(report.Round(measured.later / r.baseline.later))
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
		d.Throughput.Baseline = Rate(len(w.Acks)-len(After(w.Acks, first)), first)
	}
	if d.Throughput.Baseline > 0 {
		d.Throughput.Ratio = new(report.Round(measured.whole / d.Throughput.Baseline))
	}
}

// tellFaults reports for every act of the timetable whether it happened. It also reports events that were not planned.
func (r *course) tellFaults(d *report.Document, left *Remains, acks []Ack) {
	for _, a := range r.acts {
		if a.ends && a.done && a.missed == nil {
			continue
		}
		f := report.Fault{What: a.what, Planned: true, Fired: a.done && a.missed == nil, Calm: a.calm}
		f.Late = !f.Fired && (a.missed == nil || IsLate(a.missed))
		if a.missed != nil {
			f.What += ": " + a.missed.Error()
		}
		if f.Fired {
			r.prove(a, r.lasted)
		}
		if f.Fired && a.proof != nil && !a.proven {
			f.Fired, f.Late = false, len(left.Failed) == 0
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

// recovery returns how many milliseconds after a moment the first operation was acknowledged that was submitted after
// that moment; nil: none was.
func recovery(acks []Ack, since time.Duration) *int64 {
	at, ok := recovered(acks, since)
	if !ok {
		return nil
	}
	return new((at - since).Milliseconds())
}

// judgePatience bounds the search for a linear order of the history, in real time.
const judgePatience = 20 * time.Second

// judged returns the invariants that the course itself judges.
func (r *course) judged(d *report.Document, left *Remains, acks []Ack) (results []check.Result) {
	if left.Violated {
		return append(results, r.genuine(d))
	}
	if len(left.Calls) > 0 {
		results = append(results, check.Linearizable(left.Calls, judgePatience))
	}
	if _, ok := recovered(acks, r.last()); r.s.HasFaults() && !r.s.Expect.Halts() && (ok || r.s.Workload.Kind != scenario.KindNone) {
		results = append(results, r.settledAfter(d, acks))
	}
	return append(results, r.genuine(d))
}

// settledAfter judges whether the cluster recovered after the last fault (I15). Expectations of the scenario judge how
// fast it did.
func (r *course) settledAfter(d *report.Document, acks []Ack) check.Result {
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
	return check.Settled(rest)
}

// behind returns the replicas that have executed less than the one that has executed most.
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

// genuine judges I18: enough operations were acknowledged, and every planned act happened. If only a time bounds the
// workload, one acknowledged operation is enough.
func (r *course) genuine(d *report.Document) check.Result {
	wanted := r.s.Workload.Operations
	switch least := r.s.Expect.Acknowledged; {
	case least != nil && *least != scenario.All:
		wanted = int(*least)
	case wanted == 0 && r.s.Workload.Kind != scenario.KindNone:
		wanted = 1
	}
	var planned []check.Planned
	for _, f := range d.Faults {
		if f.Planned {
			planned = append(planned, check.Planned{What: f.What, Fired: f.Fired, Late: f.Late})
		}
	}
	return check.Real(d.Operations.Acknowledged, wanted, planned)
}

// expect compares the run with the expectations of the scenario, and with those that hold for every run.
func (r *course) expect(d *report.Document, left *Remains, acks []Ack) {
	o := scenario.Outcome{
		Submitted: d.Operations.Submitted, Acknowledged: d.Operations.Acknowledged, ViewChanges: d.ViewChanges,
		FinalView: d.FinalView, Ratio: d.Throughput.Ratio, MaxLatency: d.Latency.Max, Convicted: members(d.Convicted()),
		Stopped: members(left.Stopped), DigestsEqual: r.converged, Order: left.Order,
		Ended: r.c.Now(), Said: left.Course.Said, Executed: left.Course.Executed, Slots: left.Course.Slots,
	}
	for _, x := range r.standing() {
		if x.Up {
			o.Splits = append(o.Splits, scenario.Split{Replica: wire.ReplicaID(x.ID), Never: wire.Seq(x.Split), Stable: wire.Seq(x.Stable)})
		}
	}
	if at, ok := recovered(acks, r.last()); ok {
		o.Committed = new(at - r.last())
	}
	for _, i := range d.Invariants {
		if i.Held || i.Excused != "" {
			continue
		}
		o.Breaks = append(o.Breaks, i.ID)
		if o.Broken == "" {
			o.Broken = fmt.Sprintf("%s: %s", i.ID, i.Why)
		}
	}
	d.Expect = append(d.Expect, scenario.Judge(&r.s.Expect, &o)...)
	r.expectAnswers(d)
	if r.broke != nil {
		d.Expected("completed", wholeRun, r.broke.Error(), false)
	} else {
		d.Expected("completed", wholeRun, wholeRun, true)
	}
	const few = "only those whose disks were damaged"
	ended := few
	for _, s := range left.Strange {
		if s.Own {
			ended = s.What
		}
	}
	d.Expected("ended_by_themselves", few, ended, ended == few)
	clean := cleanly
	if left.Unclean != nil {
		clean = left.Unclean.Error()
	}
	d.Expected("stopped_at_the_end", cleanly, clean, left.Unclean == nil)
	if r.also != nil {
		r.also(d)
	}
	for i := range d.Expect {
		r.excuse(&d.Expect[i], d, left)
	}
}

// What every run must be.
const (
	wholeRun = "the whole run"
	cleanly  = "cleanly"
)

// excuseInvariants excuses invariants that failed only because something did not happen in time, if the machine gave the
// processes too little time. Any other failure remains a failure.
func excuseInvariants(d *report.Document, starved string) {
	for i := range d.Invariants {
		if x := &d.Invariants[i]; !x.Held && x.Timed {
			x.Excused = starved
		}
	}
}

// starved says in what way the machine gave the processes too little time; "" if it did not. It is also "" if more than
// f replicas are faulty or died, because that explains by itself why nothing happened.
func (r *course) starved(left *Remains) string {
	if gone := len(left.Strange); gone > 0 && gone+len(r.s.Faulty()) > (r.s.Replicas-1)/3 {
		return ""
	}
	return left.Strain.Starved(r.s.ViewTimeout())
}

// excuse excuses a missed expectation if the machine starved the processes, or was faster in one of the runs without
// faults than in the other: then it is not known whether the expectation would have held on another machine. The
// expectation serves = false holds if nothing happens. So on a machine that is too busy it proves nothing, and is
// excused as well.
func (r *course) excuse(e *report.Expectation, d *report.Document, left *Remains) {
	if !r.explained(e, left) {
		return
	}
	if e.Excused = r.starved(left); e.Excused != "" {
		e.Held = false
		return
	}
	if e.Key != "min_throughput_ratio" {
		return
	}
	if e.Excused = r.baseless; e.Excused != "" {
		return
	}
	ratio := d.Throughput.Ratio
	if least, ok := e.Want.(float64); ok && ratio != nil && *ratio*(r.slower+r.faster)/2 >= least*r.slower {
		e.Excused = fmt.Sprintf("the runs without faults differ among themselves: %.0f and %.0f operations a second", r.slower, r.faster)
	}
}

// explained reports whether starvation can explain the outcome of an expectation: something did not happen, or not in time.
// Starvation never explains that something happened that must not, such as a broken invariant, a proof against a replica
// that follows the protocol, or a replica that ended by itself.
func (r *course) explained(e *report.Expectation, left *Remains) bool {
	switch want := e.Want.(type) {
	case bool:
		happened := e.Got == true
		if e.Key == "safe" { // this expectation also holds if nothing happened
			happened = !happened
		}
		return !happened && (!e.Held || e.Key == "serves")
	case []wire.ReplicaID: // the replicas to which something must happen
		got, _ := e.Got.([]wire.ReplicaID)
		return !e.Held && !slices.ContainsFunc(got, func(id wire.ReplicaID) bool { return !slices.Contains(want, id) })
	}
	switch {
	case e.Held || e.Key == "ended_by_themselves" || r.contradicted(e.Key):
		return false
	case e.Key == "completed":
		return IsLate(r.broke)
	case e.Want == cleanly:
		return IsLate(left.Unclean)
	default:
		return true
	}
}

// members converts numbers of replicas to IDs.
func members(ids []int) []wire.ReplicaID {
	out := make([]wire.ReplicaID, len(ids))
	for i, id := range ids {
		out[i] = wire.ReplicaID(id)
	}
	return out
}
