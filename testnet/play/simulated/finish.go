package simulated

import (
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"tagma/pbft"
	"tagma/testnet/check"
	"tagma/testnet/play"
	"tagma/testnet/report"
	"tagma/testnet/scenario"
)

func maliciousClient(i int) func(scenario.Malicious) bool {
	return func(m scenario.Malicious) bool { return m.Client != nil && *m.Client == i }
}

// finish tells the whole.
func (r *run) finish() *report.Document {
	d := &report.Document{
		Scenario: r.s.Name, Engine: play.Sim, Seed: r.s.Seed, FinalView: uint64(r.highest()), ViewChanges: len(r.heard.views),
		Faults: []report.Fault{}, Evidence: []report.Evidence{}, Expect: []report.Expectation{},
	}
	r.tellWork(d)
	r.tellFaults(d)
	r.tellEvidence(d)
	r.tellReplicas(d)
	r.tellInvariants(d)
	r.tellExpectations(d)
	d.Judge()
	return d
}

func (r *run) tellWork(d *report.Document) {
	var took []time.Duration
	for _, op := range r.w.History() {
		d.Operations.Submitted++
		switch {
		case !op.Known:
			d.Operations.Unknown++
		case op.Outcome != pbft.OutcomeExecuted:
			d.Operations.Failed++
		default:
			d.Operations.Acknowledged++
			took = append(took, op.Returned-op.Invoked)
		}
	}
	d.Latency = report.Latencies(took)
	d.Throughput = report.Throughput{
		OpsPerSecond: report.Round(r.rate(0)), Baseline: report.Round(r.baseline.perSecond), Apart: r.baseline.perSecond > 0,
	}
	if r.baseline.later > 0 {
		d.Throughput.Ratio = report.Round(r.rate(r.s.Expect.RatioAfter) / r.baseline.later)
	}
}

func (r *run) tellFaults(d *report.Document) {
	_, failed := r.heard.sent()
	for _, a := range r.acts {
		if a.ends && a.done {
			continue
		}
		f := report.Fault{What: a.what, Planned: true, AtMS: a.at.Milliseconds(), Fired: a.done}
		if a.done && a.proof != nil && !a.proof() {
			f.Fired = false
			f.What += ": it touched nothing"
			for _, err := range failed {
				f.What += "; " + err.Error()
			}
		}
		if took := r.recovery(a.at); f.Fired && took != nil && !a.calm {
			f.RecoveredMS = new(took.Milliseconds())
		}
		d.Faults = append(d.Faults, f)
	}
}

// tellEvidence tells of whom correct replicas hold proof, and checks each with the public keys alone.
func (r *run) tellEvidence(d *report.Document) {
	for _, a := range r.w.Evidence() {
		id := int(a.Evidence.Replica)
		i := slices.IndexFunc(d.Evidence, func(e report.Evidence) bool { return e.Replica == id })
		if i < 0 {
			i = len(d.Evidence)
			d.Evidence = append(d.Evidence, report.Evidence{Replica: id, Kind: string(a.Evidence.Kind), Verified: true})
		}
		d.Evidence[i].Proofs++
		if pbft.VerifyEvidence(r.w.Config(), a.Evidence, r.w.Holds) != nil {
			d.Evidence[i].Verified = false
		}
	}
	slices.SortFunc(d.Evidence, func(a, b report.Evidence) int { return a.Replica - b.Replica })
}

func (r *run) tellReplicas(d *report.Document) {
	for id := range pbft.ReplicaID(r.s.Replicas) {
		in, up := r.w.Inspect(id)
		if !up {
			in = r.seen[id]
		}
		replica := report.Replica{
			ID: int(id), Correct: r.w.Correct(id), Role: r.role(id), Executed: uint64(in.Executed), Stable: uint64(in.Stable),
		}
		if in.StateDigest != (pbft.Digest{}) {
			replica.StateDigest = hex.EncodeToString(in.StateDigest[:])
		}
		d.Replicas = append(d.Replicas, replica)
	}
	for i, id := range r.together() {
		if stable := d.Replicas[id].Stable; i == 0 || stable < d.StableCheckpoint {
			d.StableCheckpoint = stable
		}
	}
}

// role is what a replica is, in a word or two.
func (r *run) role(id pbft.ReplicaID) string {
	switch {
	case r.s.Lies(id):
		return "malicious"
	case slices.Contains(r.s.Faulty(), id):
		return "lost its disk"
	case r.w.Why(id) != nil && !r.w.Up(id):
		return "stopped"
	case !r.w.Up(id):
		return "down"
	case !r.w.Correct(id):
		return "damaged"
	default:
		return "correct"
	}
}

