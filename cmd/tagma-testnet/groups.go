package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"runtime/debug"
	"time"

	"tagma/internal/cluster"
	"tagma/internal/command"
	"tagma/internal/trace"
	"tagma/testnet/sim"
	"tagma/testnet/swarm"
)

// runGroups runs seeds over several clusters each.
func runGroups(ctx context.Context, f simFlags, stdout io.Writer) error {
	switch most := len(swarm.GroupNames); {
	case f.groups < 2 || f.groups > most:
		return command.Unusablef("sim: --groups %d: transactions go over 2 to %d clusters", f.groups, most)
	case f.plan != "" || f.replicas != 0 || f.steps != 0 || f.faults != cluster.Byzantine:
		return command.Unusablef("sim: --groups draws everything from the seed; leave out --plan, --replicas, --steps and --fault-model")
	case f.trace != "" && f.trace != toScreen:
		return command.Unusablef("sim: --trace=%s is of one cluster, and --groups asks for %d; --trace alone prints the events of all", f.trace, f.groups)
	case f.trace != "" && (f.seeds != 1 || f.minutes > 0):
		return command.Unusablef("sim: --trace of many seeds would be endless; give one seed, without --minutes")
	case f.minutes < 0 || f.jobs < 1:
		return command.Unusablef("sim: --minutes is a time and --jobs a number above 0")
	}
	debug.SetGCPercent(simGarbage)
	if f.trace != "" {
		return f.traceGroups(stdout)
	}
	o := swarm.Options{
		First: f.seed, Seeds: f.seeds, Workers: f.jobs, Twice: f.twice, Time: time.Duration(f.minutes * float64(time.Minute)),
	}
	if f.minutes > 0 && !f.counted {
		o.Seeds = 0
	}
	s, err := swarm.RunManyGroups(ctx, o, f.groups, func(r *swarm.GroupResult) error {
		if f.json || r.Violation == nil {
			return nil
		}
		return f.tellGroups(r, stdout)
	})
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("sim: %w", err)
	}
	if f.json {
		err = json.NewEncoder(stdout).Encode(s)
	} else {
		_, err = fmt.Fprint(stdout, s)
	}
	switch {
	case err != nil:
		return err
	case s.Failed > 0:
		return command.ErrTold
	case ctx.Err() != nil:
		return fmt.Errorf("sim: interrupted after %d seeds", s.Seeds)
	}
	return nil
}

// again is the command that runs a seed over several clusters again.
func (f *simFlags) againGroups(seed uint64) string {
	return fmt.Sprintf("tagma-testnet sim --groups %d --seed %d --trace", f.groups, seed)
}

// tellGroups prints a run that failed, and the command that repeats it.
func (f *simFlags) tellGroups(r *swarm.GroupResult, stdout io.Writer) error {
	if _, err := fmt.Fprintf(stdout, "seed %d failed: %v\n", r.Plan.Seed, r.Violation); err != nil {
		return err
	}
	_, err := fmt.Fprintf(stdout, "again: %s\n", f.againGroups(r.Plan.Seed))
	return err
}

// traceGroups prints every event of one seed.
func (f *simFlags) traceGroups(stdout io.Writer) error {
	var shown error
	hear := trace.Only(f.only, func(e trace.Event) {
		if shown == nil {
			_, shown = fmt.Fprintln(stdout, trace.Text(e, 0))
		}
	})
	r, err := swarm.RunGroups(swarm.DrawGroups(f.seed, f.groups), func(_ int, o *sim.Options) { o.Trace = hear })
	switch {
	case err != nil:
		return fmt.Errorf("sim: %w", err)
	case shown != nil:
		return shown
	case r.Violation != nil:
		_, _ = fmt.Fprintf(stdout, "seed %d failed: %v\n%s\n", r.Plan.Seed, r.Violation, r.Plan)
		return command.ErrTold
	}
	_, err = fmt.Fprintf(stdout, "seed %d: %d transactions, %d committed, %d aborted\n", r.Plan.Seed, r.Counts.Made, r.Counts.Committed, r.Counts.Aborted)
	return err
}
