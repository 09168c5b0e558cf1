package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"tagma/internal/cluster"
	"tagma/internal/command"
	"tagma/internal/trace"
	"tagma/pbft/wire"
	"tagma/testnet/sim"
	"tagma/testnet/swarm"
)

// toScreen is the value of --trace if no file is given.
const toScreen = "-"

// simFlags are the flags of simulated runs.
type simFlags struct {
	seed, seeds uint64
	replicas    int
	faults      cluster.FaultModel
	steps       int
	plan        string
	json, twice bool
	trace       string
	only        []string
	groups      int
	swarmFlags
}

func newSim() *cobra.Command {
	f := simFlags{seeds: 1}
	cmd := &cobra.Command{
		Use:   "sim",
		Short: "Run clusters in virtual time, each from one seed",
		Long: `Draw a cluster with its workload, faults and attackers from each seed, run it in virtual time and check every
invariant after every step. Everything about a run follows from its seed: the same seed gives the same trace hash.

When an invariant does not hold, the last lines of the trace, the plan of the run and the command that repeats it are
printed, and the exit code is 1.

With --swarm more is drawn: up to 13 replicas, all parameters, every attacker and malicious client with its parameters, and
faults of single messages. Several worlds run at once. A failing plan is made smaller, and written to a file that --plan runs.`,
		Example: `  tagma-testnet sim --seed 1
  tagma-testnet sim --seed 1 --seeds 1000 --replicas 7
  tagma-testnet sim --seed 7 --trace
  tagma-testnet sim --seed 7 --trace=seed7.jsonl
  tagma-testnet sim --swarm --minutes 2
  tagma-testnet sim --swarm --seed 7 --seeds 500 --twice
  tagma-testnet sim --groups 2 --seeds 100`,
		Args: command.Takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.counted = cmd.Flags().Changed("seeds")
			for _, name := range []string{"minutes", "jobs", "out"} {
				if cmd.Flags().Changed(name) && !f.on && (f.groups == 0 || name == "out") {
					return command.Unusablef("sim: --%s is for a swarm; add --swarm", name)
				}
			}
			return runSim(cmd.Context(), f, cmd.OutOrStdout())
		},
	}
	cmd.Flags().Uint64Var(&f.seed, "seed", 1, "the first seed")
	cmd.Flags().Uint64Var(&f.seeds, "seeds", 1, "how many seeds, one after the other")
	cmd.Flags().IntVar(&f.replicas, "replicas", 0, "how many (default drawn from the seed)")
	modelFlag(cmd, &f.faults)
	cmd.Flags().IntVar(&f.steps, "steps", 0, "stop each run after so many events (default at its end)")
	cmd.Flags().StringVar(&f.plan, "plan", "", "run the plan in this `file`, as a failure printed it, instead of drawing one")
	cmd.Flags().BoolVar(&f.json, "json", false, "print a JSON document for each run")
	cmd.Flags().StringVar(&f.trace, "trace", "", "print everything that happens, or write it to a `FILE` with --trace=FILE, for replay")
	cmd.Flags().Lookup("trace").NoOptDefVal = toScreen
	onlyFlag(cmd, &f.only)
	cmd.Flags().BoolVar(&f.twice, "twice", false, "run each seed twice, and fail unless it is the same run")
	cmd.Flags().IntVar(&f.groups, "groups", 0, "so many clusters beside each other, with transactions over them (default one cluster)")
	f.swarmFlags.add(cmd)
	return cmd
}

// modelFlag adds the flag that says which failures are masked.
func modelFlag(cmd *cobra.Command, m *cluster.FaultModel) {
	cmd.Flags().TextVar(m, "fault-model", cluster.Byzantine, "which failures are masked: byzantine, or crash: three replicas and more, of which none lies")
	command.Complete(cmd, "fault-model", command.Words(cluster.Byzantine.String(), cluster.CrashOnly.String()))
}

// simGarbage is the garbage collector's percentage, high since simulations use little memory and make much garbage.
const simGarbage = 800

