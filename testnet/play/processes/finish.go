package processes

import (
	"fmt"
	"slices"
	"time"

	"tagma/internal/node"
	"tagma/pbft/wire"
	"tagma/testnet/check"
	"tagma/testnet/local"
	"tagma/testnet/observe"
	"tagma/testnet/play"
	"tagma/testnet/report"
	"tagma/testnet/scenario"
)

// rest stops the replicas and reads what they leave behind.
func (r *run) rest() {
	if r.broke != nil {
		r.say(play.Bad, "%v", r.broke)
	}
	r.show.Phase("stop", "the replicas stop, and their journals are read")
	r.stopped = r.cluster.Stop(local.Patience)
	for _, id := range r.watch.Correct() {
		if r.forgotten(id) || r.struck[id] && r.conditionOf(id) == down { // it has no journal, or a rotten one
			r.watch.Distrust(id)
		}
	}
	r.watch.ReadJournals()
	r.blind()
	r.eye.Wait()
}

// finish tells the whole of a run that has come to rest.
func (r *run) finish() (*report.Document, error) {
	r.show.Phase("judge", "journals, histories and evidence are compared")
	d := &report.Document{
		Scenario: r.s.Name, Engine: play.Processes, Seed: r.s.Seed, FinalView: r.watch.View(),
		LongestStallMS: r.paused.Milliseconds(), Faults: []report.Fault{}, Evidence: []report.Evidence{},
	}
	if err := observe.Evidence(d, r.cluster, &r.cfg, r.watch.Correct()); err != nil {
		return nil, err
	}
	results, views, err := r.watch.Judgement()
	if err != nil {
		return nil, err
	}
	d.ViewChanges = views
	r.tellWork(d)
	r.tellReplicas(d)
	r.tellFaults(d)
	d.Invariants = append(results, r.clients()...)
	if r.s.HasFaults() && r.s.Workload.Kind != scenario.KindNone && !r.s.Expect.Halts() {
		d.Invariants = append(d.Invariants, r.settledAfter(d.FinalView))
	}
	d.Invariants = append(d.Invariants, r.genuine(d))
	for i := range d.Invariants {
		r.idle(&d.Invariants[i])
	}
	d.SortInvariants()
	r.expect(d)
	d.Judge()
	return d, nil
}

// idle marks an invariant that had nothing to check, which is no accident in a short run: that the run was real is I18's
// matter. Only what was acknowledged must have been agreed on and voted for.
func (r *run) idle(i *check.Result) {
	if i.Checked > 0 || !i.Held || i.Idle || len(r.load.acks) > 0 && (i.ID == "I1" || i.ID == "I2") {
		return
	}
	i.Idle, i.Note = true, "nothing of this kind happened"
}

func (r *run) tellWork(d *report.Document) {
	d.Operations, d.Latency = r.load.counts, observe.Latencies(r.load.acks)
	measured := r.rates()
	d.Throughput = report.Throughput{
		OpsPerSecond: report.Round(measured.whole), Baseline: report.Round(r.baseline.whole), Apart: r.baseline.whole > 0,
	}
	if r.baseline.later > 0 {
		d.Throughput.Ratio = report.Round(measured.later / r.baseline.later)
	}
}

// tellFaults tells everything that was to happen, and what nobody planned.
func (r *run) tellFaults(d *report.Document) {
	for _, a := range r.table.acts {
		if a.ends && a.done && a.missed == nil {
			continue
		}
		a.look(r.lasted)
		f := report.Fault{
			What: a.what, Planned: true, AtMS: a.began().Milliseconds(), Fired: a.done && a.missed == nil, Calm: a.calm,
		}
		if a.missed != nil {
			f.What += ": " + a.missed.Error()
		}
		if f.Fired && a.proof != nil && !a.proven {
			f.Fired = false
			f.What += ": it touched nothing"
		}
		if f.Fired && !a.calm {
			f.RecoveredMS = r.recovery(a.began())
		}
		d.Faults = append(d.Faults, f)
	}
	for _, death := range r.strangers {
		d.Faults = append(d.Faults, r.unplanned(death, "not by this run"))
	}
	for _, death := range r.ends {
		if !r.damaged[death.Replica] {
			d.Faults = append(d.Faults, r.unplanned(death, "by itself"))
		}
	}
}

func (r *run) unplanned(death local.Death, how string) report.Fault {
	at := death.At.Sub(r.began)
	return report.Fault{What: fmt.Sprintf("%v, %s", death, how), Fired: true, AtMS: at.Milliseconds(), RecoveredMS: r.recovery(at)}
}

// recovery is how long after a moment an operation was acknowledged that was submitted since, nil if none was.
func (r *run) recovery(since time.Duration) *int64 {
	at, ok := r.load.recovered(since)
	if !ok {
		return nil
	}
	return new((at - since).Milliseconds())
}

// tellReplicas tells how each replica was at the end.
func (r *run) tellReplicas(d *report.Document) {
	for id := range r.s.Replicas {
		last, _, rss, peak := r.watch.Last(id)
		// A damaged journal has no size that means anything.
		now, written, _ := observe.JournalSize(r.cluster.Home(id), segmentBytes)
		role := r.role(id)
		d.Replicas = append(d.Replicas, report.Replica{
			ID: id, Correct: !slices.Contains(r.s.Faulty(), wire.ReplicaID(id)) && r.conditionOf(id) != killed, Role: role,
			Executed: last.Executed, Stable: last.StableCheckpoint, StateDigest: last.StateDigest, ResidentBytes: rss,
			JournalBytes: now, JournalPeak: max(peak, now), JournalWritten: written,
		})
	}
	standing := r.standing()
	d.LowestStable(func(x *report.Replica) bool { return slices.Contains(standing, x.ID) })
}

// role is what a replica is, in a word or two.
func (r *run) role(id int) string {
	is := r.conditionOf(id)
	switch {
	case r.cluster.Malicious(id):
		return "malicious"
	case is == up && r.forgotten(id):
		return "waits for others"
	case is == up || is == halted:
		return "correct"
	default:
		return string(is)
	}
}

// forgotten reports whether a replica waits for others to tell it how to go on.
func (r *run) forgotten(id int) bool {
	last, _, _, _ := r.watch.Last(id)
	return last.Recovery != nil && last.Recovery.Phase == node.PhaseForgotten
}

// clients are the invariants that are judged from what clients saw.
func (r *run) clients() (results []check.Result) {
	if len(r.load.history) > 0 {
		results = append(results, check.Linearizable(r.load.history, judgePatience))
	}
	switch {
	case r.load.empty() || r.s.Expect.Halts():
		return results
	case r.found == nil || r.unread != nil:
		why := "the writes could not be read back"
		return append(results, check.Result{ID: "I3", Why: why}, check.Result{ID: "I9", Why: why})
	default:
		return append(results, check.Once(r.load.writes, r.found), check.Durable(r.load.writes, r.found))
	}
}

// judgePatience bounds the search for an order of a history.
const judgePatience = 20 * time.Second

// genuine is I18: enough was acknowledged, and everything that was to happen did. A workload that ends with a time must
// have done something.
func (r *run) genuine(d *report.Document) check.Result {
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
