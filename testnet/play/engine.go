package play

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tagma/internal/machines"
	"tagma/internal/trace"
	"tagma/statemachine/bank"
	"tagma/statemachine/kv"
	"tagma/testnet/links"
	"tagma/testnet/local"
	"tagma/testnet/report"
	"tagma/testnet/scenario"
)

// Names of engines.
const (
	Processes = scenario.OnProcesses
	Sim       = scenario.OnSim
)

// Engine makes clusters for scenarios.
type Engine interface {
	// Name is Processes or Sim.
	Name() string
	// Start makes a scenario's cluster and connects its clients. Nothing of the scenario has happened when it returns. Dir
	// is where its files may go; it does not exist yet.
	Start(ctx context.Context, s *scenario.Scenario, dir string, t Trace, show Show) (Cluster, error)
	// Steady reports whether all runs of one seed are equal, so that a second run shows nothing new.
	Steady() bool
	// Stall is the time without an acknowledgement after which a run ends, if no event is left that could change that.
	Stall(s *scenario.Scenario) time.Duration
}

// Options are the settings of a run that its scenario does not contain.
type Options struct {
	Dir   string // an existing, empty directory for all files that the run makes
	Trace Trace
	// Also, unless nil, adds further expectations to a report before the report is judged.
	Also func(d *report.Document)
	// Measured, unless nil, is given the document of each run without faults.
	Measured func(baseline *report.Document)
}

// Trace says where the events of a run are written (docs/trace.md). Runs without faults write none.
type Trace struct {
	File string   // "": no trace
	Only []string // these kinds of events; nil: all

	// Hear, unless nil, is also called with events as they happen: in a simulated run with all events, in a run with
	// processes only with events that no replica makes. Open, unless nil, is called with the cluster of a run with
	// processes, whose replicas collect their own events. The function that it returns is called when the replicas have
	// ended.
	Hear func(trace.Event)
	Open func(*local.Cluster) (end func())
}

// Refuse returns nil if an engine can run a scenario. Otherwise its error says in one sentence why not, and what to
// change.
func Refuse(e Engine, s *scenario.Scenario) error {
	switch line, why := s.WhyNot(e.Name()); {
	case why == "":
		return nil
	case line > 0:
		return fmt.Errorf("%s:%d: %s", s.File, line, why)
	default:
		return fmt.Errorf("%s: %s", s.File, why)
	}
}

// Honest are the clients of a scenario's workload that are not malicious.
func Honest(s *scenario.Scenario) (clients []int) {
	for i := range s.Workload.Clients {
		if !slices.ContainsFunc(s.Malicious, func(m scenario.Malicious) bool { return m.Client != nil && *m.Client == i }) {
			clients = append(clients, i)
		}
	}
	return clients
}

// Aside returns the n-th operation that a client sends outside the workload, on a key or account that the workload never
// uses.
func Aside(machine, name string, n uint64) []byte {
	if machine == machines.Bank {
		return bank.Open(fmt.Sprintf("%s/%d", name, n), 0)
	}
	return kv.Put(fmt.Appendf(nil, "%s/rogue/%d", name, n), []byte("rogue"))
}

// Run runs a scenario, shows its progress, and judges it. What goes wrong during the run is in the report. Run returns an
// error if there is nothing to report: Refuse refuses the scenario, ctx ends, or a file cannot be written. If the machine
// starved the processes so that they did not start, the report is inconclusive.
func Run(ctx context.Context, e Engine, s *scenario.Scenario, o Options, show Show) (*report.Document, error) {
	d, err := run(ctx, e, s, o, show)
	var starved *StarvedError
	if ctx.Err() != nil || !errors.As(err, &starved) {
		return d, err
	}
	d = &report.Document{
		Scenario: s.Name, Engine: e.Name(), Seed: s.Seed, Faults: []report.Fault{}, Evidence: []report.Evidence{},
		Expect: []report.Expectation{{Key: "completed", Want: wholeRun, Got: err.Error(), Excused: starved.Why}},
	}
	d.Judge()
	return d, nil
}

func run(ctx context.Context, e Engine, s *scenario.Scenario, o Options, show Show) (*report.Document, error) {
	if len(s.Clusters) > 0 {
		return runSeveral(ctx, e, s, o, show)
	}
	if err := Refuse(e, s); err != nil {
		return nil, err
	}
	if s.About != "" {
		Say(show, 0, Note, "%s", s.About)
	}
	measure := func(name string) (rates, error) {
		d, measured, err := faultless(ctx, e, s, filepath.Join(o.Dir, name), show)
		if err == nil && o.Measured != nil {
			o.Measured(d)
		}
		return measured, err
	}
	var before, afterwards rates
	var err error
	if s.Workload.Baseline {
		if before, err = measure("baseline-before"); err != nil {
			return nil, err
		}
	}
	r, err := begin(ctx, e, s, filepath.Join(o.Dir, "cluster"), o.Trace, show)
	if err != nil {
		return nil, err
	}
	defer r.c.Close()
	r.also = o.Also
	if err := r.run(ctx); err != nil {
		return nil, err
	}
	// A machine with other work changes its speed, so the run without faults is measured before and after.
	if afterwards = before; s.Workload.Baseline && !e.Steady() {
		var starved *StarvedError
		switch afterwards, err = measure("baseline-after"); {
		case errors.As(err, &starved): // the run itself stays valid
			afterwards, r.baseless = before, starved.Why
		case err != nil:
			return nil, err
		}
	}
	r.baseline = rates{(before.whole + afterwards.whole) / 2, (before.later + afterwards.later) / 2}
	r.slower, r.faster = min(before.later, afterwards.later), max(before.later, afterwards.later)
	return r.finish()
}

// faultless measures the scenario's workload on a new cluster without faults.
func faultless(ctx context.Context, e Engine, s *scenario.Scenario, dir string, show Show) (*report.Document, rates, error) {
	show.Phase("baseline", "the same workload without any fault")
	r, err := begin(ctx, e, s.Faultless(), dir, Trace{}, show)
	if err != nil {
		return nil, rates{}, fmt.Errorf("baseline: %w", err)
	}
	defer r.c.Close()
	if err := r.run(ctx); err != nil {
		return nil, rates{}, fmt.Errorf("baseline: %w", err)
	}
	d, err := r.finish()
	if err == nil && (r.broke != nil || r.over) {
		err = errors.Join(r.broke, errors.New("it did not run to its end"))
		if d.Verdict == report.Inconclusive {
			err = &StarvedError{Why: strings.Join(d.Excuses(), "; "), Err: err}
		}
	}
	if err != nil {
		return nil, rates{}, fmt.Errorf("baseline: %w", err)
	}
	measured := r.rates(r.c.Work().Acks)
	Say(show, r.lasted, Note, "without faults %.0f operations a second", measured.whole)
	return d, measured, nil
}

// begin starts a scenario's cluster and plans what happens to it.
func begin(ctx context.Context, e Engine, s *scenario.Scenario, dir string, t Trace, show Show) (*course, error) {
	c, err := e.Start(ctx, s, dir, t, show)
	if err != nil {
		return nil, err
	}
	r := &course{e: e, s: s, c: c, show: show, links: links.New(s.Replicas, s.Network, nil), caughtUp: -1}
	r.plan()
	return r, nil
}
