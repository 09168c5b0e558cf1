package play

import (
	"context"
	"fmt"
	"time"

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
	// Steady reports whether runs of one seed are alike, so that a second one shows nothing.
	Steady() bool
	// Stall is so long without an acknowledgement that ends a run when nothing can change it.
	Stall(s *scenario.Scenario) time.Duration
}

// Options are what a run has beside its scenario.
type Options struct {
	Dir   string // an existing, empty directory for all files that the run makes
	Trace Trace
	// Also, unless nil, adds to a report what else was to hold, before it is judged.
	Also func(d *report.Document)
	// Measured, unless nil, is given the document of each run without faults.
	Measured func(baseline *report.Document)
}

// Trace is what happens in a run, written to a file (docs/trace.md). The runs without faults have none.
type Trace struct {
	File string   // "": no trace
	Only []string // these kinds of events; nil: all
}

// Refuse tells in one sentence with the mend what of a scenario an engine cannot run, nil if it can run all of it.
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
