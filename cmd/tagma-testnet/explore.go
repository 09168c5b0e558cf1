package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"tagma/internal/command"
	"tagma/internal/terminal"
	"tagma/testnet/explore"
)

// exploreFlags are the flags of the exhaustive search.
type exploreFlags struct {
	job
	correct bool
	replay  string
	options explore.Options
}

func newExplore() *cobra.Command {
	f := exploreFlags{options: explore.Defaults()}
	cmd := &cobra.Command{
		Use:   "explore",
		Short: "Search all small runs of the protocol for a fork or a stall",
		Long: `Search every state that four replicas of the real core can reach within the bounds, one of them Byzantine, for two
batches at one sequence number (I1, I17) and for a state from which no fair continuation commits (V7, V8). The same
bounds give the same states. The exit code is 0 only if all states were seen and nothing was found.`,
		Example: `  tagma-testnet explore --views 2
  tagma-testnet explore --views 3 --byzantine 1 --json
  tagma-testnet explore --views 2 --crashes 1
  tagma-testnet explore --views 2 --byzantine 2 --amnesia 1
  tagma-testnet explore --views 1 --all-correct --amnesia 1`,
		Args: command.Takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runExplore(cmd, f)
		},
	}
	o := &f.options
	cmd.Flags().BoolVar(&f.json, "json", false, "print the result as one JSON document, and progress to standard error")
	o.Bind(cmd.Flags())
	cmd.Flags().BoolVar(&f.correct, "all-correct", false, "search without a Byzantine replica")
	cmd.Flags().StringVar(&f.replay, "replay", "", "tell the story of a finding again: `moves` as the finding gives them")
	return cmd
}

func runExplore(cmd *cobra.Command, f exploreFlags) error {
	if f.correct || f.options.Crash && f.options.Byzantine == explore.All {
		if f.options.Byzantine != explore.All {
			return command.Unusablef("explore: --all-correct: leave out --byzantine %d", f.options.Byzantine)
		}
		f.options.Byzantine = explore.Nobody
	} else if f.options.Byzantine == explore.Nobody {
		return command.Unusablef("explore: --byzantine %d: give a replica; for none there is --all-correct", f.options.Byzantine)
	}
	if f.options.Crash && f.options.Replicas == explore.Defaults().Replicas {
		f.options.Replicas = 3
	}
	if err := f.options.Validate(); err != nil {
		return command.Unusablef("explore: %w", err)
	}
	if f.replay != "" {
		return replayFinding(f, cmd.OutOrStdout())
	}
	shown := f.shown(cmd)
	if stderr := cmd.ErrOrStderr(); terminal.Redraws(stderr) {
		f.options.Progress = progressTo(stderr)
	}
	var failed error
	say := func(text string) {
		if _, err := io.WriteString(shown, text); err != nil && failed == nil {
			failed = err
		}
	}
	say(explore.Heading(f.options))
	document := explore.Search(cmd.Context(), f.options, func(r explore.Run) { say(r.Line()) })
	err := f.tell(cmd, document, document.Verdict == explore.Pass, func(io.Writer) error {
		say(document.Summary())
		return nil
	})
	if failed != nil {
		return fmt.Errorf("explore: %w", failed)
	}
	return err
}

// progressTo returns a function that reports every few seconds that a search is still running.
func progressTo(stderr io.Writer) func(byzantine, states, depth int) {
	var turn sync.Mutex
	last := time.Now()
	return func(byzantine, states, depth int) {
		turn.Lock()
		defer turn.Unlock()
		if time.Since(last) < 5*time.Second {
			return
		}
		last = time.Now()
		// If standard error cannot be written to, the result is printed nevertheless.
		_, _ = fmt.Fprintf(stderr, "  r%d Byzantine: %d states so far, depth %d\n", byzantine, states, depth)
	}
}

func replayFinding(f exploreFlags, stdout io.Writer) error {
	finding, err := explore.Replay(f.options, f.replay)
	if err != nil {
		return command.Unusablef("explore: --replay: %w", err)
	}
	_, err = io.WriteString(stdout, finding.Text())
	return err
}
