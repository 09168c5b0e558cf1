package simulated

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"tagma/pbft/wire"
	"tagma/testnet/check"
	"tagma/testnet/report"
	"tagma/testnet/scenario"
)

func (r *run) tellInvariants(d *report.Document) {
	if r.w.Violation() == nil && len(r.s.Events)+len(r.s.Malicious) > 0 {
		watched := slices.DeleteFunc(r.together(), func(id wire.ReplicaID) bool {
			return !r.w.Correct(id) || r.s.Expect.Halts() && r.w.Asks(id)
		})
		r.w.Monitor().Converged(watched...)
	}
	d.Invariants = r.w.Monitor().Results()
	if r.w.Violation() == nil && r.s.Workload.Kind != scenario.KindNone {
		d.Invariants = append(d.Invariants, check.Linearizable(r.calls(), judgePatience))
	}
	if r.s.HasFaults() && r.w.Violation() == nil && !r.s.Expect.Halts() {
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

// calls is the history of the clients, with the order in which correct replicas executed it.
func (r *run) calls() []check.Call {
	ranks, rank := map[wire.RequestID]uint64{}, uint64(0)
	for _, seq := range slices.Sorted(maps.Keys(r.heard.order)) {
		for _, q := range r.heard.order[seq].Requests {
			if _, again := ranks[q.ID]; !again {
				rank++
				ranks[q.ID] = rank
			}
		}
	}
	calls, i := r.w.Calls(), 0
	for _, o := range r.w.History() {
		if o.Op == nil || o.Known && o.Outcome != wire.OutcomeExecuted {
			continue // as in Calls
		}
		calls[i].Order = ranks[o.ID]
		i++
	}
	return calls
}

// judgePatience bounds the search for an order of a history, by the clock on the wall.
const judgePatience = 20 * time.Second

// settled judges what came after the last fault (I15). Expectations ask for times.
func (r *run) settled() check.Result {
	after := check.Recovery{
		Committed: -1, CaughtUp: r.caughtUp, Before: r.before, Views: r.highest(),
		MostViews: check.ViewsAfter(len(r.s.Faulty())),
	}
	if took := r.recovery(r.last()); took != nil {
		after.Committed = *took
	}
	if r.caughtUp < 0 {
		most := wire.Seq(0)
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
		FinalView: d.FinalView, Ratio: d.Throughput.Ratio, MaxLatency: d.Latency.Max, Committed: r.recovery(r.last()),
		DigestsEqual: r.equal(), Order: r.order(),
	}
	for _, id := range d.Convicted() {
		o.Convicted = append(o.Convicted, wire.ReplicaID(id))
	}
	for id := range wire.ReplicaID(r.s.Replicas) {
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
	ran := map[wire.RequestID]bool{}
	for seq := wire.Seq(1); r.heard.order[seq] != nil; seq++ {
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

func (r *run) name(q *wire.Request) string {
	for _, o := range r.named() {
		o.T = q.ID.T
		if q.ID.Client == r.w.ClientKey(o.Client) && len(q.Ops) == 1 && string(q.Ops[0]) == string(o.Encode(r.s.Machine)) {
			return o.String()
		}
	}
	return fmt.Sprintf("%v:%d", q.ID.Client, q.ID.T)
}
