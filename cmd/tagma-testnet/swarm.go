package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"tagma/internal/command"
	"tagma/testnet/swarm"
)

// swarmFlags are the flags of a swarm, in addition to those of single runs.
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

func runSwarm(ctx context.Context, f simFlags, stdout io.Writer) error {
	o, err := f.swarmOptions()
	if err != nil {
		return err
	}
	debug.SetGCPercent(simGarbage)
	s, err := swarm.Tell(ctx, o, swarm.Telling{Out: f.out, Again: f.command, To: stdout, Mute: f.json})
	if err != nil {
		return fmt.Errorf("sim: %w", err)
	}
	if f.json {
		err = json.NewEncoder(stdout).Encode(s)
	} else {
		err = s.Print(stdout)
	}
	if err != nil {
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

// swarmOptions checks the flags.
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
		First: f.seed, Seeds: f.seeds, Replicas: f.replicas, Steps: f.steps, From: f.setting(), Twice: f.twice, Workers: f.jobs,
		Time: time.Duration(f.minutes * float64(time.Minute)),
	}
	if f.minutes > 0 && !f.counted {
		o.Seeds = 0
	}
	return o, nil
}