func runSim(ctx context.Context, f simFlags, stdout io.Writer) error {
	switch {
	case f.replicas != 0 && f.faults.CheckReplicas(f.replicas) != nil:
		return command.Unusablef("sim: --replicas: %w", f.faults.CheckReplicas(f.replicas))
	case f.replicas > wire.MaxMembers:
		return command.Unusablef("sim: %d replicas are more than the protocol has names for; simulate at most %d", f.replicas, wire.MaxMembers)
	case f.seeds == 0:
		return command.Unusablef("sim: --seeds 0 runs nothing; give at least 1")
	case f.steps < 0:
		return command.Unusablef("sim: --steps %d is not above 0; leave it out to run to the end", f.steps)
	}
	if f.plan != "" && f.seeds != 1 {
		return command.Unusablef("sim: --plan is one run, and --seeds asks for %d; give one of them", f.seeds)
	}
	if f.trace != "" && f.trace != toScreen && f.seeds != 1 {
		return command.Unusablef("sim: --trace=%s is the trace of one run, and --seeds asks for %d; give one of them", f.trace, f.seeds)
	}
	if err := checkOnly("sim", f.only, f.trace); err != nil {
		return err
	}
	if f.groups != 0 {
		return runGroups(ctx, f, stdout)
	}
	if f.on && (f.trace == "" || f.seeds != 1 || f.minutes != 0) {
		return runSwarm(ctx, f, stdout)
	}
	debug.SetGCPercent(simGarbage)
	failed := false
	for seed := f.seed; seed-f.seed < f.seeds && ctx.Err() == nil; seed++ {
		p, err := f.planOf(seed)
		if err != nil {
			return err
		}
		held, err := runPlan(f, p, stdout)
		if err != nil {
			return fmt.Errorf("sim: seed %d: %w", seed, err)
		}
		failed = failed || !held
	}
	switch {
	case failed:
		return command.ErrTold
	case ctx.Err() != nil:
		return fmt.Errorf("sim: interrupted")
	}
	return nil
}

// setting is what the flags say about how plans are drawn.
func (f *simFlags) setting() *swarm.Setting {
	s := swarm.Narrow
	if f.on {
		s = swarm.Wide
	}
	if f.faults == cluster.CrashOnly {
		return s.Crashing()
	}
	return s
}

func (f *simFlags) planOf(seed uint64) (*sim.Plan, error) {
	switch {
	case f.plan == "":
		return f.setting().Draw(seed, f.replicas), nil
	}
	text, err := os.ReadFile(f.plan)
	if err != nil {
		return nil, command.Unusablef("sim: read the plan: %w", err)
	}
	p, err := sim.ParsePlan(text)
	if err != nil {
		return nil, command.Unusablef("sim: %s: %w", f.plan, err)
	}
	return p, nil
}

// runPlan runs a plan and reports whether all invariants held.
func runPlan(f simFlags, p *sim.Plan, stdout io.Writer) (bool, error) {
	hear, done, err := f.listener(p, stdout)
	if err != nil {
		return false, err
	}
	r, err := swarm.Single(p, swarm.Options{Steps: f.steps, Twice: f.twice}, f.replay(p), hear)
	if err = errors.Join(err, done()); err != nil {
		return false, err
	}
	if f.json {
		return r.Held, json.NewEncoder(stdout).Encode(r)
	}
	return r.Held, r.Print(stdout)
}

// listener returns the function that receives a run's events, nil if no trace is wanted. The function done ends the trace.
func (f *simFlags) listener(p *sim.Plan, stdout io.Writer) (hear func(trace.Event), done func() error, err error) {
	switch f.trace {
	case "":
		return nil, func() error { return nil }, nil
	case toScreen:
		shown := error(nil)
		print := func(e trace.Event) {
			if shown == nil {
				_, shown = fmt.Fprintln(stdout, trace.Text(e, 0))
			}
		}
		return trace.Only(f.only, print), func() error { return shown }, nil
	}
	return trace.Write(f.trace, trace.Header{Engine: trace.Simulated, Replicas: p.Replicas, Seed: p.Seed}, f.only)
}

// replay returns the command line that runs a plan again.
func (f *simFlags) replay(p *sim.Plan) string {
	if f.plan != "" {
		return "tagma-testnet sim --plan " + f.plan + " --trace"
	}
	return f.command(p.Seed) + " --trace"
}

// command returns the command line that runs a seed again with the same flags.
func (f *simFlags) command(seed uint64) string {
	text := "tagma-testnet sim"
	if f.on {
		text += " --swarm"
	}
	text += fmt.Sprintf(" --seed %d", seed)
	if f.faults != cluster.Byzantine {
		text += " --fault-model " + f.faults.String()
	}
	if f.replicas > 0 {
		text += fmt.Sprintf(" --replicas %d", f.replicas)
	}
	if f.steps > 0 {
		text += fmt.Sprintf(" --steps %d", f.steps)
	}
	return text
}
