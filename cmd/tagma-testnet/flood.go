package main

import (
	"io"

	"github.com/spf13/cobra"

	"tagma/internal/command"
	"tagma/internal/terminal"
	"tagma/testnet/flood"
	"tagma/testnet/play"
	"tagma/testnet/report"
)

// floodFlags are the flags of the measurement among flooding clients.
type floodFlags struct {
	job
	attacks []string
	options flood.Options
}

func newFlood() *cobra.Command {
	f := floodFlags{options: flood.Defaults()}
	cmd := &cobra.Command{
		Use:   "flood",
		Short: "Measure what honest clients keep of their throughput in a flood",
		Long: `Start four replicas as processes of this machine, measure the throughput of honest clients, and measure it again while
other clients send valid requests, and requests with bad signatures, as fast as the replicas take them. The exit code is
1 if less than 80 % remains, if a view changed, or if there was no flood.

With --attack something else is measured instead, or beside the floods that --valid and --invalid ask for: a client that
misbehaves, or links that are attacked with the key of a backup, of a client or of nobody.

Replicas, honest clients and flooding ones share this machine: what the flood's own processes take is lost to all.`,
		Example: `  tagma-testnet flood
  tagma-testnet flood --valid 0 --json
  tagma-testnet flood --attack replica=malformed --attack client=exhaust --attack outsider=exhaust
  tagma-testnet flood --attack client=client-equivocation,split=each`,
		Args: command.Takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(f.attacks) > 0 && !cmd.Flags().Changed("valid") && !cmd.Flags().Changed("invalid") {
				f.options.Valid, f.options.Invalid = 0, 0
			}
			return runFlood(cmd, f)
		},
	}
	o := &f.options
	f.flags(cmd)
	cmd.Flags().StringArrayVar(&f.attacks, "attack", nil,
		"`attacker=behaviour`, the attacker being client, replica or outsider; see tagma-testnet behaviours")
	command.Complete(cmd, "attack", command.Choices(flood.SuggestAssaults))
	cmd.Flags().IntVar(&o.Honest, "clients", o.Honest, "honest clients, each with a key of its own")
	cmd.Flags().IntVar(&o.Workers, "in-flight", o.Workers, "requests that each of them has under way")
	cmd.Flags().IntVar(&o.Operations, "ops", o.Operations, "operations of the honest clients in each measurement")
	cmd.Flags().IntVar(&o.Valid, "valid", o.Valid, "flooding clients with valid requests")
	cmd.Flags().IntVar(&o.Invalid, "invalid", o.Invalid, "flooding clients with bad signatures")
	return cmd
}

func runFlood(cmd *cobra.Command, f floodFlags) (err error) {
	o := f.options
	if o.Assaults, err = flood.ParseAssaults(f.attacks); err != nil {
		return command.Unusablef("flood: --attack %w", explained(err))
	}
	if err := o.Check(); err != nil {
		return command.Unusablef("flood: %w", err)
	}
	run := func(dir string, show play.Show) (*flood.Document, error) {
		o.Dir = dir
		return flood.Run(cmd.Context(), o, show)
	}
	good := func(d *flood.Document) bool { return d.Verdict == report.Pass }
	return measure(cmd, &f.job, f.verb, run, good, func(w io.Writer, d *flood.Document) error {
		return flood.Print(w, d, terminal.StyleOf(w))
	})
}
