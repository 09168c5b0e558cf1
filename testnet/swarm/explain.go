package swarm

import (
	"context"
	"fmt"
	"strings"

	"tagma/internal/rules"
	"tagma/testnet/sim"
)

// Failure is the report on a seed that breaks an invariant.
type Failure struct {
	Seed      uint64    `json:"seed"`
	Violation string    `json:"violation"` // the violation in the seed's own plan
	Shrunk    string    `json:"shrunk"`    // the violation that happens with the smaller plan
	Runs      int       `json:"runs"`      // how many runs shrinking took
	Plan      *sim.Plan `json:"plan"`
	Trace     []string  `json:"trace"`            // the last lines of the smaller plan's trace that concern the violation
	File      string    `json:"file,omitempty"`   // the file with the smaller plan
	Replay    string    `json:"replay,omitempty"` // the command that runs the plan again
	Again     string    `json:"again,omitempty"`  // the command that runs the seed again
}

// traceLines is how many lines of a trace are reported. They are chosen from the last longTrace lines.
const (
	traceLines = 40
	longTrace  = 200_000
)

// Explain makes a failing seed's plan smaller and reports what happens in it.
func Explain(ctx context.Context, r *Result, b Budget, change ...func(*sim.Options)) (*Failure, error) {
	f := &Failure{Seed: r.Plan.Seed, Violation: r.Violation.Error(), Plan: r.Plan}
	small := &Shrunk{Plan: r.Plan, Violation: r.Violation}
	if r.Violation.Invariant != Repeats { // Repeats cannot be broken in a single run
		small = Shrink(ctx, r.Plan, r.Violation, b, change...)
	}
	f.Plan, f.Shrunk, f.Runs = small.Plan, small.Violation.Error(), small.Runs
	out, err := sim.Run(small.Plan, append([]func(*sim.Options){func(o *sim.Options) { o.TraceLines = longTrace }}, change...)...)
	if err != nil {
		return nil, fmt.Errorf("seed %d, to tell of it: %w", r.Plan.Seed, err)
	}
	if out.Violation != nil {
		f.Trace = out.World.About(out.Violation, traceLines)
	}
	return f, nil
}

func (f *Failure) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "FAIL seed %d: %s\n\nthe last of what concerns it, in the plan that %d runs made smaller:\n", f.Seed, f.Violation, f.Runs)
	for _, l := range f.Trace {
		fmt.Fprintln(&b, l)
	}
	p := f.Plan
	fmt.Fprintf(&b, "\n%s\n%s%d replicas, %d clients, %v", f.Shrunk, rules.Explain(f.Shrunk), p.Replicas, p.Clients, p.Duration)
	for _, m := range p.Malicious {
		fmt.Fprintf(&b, "; replica %d: %s", m.Replica, m.Behaviour)
	}
	for _, t := range p.Twins {
		fmt.Fprintf(&b, "; replica %d: two processes under one key", t.Replica)
	}
	for _, r := range p.Rogues {
		fmt.Fprintf(&b, "; a client: %s", r.Behaviour)
	}
	for i := range p.Faults {
		f := &p.Faults[i]
		whose := fmt.Sprintf("replica %d", f.Replica)
		if f.Do == sim.ClientKill {
			whose = fmt.Sprintf("client %d", f.Client)
		}
		fmt.Fprintf(&b, "; %s of %s at %v", faultOf(f), whose, f.At)
	}
	b.WriteString("\n")
	if f.File != "" {
		fmt.Fprintf(&b, "plan:  %s\nagain: %s\n", f.File, f.Replay)
	}
	fmt.Fprintf(&b, "seed:  %s\n", f.Again)
	return b.String()
}
