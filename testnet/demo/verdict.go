package demo

import (
	"fmt"
	"math"
	"slices"
	"time"

	"tagma/testnet/check"
	"tagma/testnet/local"
	"tagma/testnet/observe"
	"tagma/testnet/report"
)

// finish stops the replicas, reads what they leave behind and tells the whole.
func (r *run) finish() (*report.Document, error) {
	if r.broke != nil {
		r.show.Fail(r.broke)
	}
	r.show.Begin("judge", "the replicas stop; their journals are compared")
	r.stopped = r.cluster.Stop(10 * time.Second)
	r.watch.ReadJournals()
	d := &report.Document{
		Scenario: "demo: an equivocating primary, and a crash of all replicas", Engine: "processes", Seed: r.Seed,
		FinalView: r.watch.View(), LongestStallMS: r.paused.Milliseconds(), Evidence: []report.Evidence{}, Faults: []report.Fault{},
	}
	proofs, err := observe.Evidence(r.cluster, &r.cfg, r.watch.Correct())
	if err != nil {
		return nil, err
	}
	d.Evidence = append(d.Evidence, proofs...)
	results, views, err := r.watch.Judgement()
	if err != nil {
		return nil, err
	}
	d.ViewChanges = views
	if views > 1+len(r.watch.Deaths()) && r.starved() {
		r.show.Note(fmt.Sprintf("%d view changes: this machine let a process wait for %s, and with a view timeout of %v that may"+
			" depose honest primaries", views, seconds(r.paused), r.ViewTimeout))
	}
	r.tellWork(d)
	if err := r.tellReplicas(d); err != nil {
		return nil, err
	}
	d.Invariants = append(results, r.clients(d)...)
	slices.SortStableFunc(d.Invariants, func(a, b check.Result) int { return number(a) - number(b) })
	r.expect(d)
	d.Judge()
	r.show.End("%d replicas stopped", len(r.cluster.File.Replicas))
	return d, nil
}

// number is the invariant's, to sort by.
func number(r check.Result) (n int) {
	_, _ = fmt.Sscanf(r.ID, "I%d", &n)
	return n
}

// tellWork tells what the clients did and what went wrong meanwhile.
func (r *run) tellWork(d *report.Document) {
	acks := r.load.acks
	d.Operations, d.Latency = r.load.counts, observe.Latencies(acks)
	lie := report.Fault{What: fmt.Sprintf("replica %d equivocates as primary", liar), Planned: true}
	beforeFault := r.lasted
	if at, proven := r.watch.Conviction(liar); proven {
		from, gap := observe.Silence(acks, at.After.Sub(r.load.began), at.Before.Sub(r.load.began))
		lie.Fired, lie.AtMS = true, from.Milliseconds()
		if gap > 0 {
			lie.RecoveredMS = ptr(gap.Milliseconds())
		}
		beforeFault = from
	}
	crash := report.Fault{What: "SIGKILL of all replicas", Planned: true, Fired: r.killedAt > 0, AtMS: r.killedAt.Milliseconds()}
	if at, ok := observe.NextAck(acks, r.restartedAt); crash.Fired && r.restartedAt > 0 && ok {
		crash.RecoveredMS = ptr((at - r.killedAt).Milliseconds())
	}
	d.Faults = append(d.Faults, lie, crash)
	for _, death := range r.watch.Deaths() {
		d.Faults = append(d.Faults, r.unplanned(death))
	}
	d.Throughput = observe.Throughput(acks, beforeFault, r.lasted)
}

func (r *run) unplanned(death local.Death) report.Fault {
	at := death.At.Sub(r.load.began)
	f := report.Fault{What: death.String() + ", not by the demo", Fired: true, AtMS: at.Milliseconds()}
	if next, ok := observe.NextAck(r.load.acks, at); ok {
		f.RecoveredMS = ptr((next - at).Milliseconds())
	}
	return f
}

func ptr[T any](v T) *T { return &v }

