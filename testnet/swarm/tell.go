package swarm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"tagma/internal/terminal"
)

// Bounds on the work for failures, so that a broken program does not keep a machine busy for ever.
const (
	mostFailures = 10 // the swarm ends after so many
	shrinkRuns   = 400
	shrinkTime   = 30 * time.Second
	shrinkAll    = 90 * time.Second // for all failures together; after that, plans are reported as they were drawn
)

// Telling says how a swarm is reported.
type Telling struct {
	Out   string                   // folder for the plans of failures
	Again func(seed uint64) string // the command that runs a seed again
	To    io.Writer                // where failures are written as they come, with a line of progress on a terminal
	Mute  bool                     // nothing is written before the end
}

// Sum is the result of a swarm. Its JSON is what `tagma-testnet sim --swarm --json` prints.
type Sum struct {
	*Summary
	Held     bool       `json:"held"`
	Failures []*Failure `json:"failures,omitempty"`
}

// Print writes the summary and the verdict.
func (s *Sum) Print(w io.Writer) error {
	verdict := "PASS: every invariant held in every run"
	if !s.Held {
		verdict = fmt.Sprintf("FAIL: %d of %d seeds", s.Failed, s.Seeds)
	}
	return terminal.Say(w, "%s%s\n", s.Summary, verdict)
}

// errEnough ends a swarm that has failed often.
var errEnough = errors.New("enough")

// Tell runs seeds until all are done, the context ends, or too many have failed. It makes the plans of failing seeds
// smaller and writes them to files. It returns an error only if a plan cannot be run or a file cannot be written;
// failures are in the Sum.
func Tell(ctx context.Context, o Options, how Telling) (*Sum, error) {
	t := &teller{Telling: how, ctx: ctx, left: shrinkAll, line: &terminal.Line{}}
	if !how.Mute {
		t.line = terminal.NewLine(how.To)
	}
	s, err := Run(ctx, o, t.tell)
	t.line.Clear()
	if err != nil && !errors.Is(err, errEnough) && !errors.Is(err, context.Canceled) {
		return nil, err
	}
	return &Sum{Summary: s, Held: s.Failed == 0, Failures: t.failures}, nil
}

// teller reports a swarm's runs, one at a time, and explains those that fail.
type teller struct {
	Telling
	ctx      context.Context
	failures []*Failure
	left     time.Duration // the time left for shrinking
	line     *terminal.Line
}

func (t *teller) tell(r *Result, s *Summary) error {
	t.line.Draw(fmt.Sprintf("seed %d: %d runs, %d failed, %.1f hours simulated, %.1f seeds a second",
		r.Plan.Seed, s.Seeds, s.Failed, s.SimulatedHours, float64(s.Seeds)/max(s.RealSeconds, 1e-3)))
	if r.Violation == nil {
		return nil
	}
	t.line.Clear()
	began := time.Now()
	failure, err := t.explain(r)
	t.left -= time.Since(began)
	if err != nil {
		return err
	}
	t.failures = append(t.failures, failure)
	if !t.Mute {
		if _, err := fmt.Fprintln(t.To, failure); err != nil {
			return err
		}
	}
	if len(t.failures) == mostFailures {
		return errEnough
	}
	return nil
}

// explain shrinks a failing plan and writes it to a file.
func (t *teller) explain(r *Result) (*Failure, error) {
	failure, err := Explain(t.ctx, r, Budget{Runs: shrinkRuns, Time: min(shrinkTime, max(t.left, 0))})
	if err != nil {
		return nil, err
	}
	failure.File = filepath.Join(t.Out, fmt.Sprintf("swarm-seed-%d.json", r.Plan.Seed))
	if err := os.WriteFile(failure.File, []byte(failure.Plan.String()+"\n"), 0o644); err != nil {
		return nil, fmt.Errorf("write the plan of a failure: %w; --out names another folder", err)
	}
	failure.Replay = "tagma-testnet sim --plan " + failure.File
	failure.Again = t.Again(r.Plan.Seed)
	return failure, nil
}