func (r *run) tellInvariants(d *report.Document) {
	if r.w.Violation() == nil && len(r.s.Events)+len(r.s.Malicious) > 0 {
		r.w.Monitor().Converged(r.together()...)
	}
	d.Invariants = r.w.Monitor().Results()
	if kind := r.s.Workload.Kind; r.w.Violation() == nil && (kind == scenario.KindRegister || kind == scenario.KindBank) {
		d.Invariants = append(d.Invariants, r.w.Linearizable(judgePatience))
	}
	if r.s.HasFaults() && r.w.Violation() == nil {
		d.Invariants = append(d.Invariants, r.settled())
	}
	if v := r.w.Violation(); v != nil && !slices.ContainsFunc(d.Invariants, func(c check.Result) bool { return !c.Held }) {
		d.Invariants = append(d.Invariants, check.Result{ID: v.Invariant, Checked: 1, Why: v.Error()})
	}
	var planned []check.Planned
	for _, f := range d.Faults {
		planned = append(planned, check.Planned{What: f.What, Fired: f.Fired})
	}
	wanted := max(r.s.Workload.Operations/2, r.submitted, 1)
	if n := r.s.Expect.Acknowledged; n != nil {
		wanted = *n
	}
	d.Invariants = append(d.Invariants, check.Real(d.Operations.Acknowledged, wanted, planned))
}

// judgePatience bounds the search for an order of a history, by the clock on the wall.
const judgePatience = 20 * time.Second

// extraViews is how many views more than those that bad primaries cost may come after the last fault (V9).
const extraViews = 4

// settled judges what came after the last fault (I15). Expectations ask for times.
func (r *run) settled() check.Result {
	after := check.Recovery{
		Committed: -1, CaughtUp: r.caughtUp, Before: r.before, Views: r.highest(), MostViews: extraViews + 2*len(r.s.Faulty()),
	}
	if took := r.recovery(r.last()); took != nil {
		after.Committed = *took
	}
	if r.caughtUp < 0 {
		most := pbft.Seq(0)
		for _, id := range r.together() {
			in, _ := r.w.Inspect(id)
			most = max(most, in.Executed)
		}
		for _, id := range r.together() {
			if in, _ := r.w.Inspect(id); in.Executed < most {
				after.Behind = append(after.Behind, id)
			}
		}
	}
	return check.Settled(after)
}

func (r *run) tellExpectations(d *report.Document) {
	o := scenario.Outcome{
		Submitted: d.Operations.Submitted, Acknowledged: d.Operations.Acknowledged, ViewChanges: d.ViewChanges,
		FinalView: d.FinalView, Ratio: d.Throughput.Ratio, Committed: r.recovery(r.last()), DigestsEqual: r.equal(),
		Order: r.order(),
	}
	for _, e := range d.Evidence {
		if e.Verified {
			o.Convicted = append(o.Convicted, pbft.ReplicaID(e.Replica))
		}
	}
	for id := range pbft.ReplicaID(r.s.Replicas) {
		if !r.w.Up(id) && r.w.Why(id) != nil {
			o.Stopped = append(o.Stopped, id)
		}
	}
	for _, c := range d.Invariants {
		if !c.Held && o.Broken == "" {
			o.Broken = fmt.Sprintf("%s: %s", c.ID, c.Why)
		}
	}
	d.Expect = scenario.Judge(&r.s.Expect, &o)
}

// order lists the operations that were executed, in order, each once. What nobody wrote down by name is left unnamed.
func (r *run) order() (names []string) {
	if len(r.s.Expect.Order) == 0 {
		return nil
	}
	ran := map[pbft.RequestID]bool{}
	for seq := pbft.Seq(1); r.heard.order[seq] != nil; seq++ {
		for _, q := range r.heard.order[seq].Requests {
			if ran[q.ID] {
				continue
			}
			ran[q.ID] = true
			names = append(names, r.name(q))
		}
	}
	return names
}

// named are all operations that the scenario writes down.
func (r *run) named() (all []scenario.Operation) {
	all = append(all, r.s.Expect.Order...)
	for _, e := range r.s.Events {
		all = append(all, e.Submit...)
	}
	for _, l := range r.s.Scripts {
		all = append(all, l.Send.Batch...)
	}
	return all
}

func (r *run) name(q *pbft.Request) string {
	for _, o := range r.named() {
		o.T = q.ID.T
		if q.ID.Client == r.w.ClientKey(o.Client) && len(q.Ops) == 1 && string(q.Ops[0]) == string(o.Encode(r.s.Machine)) {
			return o.String()
		}
	}
	return fmt.Sprintf("%v:%d", q.ID.Client, q.ID.T)
}
