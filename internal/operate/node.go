package operate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"tagma/internal/command"
	"tagma/internal/node"
	"tagma/internal/sigbus"
	"tagma/internal/terminal"
)

// Node returns the command that runs one replica.
func (p *Program) Node() *cobra.Command {
	var home string
	cmd := &cobra.Command{
		Use:   "node --home HOME",
		Short: "Run one replica in the foreground",
		Long: `Run the replica whose home HOME is, in the foreground. It prints one line when it is ready and logs to standard error
at the level of HOME/config.toml. SIGTERM or Ctrl-C stops it cleanly, with exit code 0; SIGHUP does so when the log goes to a
terminal, and is ignored elsewhere. A log that nobody reads never stops it: lines without room are lost, and counted in it.

A replica whose disk fails stops at once with exit code 1. One that finds that its disk may have forgotten a vote asks the
others, and goes on once n-f of them have told it from where on it contradicts nothing; until then it writes nothing, and
stops with exit code 1 if its journal is mounted again: then start it anew. On a terminal a line shows how it comes back.`,
		Example: p.text(`  tagma node --home demo/replica0`),
		Args:    command.Takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if home == "" {
				return command.Unusablef("node: no home given; say whose replica to run with --home HOME")
			}
			return p.runNode(cmd.Context(), home, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&home, "home", "", "the replica's `directory`, as made by "+p.Name+" init")
	command.Complete(cmd, "home", Homes)
	return cmd
}

func (p *Program) runNode(ctx context.Context, dir string, stdout, stderr io.Writer) error {
	home, err := node.ReadHome(dir)
	if err != nil {
		return command.NotUsable(fmt.Errorf("run the replica in %s: %w", dir, err))
	}
	node.BoundMemory(ctx)
	if err := sigbus.Exit(p.faultText(home)); err != nil {
		return fmt.Errorf("run replica %d: %w", home.Config.Self, err)
	}
	defer sigbus.Quiet() // from here on the error of this function is printed instead
	last := terminal.NewFooter(stderr)
	lines := newLooseLog(last)
	defer lines.close()
	log := logger(lines, home.Settings.LogLevel)
	ctx, release := minorSignals(ctx, log, terminal.IsTerminal(stderr))
	defer release()
	n, err := node.Open(dir, node.Options{Logger: log, Machines: p.Machines})
	if err != nil {
		err = fmt.Errorf("run replica %d: %w", home.Config.Self, err)
		if errors.As(err, new(*node.KeyError)) || errors.As(err, new(*node.DataError)) || errors.As(err, new(*node.MachineError)) {
			err = command.NotUsable(err)
		}
		return err
	}
	at := n.Report()
	if err := command.Tell(stdout, startText(&at, n.Addrs())); err != nil {
		// Nobody reads the output any more. A replica does not stop for that.
		stdout = io.Discard
	}
	shown, hide := context.WithCancel(ctx)
	hidden := make(chan struct{})
	go func() {
		defer close(hidden)
		follow(shown, last, n.Report)
	}()
	err = n.Run(ctx)
	hide()
	select {
	case <-hidden:
	case <-time.After(logPatience): // a suspended terminal takes no output
	}
	if err != nil {
		return fmt.Errorf("replica %d stopped: %w", at.Replica, err)
	}
	_ = command.Tell(stdout, fmt.Sprintf("replica %d stopped cleanly\n", at.Replica)) // as for startText
	return nil
}

// startText is the line that says that the replica is running.
func startText(r *node.Report, addresses []string) string {
	at := strings.Join(addresses, " ")
	if rec := r.Recovery; rec != nil && rec.Phase == node.PhaseForgotten {
		return fmt.Sprintf("replica %d waits at %s for others to tell it how to go on: it may have forgotten what it signed: %s\n",
			r.Replica, at, rec.Why)
	}
	return fmt.Sprintf("replica %d is ready at %s: view %d, executed %d\n", r.Replica, at, r.View, r.Executed)
}

// faultText is the line with which a replica ends if the disk fails under files that the store has mapped into memory.
func (p *Program) faultText(home *node.Home) string {
	return fmt.Sprintf("%s: replica %d stopped: the store at %s: a page of its files cannot be read or written: the disk is full"+
		" or fails; make room, or mend it, and start again", p.Name, home.Config.Self, filepath.Join(home.Data, node.StateDir))
}

// logger returns a logger that writes text. The level was checked when the settings were read.
func logger(w io.Writer, level string) *slog.Logger {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		panic("log level was not checked: " + err.Error())
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: l}))
}

// minorSignals handles signals that by default end a process but should not end a replica in the middle of its work. It
// returns a context that ends when the replica should stop.
//
// SIGPIPE says that the reader of standard output or of the log is gone. The replica continues, as with a log on a full
// disk. SIGHUP says that the terminal was closed; the replica then stops cleanly. Without a terminal, somebody sent
// SIGHUP out of habit, for example to rotate logs. There is nothing to reload, so the replica continues.
func minorSignals(ctx context.Context, log *slog.Logger, onTerminal bool) (context.Context, context.CancelFunc) {
	signal.Ignore(syscall.SIGPIPE)
	ctx, cancel := context.WithCancel(ctx)
	if signal.Ignored(syscall.SIGHUP) { // started by nohup
		return ctx, cancel
	}
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	context.AfterFunc(ctx, func() { signal.Stop(hangup) })
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-hangup:
			}
			if onTerminal {
				log.Info("SIGHUP: the terminal was closed; the replica stops")
				cancel()
				return
			}
			log.Info("SIGHUP: nothing is read again; the replica goes on, SIGTERM stops it")
		}
	}()
	return ctx, cancel
}
