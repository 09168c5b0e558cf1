package swarm

import (
	"fmt"
	"io"
	"slices"
	"time"

	"tagma/internal/rules"
	"tagma/internal/terminal"
	"tagma/internal/trace"
	"tagma/testnet/sim"
)

// Report is the result of one run. Its JSON is what `tagma-testnet sim --json` prints for each run.
type Report struct {
	Seed             uint64     `json:"seed"`
	Hash             string     `json:"trace_hash"`
	Replicas         int        `json:"replicas"`
	Faulty           int        `json:"faulty"`
	SimulatedSeconds float64    `json:"simulated_seconds"`
	RealSeconds      float64    `json:"real_seconds"`
	FaultsPlanned    int        `json:"faults_planned"`
	FaultsFired      int        `json:"faults_fired"`
	Counts           sim.Counts `json:"counts"`
	Held             bool       `json:"held"`
	Violation        string     `json:"violation,omitempty"`
	Plan             *sim.Plan  `json:"plan,omitempty"`
	Replay           string     `json:"replay,omitempty"`

	trace []string
}

// Single runs one plan as the options say, and calls hear, unless it is nil, with every event. Replay is the command that
// runs the plan again; the report of a failure contains it.
func Single(p *sim.Plan, o Options, replay string, hear func(trace.Event)) (*Report, error) {
	began := time.Now()
	o.Change = func(o *sim.Options) { o.TraceLines, o.Trace = 0, hear }
	out, err := o.Once(p)
	if err != nil {
		return nil, err
	}
	r := &Report{
		Seed: p.Seed, Hash: out.Hash, Replicas: p.Replicas, Faulty: len(p.Faulty()), SimulatedSeconds: out.Simulated.Seconds(),
		RealSeconds: time.Since(began).Seconds(), FaultsPlanned: len(p.Faults), FaultsFired: out.Fired, Counts: out.Counts,
		Held: out.Violation == nil, trace: out.Trace,
	}
	if out.Violation != nil {
		r.Violation, r.Plan, r.Replay = out.Violation.Error(), p, replay
	}
	return r, nil
}

// Print writes one line, and after a failure the end of the trace, the plan and the command that runs it again.
func (r *Report) Print(w io.Writer) error {
	verdict := "ok  "
	if !r.Held {
		verdict = "FAIL"
	}
	text := fmt.Sprintf("%s seed %d  trace %s  %d replicas, %d of them faulty; %.1f s in %.2f s; %d acknowledged, %d views entered,"+
		" %d of %d faults fired\n", verdict, r.Seed, r.Hash, r.Replicas, r.Faulty, r.SimulatedSeconds, r.RealSeconds,
		r.Counts.Acknowledged, r.Counts.Entered, r.FaultsFired, r.FaultsPlanned)
	if !r.Held {
		for _, l := range slices.Concat([]string{"", "the last of what happened:"}, r.trace) {
			text += l + "\n"
		}
		text += fmt.Sprintf("\nthe plan:\n%s\n\n%s\n%sagain: %s\n", r.Plan, r.Violation, rules.Explain(r.Violation), r.Replay)
	}
	return terminal.Say(w, "%s", text)
}
