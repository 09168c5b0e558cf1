package main

import (
	"context"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"tagma/internal/command"
	"tagma/testnet/byzantine/tamper"
	"tagma/testnet/flood"
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
			return runFlood(cmd.Context(), f, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	o := &f.options
	f.flags(cmd)
	cmd.Flags().StringArrayVar(&f.attacks, "attack", nil,
		"`attacker=behaviour`, the attacker being client, replica or outsider; see tagma-testnet behaviours")
	cmd.Flags().IntVar(&o.Honest, "clients", o.Honest, "honest clients, each with a key of its own")
	cmd.Flags().IntVar(&o.Workers, "in-flight", o.Workers, "requests that each of them has under way")
	cmd.Flags().IntVar(&o.Operations, "ops", o.Operations, "operations of the honest clients in each measurement")
	cmd.Flags().IntVar(&o.Valid, "valid", o.Valid, "flooding clients with valid requests")
	cmd.Flags().IntVar(&o.Invalid, "invalid", o.Invalid, "flooding clients with bad signatures")
	return cmd
}

func runFlood(ctx context.Context, f floodFlags, stdout, stderr io.Writer) error {
	o := f.options
	switch {
	case o.Honest < 1 || o.Workers < 1 || o.Operations < 4:
		return command.Unusablef("flood: there is nothing to measure with --clients %d, --in-flight %d and --ops %d; give at least 1, 1 and 4",
			o.Honest, o.Workers, o.Operations)
	case o.Valid < 0 || o.Invalid < 0 || o.Valid+o.Invalid+len(f.attacks) == 0:
		return command.Unusablef("flood: nobody floods with --valid %d and --invalid %d; give at least one client", o.Valid, o.Invalid)
	}
	var err error
	if o.Assaults, err = parseAttacks(f.attacks); err != nil {
		return err
	}
	shown := f.shown(stdout, stderr)
	return f.within(shown, func(dir string) error {
		o.Dir = dir
		show, end := showOn(shown, f.verb)
		document, err := flood.Run(ctx, o, show)
		end()
		if err != nil {
			return err
		}
		return f.tell(stdout, document, document.Verdict == report.Pass, func() error { return flood.Print(stdout, document, styleFor(stdout)) })
	})
}

// parseAttacks reads who attacks and how.
func parseAttacks(texts []string) ([]flood.Assault, error) {
	var all []flood.Assault
	for _, text := range texts {
		who, behaviour, ok := strings.Cut(text, "=")
		if !ok {
			return nil, command.Unusablef("flood: --attack %q; write an attacker and its behaviour, such as replica=malformed", text)
		}
		choice, err := tamper.Split(behaviour)
		a := flood.Assault{As: who, Choice: choice}
		if err == nil {
			err = a.Check()
		}
		if err != nil {
			return nil, command.Unusablef("flood: --attack %q: %w", text, explained(err))
		}
		all = append(all, a)
	}
	return all, nil
}
