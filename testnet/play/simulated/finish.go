package simulated

import (
	"encoding/hex"
	"slices"
	"time"

	"tagma/pbft/wire"
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
	d.SortInvariants()
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
		case op.Outcome != wire.OutcomeExecuted:
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
		f := report.Fault{What: a.what, Planned: true, AtMS: a.began().Milliseconds(), Fired: a.done, Calm: a.calm}
		if a.done && a.proof != nil && !a.proof() {
			f.Fired = false
			f.What += ": it touched nothing"
			for _, err := range failed {
				f.What += "; " + err.Error()
			}
		}
		if took := r.recovery(a.began()); f.Fired && took != nil && !a.calm {
			f.RecoveredMS = new(took.Milliseconds())
		}
		d.Faults = append(d.Faults, f)
	}
}

// tellEvidence tells of whom correct replicas hold proof, and checks each with the public keys alone.
func (r *run) tellEvidence(d *report.Document) {
	for _, a := range r.w.Evidence() {
		e := a.Evidence
		d.AddProof(int(e.Replica), string(e.Kind), wire.VerifyEvidence(r.w.Config(), e, r.w.Holds) == nil)
	}
}

func (r *run) tellReplicas(d *report.Document) {
	for id := range wire.ReplicaID(r.s.Replicas) {
		in, up := r.w.Inspect(id)
		if !up {
			in = r.seen[id]
		}
		replica := report.Replica{
			ID: int(id), Correct: r.w.Correct(id), Role: r.role(id), Executed: uint64(in.Executed), Stable: uint64(in.Stable),
		}
		if in.StateDigest != (wire.Digest{}) {
			replica.StateDigest = hex.EncodeToString(in.StateDigest[:])
		}
		d.Replicas = append(d.Replicas, replica)
	}
	together := r.together()
	d.LowestStable(func(x *report.Replica) bool { return slices.Contains(together, wire.ReplicaID(x.ID)) })
}

// role is what a replica is, in a word or two.
func (r *run) role(id wire.ReplicaID) string {
	switch {
	case r.s.Lies(id):
		return "malicious"
	case r.w.Asks(id):
		return "waits for others"
	case r.s.RolledBack(id) && r.w.Lapses(id) == 0:
		return "an old copy"
	case r.w.Why(id) != nil && !r.w.Up(id):
		return "stopped"
	case !r.w.Up(id):
		return "down"
	case !r.w.Correct(id) && !r.s.RolledBack(id):
		return "damaged"
	default:
		return "correct"
	}
}