// tellReplicas tells how each replica was at the end.
func (r *run) tellReplicas(d *report.Document) error {
	for id := range r.cluster.File.Replicas {
		last, _, rss, peak := r.watch.Last(id)
		now, written, err := observe.JournalSize(r.cluster.Home(id), int64(r.SegmentBytes))
		if err != nil {
			return fmt.Errorf("measure the journal of replica %d: %w", id, err)
		}
		role := r.role(id)
		d.Replicas = append(d.Replicas, report.Replica{
			ID: id, Correct: role == "correct", Role: role, Executed: last.Executed, Stable: last.StableCheckpoint,
			StateDigest: last.StateDigest, ResidentBytes: rss,
			JournalBytes: now, JournalPeak: max(peak, now), JournalWritten: written,
		})
	}
	for _, rep := range d.Replicas {
		if rep.Correct && (d.StableCheckpoint == 0 || rep.Stable < d.StableCheckpoint) {
			d.StableCheckpoint = rep.Stable
		}
	}
	return nil
}

func (r *run) role(id int) string {
	switch {
	case r.cluster.Malicious(id):
		return "malicious"
	case !slices.Contains(r.alive(), id):
		return "killed"
	}
	return "correct"
}

// clients are the invariants that are judged from what clients saw.
func (r *run) clients(d *report.Document) []check.Result {
	var planned []check.Planned
	for _, f := range d.Faults {
		if f.Planned {
			planned = append(planned, check.Planned{What: f.What, Fired: f.Fired})
		}
	}
	genuine := check.Real(d.Operations.Acknowledged, r.BeforeCrash+r.AfterCrash, planned)
	if r.found == nil || r.unread != nil {
		why := "the writes could not be read back"
		return []check.Result{{ID: "I3", Why: why}, {ID: "I9", Why: why}, genuine}
	}
	return []check.Result{check.Once(r.load.writes, r.found), check.Durable(r.load.writes, r.found), genuine}
}

// expect holds the run against what was to happen.
func (r *run) expect(d *report.Document) {
	add := func(key string, want, got any, held bool) {
		d.Expect = append(d.Expect, report.Expectation{Key: key, Want: want, Got: got, Held: held})
	}
	completed := "all phases"
	if r.broke != nil {
		completed = r.broke.Error()
	}
	add("completed", "all phases", completed, r.broke == nil)
	safe := !slices.ContainsFunc(d.Invariants, func(i check.Result) bool { return !i.Held })
	add("safe", true, safe, safe)
	ops := d.Operations
	add("acknowledged", "all", ops.Acknowledged, ops.Acknowledged > 0 && ops.Acknowledged == ops.Submitted)
	add("min_view_changes", 1, d.ViewChanges, d.ViewChanges >= 1)
	most, want := r.mostViewChanges()
	add("max_view_changes", want, d.ViewChanges, d.ViewChanges <= most)
	convicted := []int{}
	for _, e := range d.Evidence {
		if e.Verified {
			convicted = append(convicted, e.Replica)
		}
	}
	add("evidence", []int{liar}, convicted, slices.Equal(convicted, []int{liar}))
	add("digests_equal", true, r.converged, r.converged)
	shrank := !slices.ContainsFunc(d.Replicas, func(x report.Replica) bool {
		return x.Correct && x.JournalBytes >= x.JournalWritten
	})
	add("journals_shrank", true, shrank, shrank)
	stopped := "cleanly"
	if r.stopped != nil {
		stopped = r.stopped.Error()
	}
	add("stopped", "cleanly", stopped, r.stopped == nil)
}

// mostViewChanges is the bound on view changes, and how it is told: one for each bad primary, and anybody may have become
// one that died. A machine that was seen to starve processes is another matter: what it does to a timer is no fault of
// the protocol, and nobody can say how often it does so.
func (r *run) mostViewChanges() (most int, want any) {
	if r.starved() {
		return math.MaxInt, "any number, for this machine was starved"
	}
	most = 1 + len(r.watch.Deaths())
	return most, most
}

// starved reports whether the system kept us waiting for a good part of the view timeout. An order takes several steps on
// several replicas, so a quarter for one step of one process is enough to miss it.
func (r *run) starved() bool { return r.paused > r.ViewTimeout/4 }
