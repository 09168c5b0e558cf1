package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"tagma/internal/command"
	"tagma/internal/trace"
	"tagma/testnet/page"
)

func newReplay() *cobra.Command {
	var only []string
	var asJSON bool
	port := page.None
	cmd := &cobra.Command{
		Use:   "replay FILE",
		Short: "Print the trace of a run",
		Long: `Print a trace that --trace wrote as a sequence of messages, with the phases of the slots and the view changes in between:
one line an event, with the seconds since the trace began and the replica where it happened. docs/trace.md describes the
file. What a newer version has added to it is told once and skipped.

With --ui it is shown on a page instead, on which it can be played, stepped through in both directions, and searched for the
causes of what happened: docs/page.md.`,
		Example: `  tagma-testnet sim --seed 7 --trace=seed7.jsonl
  tagma-testnet replay seed7.jsonl --only phase,view,process
  tagma-testnet replay seed7.jsonl --only sent --json | jq .message.type
  tagma-testnet replay seed7.jsonl --ui`,
		Args: command.Takes("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkOnly("replay", only, args[0]); err != nil {
				return err
			}
			if port != page.None {
				if asJSON || len(only) > 0 {
					return command.Unusablef("replay: the page of --ui shows all events; leave --json and --only out")
				}
				if err := page.ShowTrace(cmd.Context(), cmd.OutOrStdout(), port, args[0]); err != nil {
					return command.Unusablef("replay: %w", err)
				}
				return nil
			}
			file, err := os.Open(args[0])
			if err != nil {
				return command.Unusablef("replay: %w", err)
			}
			defer file.Close() //nolint:errcheck // nothing was written
			skipped, err := trace.Print(cmd.OutOrStdout(), file, only, asJSON)
			for _, kind := range slices.Sorted(maps.Keys(skipped)) {
				_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "skipped: %d events of the kind %q, which this version does not know\n", skipped[kind], kind)
			}
			if errors.As(err, new(*trace.BadFileError)) {
				return command.Unusablef("replay: %s: %w", args[0], err)
			}
			return err
		},
	}
	onlyFlag(cmd, &only)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print events as the file has them")
	uiFlag(cmd, &port)
	return cmd
}

// onlyFlag adds the flag that chooses among events.
func onlyFlag(cmd *cobra.Command, only *[]string) {
	cmd.Flags().StringSliceVar(only, "only", nil, "of the events these `kinds` alone, such as phase,view; see docs/trace.md")
	command.Complete(cmd, "only", command.List(trace.Kinds()...))
}

// checkOnly checks the kinds of events that are to be selected from a trace.
func checkOnly(name string, only []string, file string) error {
	if len(only) > 0 && file == "" {
		return command.Unusablef("%s: --only chooses among the events of a trace; add --trace", name)
	}
	for _, kind := range only {
		if known := trace.Kinds(); !slices.Contains(known, kind) {
			return command.Unusablef("%s: --only: there are no events of the kind %q;%s there are %s", name, kind,
				command.Meant(kind, known, ""), strings.Join(known, ", "))
		}
	}
	return nil
}
