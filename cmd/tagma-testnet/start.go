package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"tagma/internal/cluster"
	"tagma/internal/command"
	"tagma/internal/machines"
	"tagma/internal/trace"
	"tagma/testnet/byzantine"
	"tagma/testnet/local"
	"tagma/testnet/page"
	"tagma/testnet/play"
)

// startFlags are the flags of a cluster that runs until Ctrl-C.
type startFlags struct {
	replicas, basePort int
	faults             cluster.FaultModel
	dir, machine       string
	malicious          []string
	trace              string
	only               []string
	ui                 int
}

func newStart() *cobra.Command {
	var f startFlags
	cmd := &cobra.Command{
		Use:   "start",
		Short: "Run a cluster until Ctrl-C",
		Long: `Start a new cluster of processes on this machine and run it until Ctrl-C. It prints how to talk to it. Replicas that
are killed by hand stay down and are reported; the files stay when the cluster ends.

With --ui a page shows all that happens in the cluster, and can do to it what a scenario can: make replicas malicious, kill,
pause, wipe and part them, send requests: docs/page.md.`,
		Example: `  tagma-testnet start
  tagma-testnet start --ui
  tagma-testnet start --replicas 7 --dir net --malicious 3=equivocate --malicious 5=silent,to=1+2
  tagma-testnet start --dir net --trace net.jsonl --only phase,view
  tagma-testnet start --machine bank --malicious 3=corrupt,what=reply`,
		Args: command.Takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !cmd.Flags().Changed("replicas") {
				f.replicas = f.faults.Least()
			}
			return runStart(cmd.Context(), f, cmd.OutOrStdout())
		},
	}
	cmd.Flags().IntVar(&f.replicas, "replicas", 4, "how many; 3f+1 mask f faulty ones, 2f+1 mask f crashed ones; 3 with the fault model crash")
	modelFlag(cmd, &f.faults)
	cmd.Flags().StringVar(&f.dir, "dir", "", "`directory` for the cluster's files (default a temporary one)")
	cmd.Flags().StringVar(&f.machine, "machine", machines.KV, "the replicated state machine, kv or bank")
	cmd.Flags().StringArrayVar(&f.malicious, "malicious", nil,
		"`replica=behaviour` or replica=behaviour,parameter=value; see tagma-testnet behaviours")
	cmd.Flags().IntVar(&f.basePort, "base-port", 0, "replica i listens on this port plus i (default free ports)")
	cmd.Flags().StringVar(&f.trace, "trace", "", "write what happens in the replicas to this `file` when the cluster ends, for replay")
	onlyFlag(cmd, &f.only)
	uiFlag(cmd, &f.ui)
	command.Complete(cmd, "machine", command.Words(machines.Shipped.Names()...))
	command.Complete(cmd, "malicious", command.Choices(func(given string) []string { return byzantine.SuggestReplicas(given, f.replicas) }))
	return cmd
}

func runStart(ctx context.Context, f startFlags, stdout io.Writer) error {
	malicious, err := f.check()
	if err != nil {
		return err
	}
	ui, err := page.Open(f.ui)
	if err != nil {
		return command.Unusablef("start: %w", err)
	}
	defer ui.Close()
	temporary := f.dir == ""
	if temporary {
		if f.dir, err = os.MkdirTemp("", "tagma-testnet-"); err != nil {
			return fmt.Errorf("start: %w", err)
		}
	}
	if f.dir, err = filepath.Abs(f.dir); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	c, err := local.Create(ui.Options(local.Options{
		Dir: f.dir, Replicas: f.replicas, BasePort: f.basePort, Machine: f.machine, Malicious: malicious, Awake: true,
		Protocol: cluster.Protocol{FaultModel: f.faults},
		Trace:    f.parts(), TraceOnly: f.only,
	}))
	if err != nil {
		if temporary {
			_ = os.Remove(f.dir) // this fails if the directory is not empty; the error that is returned below matters more
		}
		return command.Unusablef("start: %w", err)
	}
	defer c.Close()
	if f.trace != "" {
		err = os.Mkdir(f.parts(), 0o755)
	}
	if err = errors.Join(err, c.Start()); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	ui.Show(stdout, c)
	if err := ready(ctx, c); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	if _, err := io.WriteString(stdout, c.Instructions()); err != nil {
		return err
	}
	for {
		select {
		case d := <-c.Deaths():
			_, _ = fmt.Fprintf(stdout, "%v\n", d)
			ui.Died(d)
		case <-ctx.Done():
			ui.Close() // the page's load must end while replicas still answer
			_, _ = fmt.Fprintf(stdout, "\nstopping; the files stay in %s\n", f.dir)
			err := c.Stop(local.Patience)
			if f.trace != "" {
				err = errors.Join(err, trace.MergeDir(f.trace, f.parts(), trace.Header{Engine: play.Processes, Replicas: f.replicas}))
			}
			return err
		}
	}
}

// parts is the directory into which replicas write their parts of a trace.
func (f *startFlags) parts() string {
	if f.trace == "" {
		return ""
	}
	return filepath.Join(f.dir, "trace")
}

// check checks the flags.
func (f *startFlags) check() (map[int][]byzantine.Choice, error) {
	if err := checkOnly("start", f.only, f.trace); err != nil {
		return nil, err
	}
	switch {
	case !slices.Contains(machines.Shipped.Names(), f.machine):
		return nil, command.Unusablef("start: there is no machine %q;%s there is %s", f.machine, command.Meant(f.machine, machines.Shipped.Names(), ""),
			strings.Join(machines.Shipped.Names(), " and "))
	case f.faults.CheckReplicas(f.replicas) != nil:
		return nil, command.Unusablef("start: --replicas: %w", f.faults.CheckReplicas(f.replicas))
	case f.basePort != 0 && (f.basePort < 1 || f.basePort+f.replicas > 65536):
		return nil, command.Unusablef("start: ports %d to %d are not all between 1 and 65535", f.basePort, f.basePort+f.replicas-1)
	}
	malicious, err := byzantine.ParseReplicas(f.malicious, f.replicas)
	if err != nil {
		return nil, command.Unusablef("start: --malicious %w", explained(err))
	}
	return malicious, nil
}

func ready(ctx context.Context, c *local.Cluster) error {
	ctx, cancel := context.WithTimeout(ctx, local.Patience)
	defer cancel()
	honest := slices.DeleteFunc(c.Running(), c.Malicious) // an attacker may never report that it is ready
	return c.WaitReady(ctx, honest...)
}
