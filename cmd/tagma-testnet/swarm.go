package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"tagma/internal/command"
	"tagma/testnet/swarm"
)

// Bounds of what is done about failures: a broken build must not keep a machine busy for ever.
const (
	mostFailures = 10 // after which a swarm ends
	shrinkRuns   = 400
	shrinkTime   = 30 * time.Second
	shrinkAll    = 90 * time.Second // for all failures: later ones are told as they were drawn
)

// swarmFlags are those of a swarm beside the ones of single runs.
type swarmFlags struct {
	on      bool
	minutes float64
	jobs    int
	out     string
	counted bool // --seeds was given
}

func (f *swarmFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.on, "swarm", false, "draw everything, run worlds beside each other, and shrink what fails")
	cmd.Flags().Float64Var(&f.minutes, "minutes", 0, "of a swarm: go on for so long")
	cmd.Flags().IntVar(&f.jobs, "jobs", runtime.GOMAXPROCS(0), "of a swarm: how many worlds run at once")
	cmd.Flags().StringVar(&f.out, "out", ".", "of a swarm: the `folder` for plans of failures")
}

// swarmReport is what --json prints.
type swarmReport struct {
	*swarm.Summary
	Held     bool             `json:"held"`
	Failures []*swarm.Failure `json:"failures,omitempty"`
}

// errEnough ends a swarm that has failed often.
var errEnough = errors.New("enough")

func runSwarm(ctx context.Context, f simFlags, stdout io.Writer) error {
	o, err := f.swarmOptions()
	if err != nil {
		return err
	}
	debug.SetGCPercent(simGarbage)
	t := &swarmTeller{ctx: ctx, f: &f, stdout: stdout, left: shrinkAll, live: !f.json && styleFor(stdout).Terminal}
	s, err := swarm.Run(ctx, o, t.tell)
	t.clear()
	if err != nil && !errors.Is(err, errEnough) && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("sim: %w", err)
	}
	if err := f.sum(&swarmReport{Summary: s, Held: s.Failed == 0, Failures: t.failures}, stdout); err != nil {
		return err
	}
	switch {
	case s.Failed > 0:
		return command.ErrTold
	case ctx.Err() != nil:
		return fmt.Errorf("sim: interrupted after %d seeds", s.Seeds)
	}
	return nil
}

// swarmOptions judges the flags.
func (f *simFlags) swarmOptions() (o swarm.Options, err error) {
	switch {
	case f.plan != "":
		return o, command.Unusablef("sim: --plan is one run, and --swarm draws many; give one of them")
	case f.trace != "":
		return o, command.Unusablef("sim: --trace of many seeds would be endless; give one seed, without --minutes")
	case f.minutes < 0 || f.jobs < 1:
		return o, command.Unusablef("sim: --minutes is a time and --jobs a number above 0")
	}
	o = swarm.Options{
		First: f.seed, Seeds: f.seeds, Replicas: f.replicas, Steps: f.steps, Twice: f.twice, Workers: f.jobs,
		Time: time.Duration(f.minutes * float64(time.Minute)),
	}
	if f.minutes > 0 && !f.counted {
		o.Seeds = 0
	}
	return o, nil
}

// swarmTeller tells of a swarm's runs, one at a time, and explains those that fail.
type swarmTeller struct {
	ctx      context.Context
	f        *simFlags
	stdout   io.Writer
	failures []*swarm.Failure
	left     time.Duration // for shrinking
	live     bool          // there is a line of progress that is written again and again
	drawn    time.Time     // when it was
}

func (t *swarmTeller) tell(r *swarm.Result, s *swarm.Summary) error {
	if t.live && time.Since(t.drawn) >= 200*time.Millisecond {
		t.drawn = time.Now()
		// A line of progress that cannot be written is no reason to stop.
		_, _ = fmt.Fprintf(t.stdout, "\r\x1b[Kseed %d: %d runs, %d failed, %.1f hours simulated, %.1f seeds a second",
			r.Plan.Seed, s.Seeds, s.Failed, s.SimulatedHours, float64(s.Seeds)/max(s.RealSeconds, 1e-3))
	}
	if r.Violation == nil {
		return nil
	}
	t.clear()
	began := time.Now()
	failure, err := t.f.explain(t.ctx, r, min(shrinkTime, max(t.left, 0)))
	t.left -= time.Since(began)
	if err != nil {
		return err
	}
	t.failures = append(t.failures, failure)
	if !t.f.json {
		if _, err := fmt.Fprintln(t.stdout, failure); err != nil {
			return err
		}
	}
	if len(t.failures) == mostFailures {
		return errEnough
	}
	return nil
}

// explain shrinks a failing plan and writes it to a file.
func (f *simFlags) explain(ctx context.Context, r *swarm.Result, patience time.Duration) (*swarm.Failure, error) {
	failure, err := swarm.Explain(ctx, r, swarm.Budget{Runs: shrinkRuns, Time: patience})
	if err != nil {
		return nil, err
	}
	failure.File = filepath.Join(f.out, fmt.Sprintf("swarm-seed-%d.json", r.Plan.Seed))
	if err := os.WriteFile(failure.File, []byte(failure.Plan.String()+"\n"), 0o644); err != nil {
		return nil, fmt.Errorf("write the plan of a failure: %w; --out names another folder", err)
	}
	failure.Replay = "tagma-testnet sim --plan " + failure.File
	failure.Again = f.command(r.Plan.Seed)
	return failure, nil
}

func (f *simFlags) sum(r *swarmReport, stdout io.Writer) error {
	if f.json {
		return json.NewEncoder(stdout).Encode(r)
	}
	verdict := "PASS: every invariant held in every run"
	if !r.Held {
		verdict = fmt.Sprintf("FAIL: %d of %d seeds", r.Failed, r.Seeds)
	}
	_, err := fmt.Fprintf(stdout, "%s%s\n", r.Summary, verdict)
	return err
}

// clear takes the line of progress away.
func (t *swarmTeller) clear() {
	if t.live {
		_, _ = io.WriteString(t.stdout, "\r\x1b[K")
	}
}
