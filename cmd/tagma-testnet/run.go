package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"tagma/internal/command"
	"tagma/testnet/page"
	"tagma/testnet/play"
	"tagma/testnet/play/processes"
	"tagma/testnet/play/runs"
	"tagma/testnet/play/simulated"
	"tagma/testnet/scenario"
)

// runFlags are the flags of scenario runs.
type runFlags struct {
	job
	engine string
	seed   uint64
	seeds  int
	trace  play.Trace
	ui     int
}

func newRun() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run SCENARIO.toml...",
		Short: "Run scenarios and judge them",
		Long: `Run what scenario files describe, one after the other: a cluster, a workload, what goes wrong and when, and what must
hold in spite of it. The engine is either real processes of this machine or the simulator, which needs no time of its own
and repeats a run exactly. What an engine cannot show is refused before anything runs; of several files it is skipped, and
the reason told.

With --seeds N each scenario runs with N seeds, from its own on: each seed that does not pass is a line with the command that
runs it again, and the report is that of the first of them, or else of the first seed.

With --ui a page shows the run as it goes (docs/page.md), and goes on when the run is over, until Ctrl-C.

With --json standard output has one document for one file, and an array of documents for several; progress goes to
standard error.

A verdict is pass, fail, or inconclusive when nothing failed but what is excused, because
this machine starved the processes. The exit code is 0 if every verdict is pass, 1 if one is not, 2 for a scenario that
cannot be used.`,
		Example: `  tagma-testnet run scenarios/equivocate.toml
  tagma-testnet run scenarios/*.toml --engine sim --json > reports.json
  tagma-testnet run scenarios/equivocate.toml --trace run.jsonl --only sent,phase,view
  tagma-testnet run scenarios/equivocate.toml --ui
  tagma-testnet run scenarios/loss.toml --engine sim --seeds 100
  tagma-testnet run scenarios/partition.toml --keep --dir /tmp/partition`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return command.Unusablef("run: no scenario given; write for instance `tagma-testnet run scenarios/equivocate.toml`")
			}
			return nil
		},
		ValidArgsFunction: command.Files("toml"),
		RunE: func(cmd *cobra.Command, args []string) error {
			seeded := cmd.Flags().Changed("seed")
			return runScenarios(cmd, f, seeded, args)
		},
	}
	cmd.Flags().StringVar(&f.engine, "engine", play.Processes, "processes or sim")
	cmd.Flags().Uint64Var(&f.seed, "seed", 0, "of all chance, instead of the scenario's")
	cmd.Flags().IntVar(&f.seeds, "seeds", 1, "run each scenario with so many seeds, from its own on")
	f.flags(cmd)
	cmd.Flags().StringVar(&f.trace.File, "trace", "", "write what happens in the run to this `file`, for replay")
	onlyFlag(cmd, &f.trace.Only)
	uiFlag(cmd, &f.ui)
	command.Complete(cmd, "engine", command.Words(play.Processes, play.Sim))
	return cmd
}

// mostSeeds bounds how many runs of a scenario one command makes.
const mostSeeds = 1_000_000

// runScenarios checks all scenario files before it runs the first one.
func runScenarios(cmd *cobra.Command, f runFlags, seeded bool, files []string) error {
	engine, err := engineOf(f.engine)
	if err == nil && (f.seeds < 1 || f.seeds > mostSeeds) {
		err = command.Unusablef("run: --seeds must be from 1 to %d", mostSeeds)
	}
	if err == nil {
		err = checkOnly("run", f.trace.Only, f.trace.File)
	}
	if err != nil {
		return err
	}
	all, err := scenario.ReadAll(files)
	if err != nil {
		return command.Unusablef("run: %w", err)
	}
	var skipped []error
	all = slices.DeleteFunc(all, func(s *scenario.Scenario) bool {
		if seeded {
			s.Reseed(f.seed)
		}
		why := play.Refuse(engine, s)
		if why != nil {
			skipped = append(skipped, why)
		}
		return why != nil
	})
	switch {
	case len(all) == 0:
		return command.Unusablef("run: %w", skipped[0])
	case f.ui != page.None && (len(all) > 1 || f.seeds > 1):
		return command.Unusablef("run: --ui shows one run; give one scenario and no --seeds")
	case f.trace.File != "" && len(all) > 1:
		return command.Unusablef("run: --trace is the trace of one run, and there are %d scenarios; give one", len(all))
	case f.trace.File != "" && f.seeds > 1:
		return command.Unusablef("run: --trace is the trace of one run, and there are %d seeds; leave --seeds out", f.seeds)
	}
	shown := f.shown(cmd)
	for _, why := range skipped {
		_, _ = fmt.Fprintf(shown, "skipped: %v\n", why)
	}
	r := &runs.Runner{
		Engine: engine, Seeds: f.seeds, Keep: f.keep, Quiet: f.json, Skipped: len(skipped),
		Stdout: cmd.OutOrStdout(), Shown: shown,
	}
	ui, err := page.Open(f.ui)
	if err != nil {
		return command.Unusablef("run: %w", err)
	}
	defer ui.Close()
	r.Trace, r.Around = ui.Run(shown, all[0], f.engine, f.trace), ui.Around
	return f.within(shown, func(dir string) error {
		documents, err := r.All(cmd.Context(), dir, all)
		if err != nil {
			return err
		}
		document := any(documents)
		if len(documents) == 1 {
			document = documents[0]
		}
		err = f.tell(cmd, document, r.Passed(), r.Summary)
		ui.Stay(cmd.Context(), shown, documents[0])
		return err
	})
}

// engineOf finds an engine by name.
func engineOf(name string) (play.Engine, error) {
	var names []string
	for _, e := range engines() {
		if e.Name() == name {
			return e, nil
		}
		names = append(names, e.Name())
	}
	return nil, command.Unusablef("run: there is no engine %q;%s there is %s", name, command.Meant(name, names, ""), strings.Join(names, " and "))
}

// engines are the engines that --engine can name, the default first.
func engines() []play.Engine { return []play.Engine{processes.Engine{}, simulated.Engine{}} }
