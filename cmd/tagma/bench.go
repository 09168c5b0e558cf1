package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"tagma/client"
	"tagma/internal/bench"
	"tagma/internal/command"
	"tagma/internal/machines"
	"tagma/internal/reach"
	"tagma/internal/terminal"
)

// benchRun is one `tagma bench`.
type benchRun struct {
	to          target
	options     bench.Options
	connections int
	runs        int
	out         string // directory for files, if any
}

// mostConnections is how many connections share a load by default, and maxConnections how many a replica allows one key.
const (
	mostConnections = 32
	maxConnections  = 64
)

func newBench() *cobra.Command {
	b := benchRun{options: bench.Options{Seed: 1}}
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Load a cluster and measure how fast it answers",
		Long: `Load a running cluster with puts and gets of its key-value machine and print how fast they were answered. It writes keys
that begin with bench/, and leaves them there.

Every one of N clients has one request under way: the next one follows the answer. With --rate, operations are instead
due at that rate whatever the cluster does, and the time of each one counts from when it was due, so that a stall shows
in every operation that it delayed; --clients then bounds how many are under way.

The clients share a few connections, each with a session of its own. With --runs the same load is measured again and again,
after one warm-up: a single figure from a machine that does other things too says little. Exit code 1 says that an operation
failed.`,
		Example: `  tagma bench --clients 64 --duration 10s
  tagma bench --clients 512 --ops 100000 --json
  tagma bench --clients 4 --batch 16 --reads 50
  tagma bench --clients 256 --rate 2000 --runs 5 --out results`,
		Args: command.Takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := b.complete(cmd.Flags().Changed("duration")); err != nil {
				return command.NotUsable(err)
			}
			return b.run(cmd)
		},
	}
	b.to.flags(cmd, defaultTimeout)
	flags, o := cmd.Flags(), &b.options
	flags.Lookup("timeout").Usage = "patience with the connections and with each request"
	flags.IntVar(&o.Clients, "clients", 64, "`number` of clients, each with one request under way")
	flags.IntVar(&o.Ops, "ops", 0, "`number` of operations to measure, instead of --duration")
	flags.DurationVar(&o.Duration, "duration", 10*time.Second, "how long to measure")
	flags.DurationVar(&o.Warmup, "warmup", 2*time.Second, "the same load before it, which is not measured")
	flags.IntVar(&o.ValueBytes, "value-bytes", 100, "`bytes` of each value put")
	flags.IntVar(&o.Reads, "reads", 0, "`percentage` of requests that get instead of put")
	flags.IntVar(&o.Batch, "batch", 1, "`operations` packed into each request")
	flags.Float64Var(&o.Rate, "rate", 0, "`operations` due per second, instead of one after the other")
	flags.IntVar(&o.Keys, "keys", 100_000, "`number` of different keys")
	flags.IntVar(&b.connections, "connections", 0, "`number` of connections that the clients share (default one each, at most 32)")
	flags.StringVar(&b.out, "out", "", "`directory` for summary.csv, intervals.csv, the histogram latency.hgrm, throughput.svg and latency.svg")
	flags.IntVar(&b.runs, "runs", 1, "how `often` to measure; the median of the runs is printed between the least and the greatest")
	return cmd
}

// run loads the cluster and prints the result. Progress goes to stderr.
func (b *benchRun) run(cmd *cobra.Command) error {
	if b.out != "" { // checked before the run, so that its result is not lost
		if err := os.MkdirAll(b.out, 0o755); err != nil {
			return fmt.Errorf("make the directory for the results: %w; choose another one with --out", err)
		}
	}
	sessions, err := b.dial(cmd.Context())
	if err != nil {
		return err
	}
	callers := make([]bench.Caller, len(sessions))
	for i, c := range sessions {
		callers[i] = bench.Session(c)
	}
	runs, err := bench.Repeat(cmd.Context(), callers, b.options, b.runs, bench.NewView(cmd.ErrOrStderr()))
	if err = errors.Join(err, closeAll(sessions)); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	if b.out != "" {
		if err := runs.Save(b.out); err != nil {
			return fmt.Errorf("write the results to %s: %w", b.out, err)
		}
	}
	report := runs.Report(&b.options, b.connections, command.Version())
	if err := command.Print(cmd, b.to.JSON, report, report.Print); err != nil {
		return err
	}
	if b.out != "" && !b.to.JSON {
		if err := terminal.Say(cmd.OutOrStdout(), "details in %s\n", b.out); err != nil {
			return err
		}
	}
	if err := runs.Failure(); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	return nil
}

// complete sets fields that follow from other flags, and refuses flags that contradict each other.
func (b *benchRun) complete(durationGiven bool) error {
	o := &b.options
	o.Timeout = b.to.Timeout
	if o.Ops != 0 && durationGiven {
		return errors.New("--ops and --duration both say when to stop; give one of them")
	}
	if err := o.Check(); err != nil {
		return err
	}
	switch {
	case b.runs < 1:
		return fmt.Errorf("--runs %d: at least 1 is needed", b.runs)
	case b.connections == 0:
		b.connections = min(o.Clients, mostConnections)
	case b.connections < 1 || b.connections > maxConnections:
		return fmt.Errorf("--connections %d: replicas allow 1 to %d of one key", b.connections, maxConnections)
	case b.connections > o.Clients:
		return fmt.Errorf("--connections %d: with --clients %d some would never be used; give at most as many", b.connections, o.Clients)
	}
	return nil
}

// dial opens the sessions. If one of them fails, it closes the others.
func (b *benchRun) dial(ctx context.Context) (sessions []*client.Client, err error) {
	file, key, err := b.to.Read()
	if err != nil {
		return nil, err
	}
	if file.Machine != machines.KV {
		return nil, command.Unusablef("the cluster runs the machine %s, and tagma bench is for %s", file.Machine, machines.KV)
	}
	most := file.Protocol.WithDefaults().MaxOps
	if b.options.Batch > most {
		return nil, command.Unusablef("--batch %d: the cluster allows %d operations in a request (max_ops)", b.options.Batch, most)
	}
	ctx, cancel := context.WithTimeout(ctx, b.to.Timeout)
	defer cancel()
	for range b.connections {
		c, err := reach.Dial(ctx, file, key)
		if err != nil {
			err = fmt.Errorf("%w; `tagma status` shows which replicas answer", err)
			return nil, errors.Join(err, closeAll(sessions))
		}
		sessions = append(sessions, c)
	}
	return sessions, nil
}

func closeAll(sessions []*client.Client) error {
	var errs []error
	for _, c := range sessions {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}
