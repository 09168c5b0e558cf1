package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"tagma/internal/command"
	"tagma/testnet/play"
	"tagma/testnet/play/processes"
	"tagma/testnet/play/simulated"
	"tagma/testnet/scenario"
)

// runFlags are the flags of scenario runs.
type runFlags struct {
	engine     string
	seed       uint64
	json, keep bool
	dir        string
	trace      play.Trace
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

With --json standard output has one document for one file, and an array of documents for several; progress goes to
standard error.

A verdict is pass, fail, or inconclusive when nothing failed but what is excused, because
this machine starved the processes. The exit code is 0 if every verdict is pass, 1 if one is not, 2 for a scenario that
cannot be used.`,
		Example: `  tagma-testnet run scenarios/equivocate.toml
  tagma-testnet run scenarios/*.toml --engine sim --json > reports.json
  tagma-testnet run scenarios/equivocate.toml --trace run.jsonl --only sent,phase,view
  tagma-testnet run scenarios/partition.toml --keep --dir /tmp/partition`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return command.Unusablef("run: no scenario given; write for instance `tagma-testnet run scenarios/equivocate.toml`")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			seeded := cmd.Flags().Changed("seed")
			return runScenarios(cmd.Context(), f, seeded, args, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&f.engine, "engine", play.Processes, "processes or sim")
	cmd.Flags().Uint64Var(&f.seed, "seed", 0, "of all chance, instead of the scenario's")
	cmd.Flags().BoolVar(&f.json, "json", false, "print the reports as JSON, and progress to standard error")
	cmd.Flags().BoolVar(&f.keep, "keep", false, "leave journals, stores, logs and evidence on the disk")
	cmd.Flags().StringVar(&f.dir, "dir", "", "`directory` for the runs' files (default a temporary one)")
	cmd.Flags().StringVar(&f.trace.File, "trace", "", "write what happens in the run to this `file`, for replay")
	onlyFlag(cmd, &f.trace.Only)
	return cmd
}

// runScenarios judges all files before it runs the first.
func runScenarios(ctx context.Context, f runFlags, seeded bool, files []string, stdout, stderr io.Writer) error {
	engine, err := engineOf(f.engine)
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
	for _, s := range all {
		if seeded {
			s.Seed = f.seed
		}
	}
	all, skipped := fitting(engine, all)
	if len(all) == 0 {
		return command.Unusablef("run: %w", skipped[0])
	}
	if f.trace.File != "" && len(all) > 1 {
		return command.Unusablef("run: --trace is the trace of one run, and there are %d scenarios; give one", len(all))
	}
	dir, remove, err := workDir("run", f.dir)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("run: %w", err)
	}
	r := &runner{flags: f, engine: engine, stdout: stdout, shown: stdout, dir: dir, skipped: len(skipped)}
	if f.json {
		r.shown = stderr
	}
	for _, why := range skipped {
		_, _ = fmt.Fprintf(r.shown, "skipped: %v\n", why)
	}
	err = r.all(ctx, all)
	switch {
	case (f.keep || errors.Is(err, command.ErrTold)) && holdsFiles(dir):
		_, _ = fmt.Fprintf(r.shown, "\njournals, stores, logs and evidence are in %s\n", dir)
	default:
		if gone := remove(); gone != nil {
			err = errors.Join(err, gone)
		}
	}
	if err != nil && !errors.Is(err, command.ErrTold) {
		return fmt.Errorf("run: %w", err)
	}
	return err
}

// holdsFiles reports whether there is any file below a directory: simulated runs leave none.
func holdsFiles(dir string) bool {
	found := false
	// What cannot be read is not promised.
	_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			found = true
			return fs.SkipAll
		}
		return nil
	})
	return found
}

// fitting are the scenarios that an engine can run, and why it cannot run the others.
func fitting(engine play.Engine, all []*scenario.Scenario) (fit []*scenario.Scenario, refused []error) {
	for _, s := range all {
		if err := play.Refuse(engine, s); err != nil {
			refused = append(refused, err)
		} else {
			fit = append(fit, s)
		}
	}
	return fit, refused
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

// engines are what --engine can name, the default first.
func engines() []play.Engine { return []play.Engine{processes.Engine{}, simulated.Engine{}} }
