package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"tagma/internal/command"
	"tagma/internal/node"
)

func newNode() *cobra.Command {
	var home string
	cmd := &cobra.Command{
		Use:   "node --home HOME",
		Short: "Run one replica in the foreground",
		Long: `Run the replica whose home HOME is, in the foreground. It prints one line when it is ready and logs to standard error
at the level of HOME/config.toml. SIGTERM or Ctrl-C stops it cleanly, with exit code 0.

A replica whose disk fails stops at once with exit code 1. One that finds that its disk may have forgotten a vote asks the
others, and goes on once n-f of them have told it from where on it contradicts nothing; until then it writes nothing, and
stops with exit code 1 if its journal is mounted again: then start it anew. On a terminal a line shows how it comes back.`,
		Example: `  tagma node --home demo/replica0`,
		Args:    command.Takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if home == "" {
				return command.Unusablef("node: no home given; say whose replica to run with --home HOME")
			}
			return runNode(cmd.Context(), home, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&home, "home", "", "the replica's `directory`, as made by tagma init")
	return cmd
}

func runNode(ctx context.Context, dir string, stdout, stderr io.Writer) error {
	home, err := node.ReadHome(dir)
	if err != nil {
		return command.NotUsable(fmt.Errorf("run the replica in %s: %w", dir, err))
	}
	boundMemory(ctx)
	last := newLastLine(stderr)
	n, err := node.Open(dir, node.Options{Logger: logger(last, home.Settings.LogLevel)})
	if err != nil {
		err = fmt.Errorf("run replica %d: %w", home.Config.Self, err)
		if errors.As(err, new(*node.KeyError)) || errors.As(err, new(*node.DataError)) {
			err = command.NotUsable(err)
		}
		return err
	}
	at := n.Report()
	if err := say(stdout, "%s", startText(&at, n.Addrs())); err != nil {
		// Nobody reads our output any more, which is no reason for a replica to stop.
		stdout = io.Discard
	}
	shown, hide := context.WithCancel(ctx)
	hidden := make(chan struct{})
	go func() {
		defer close(hidden)
		last.follow(shown, n.Report)
	}()
	err = n.Run(ctx)
	hide()
	<-hidden
	if err != nil {
		return fmt.Errorf("replica %d stopped: %w", at.Replica, err)
	}
	_ = say(stdout, "replica %d stopped cleanly\n", at.Replica) // as above
	return nil
}

// startText is the line that says that a replica is up.
func startText(r *node.Report, addresses []string) string {
	at := strings.Join(addresses, " ")
	if rec := r.Recovery; rec != nil && rec.Phase == node.PhaseForgotten {
		return fmt.Sprintf("replica %d waits at %s for others to tell it how to go on: it may have forgotten what it signed: %s\n",
			r.Replica, at, rec.Why)
	}
	return fmt.Sprintf("replica %d is ready at %s: view %d, executed %d\n", r.Replica, at, r.View, r.Executed)
}

// logger logs as text at a level that the settings have checked.
func logger(w io.Writer, level string) *slog.Logger {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		panic("log level was not checked: " + err.Error())
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: l}))
}

func say(w io.Writer, format string, args ...any) error {
	_, err := fmt.Fprintf(w, format, args...)
	return err
}
