package play

import (
	"context"
	"fmt"

	"tagma/testnet/report"
	"tagma/testnet/scenario"
)

// Names of engines.
const (
	Processes = scenario.OnProcesses
	Sim       = scenario.OnSim
)

// Engine runs scenarios, one at a time.
type Engine interface {
	// Name is Processes or Sim.
	Name() string
	// Refuse tells what of a scenario the engine cannot run, as a *RefusedError, or nil if it can run all of it.
	Refuse(s *scenario.Scenario) error
	// Run runs a scenario that is not refused, shows it as it goes, and judges it. The error says why it could not be run
	// to its end at all, for instance because ctx ended; what went wrong in it is in the report.
	Run(ctx context.Context, s *scenario.Scenario, o Options, show Show) (*report.Document, error)
}

// Options are what a run has beside its scenario.
type Options struct {
	Dir string // an existing, empty directory for all files that the run makes
}

// RefusedError says what an engine cannot do, in one sentence with the mend.
type RefusedError struct {
	File string // of the scenario
	Line int    // 0 if unknown
	Why  string
}

func (e *RefusedError) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Why)
	}
	return fmt.Sprintf("%s: %s", e.File, e.Why)
}

// Refuse is what engines implement Refuse with: package scenario knows what each of them cannot do.
func Refuse(engine string, s *scenario.Scenario) error {
	if line, why := s.WhyNot(engine); why != "" {
		return &RefusedError{File: s.File, Line: line, Why: why}
	}
	return nil
}
