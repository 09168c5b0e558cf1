package local

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"tagma/internal/driver"
	"tagma/internal/node"
	"tagma/pbft"
	"tagma/testnet/byzantine"
)

// replicaCommand is the hidden subcommand under which a program calls itself for each replica.
const replicaCommand = "replica"

// RunIfReplica makes this process a replica if its arguments say so, and then does not return. A program that starts
// clusters calls it before everything else.
func RunIfReplica() {
	if len(os.Args) < 2 || os.Args[1] != replicaCommand {
		return
	}
	if err := replica(os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "replica:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func replica(args []string) error {
	flags := flag.NewFlagSet(replicaCommand, flag.ContinueOnError)
	home := flags.String("home", "", "the replica's directory")
	behaviour := flags.String("behaviour", "", "how it misbehaves")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *behaviour == "" {
		return serve(*home, nil)
	}
	choice, err := byzantine.ParseChoice(*behaviour)
	if err != nil {
		return err
	}
	return serve(*home, &choice)
}

// serve serves a home until SIGTERM comes or standard input ends, and logs to standard error. Choice, unless nil, makes
// the replica an attacker.
func serve(home string, choice *byzantine.Choice) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	ctx, end := context.WithCancel(ctx)
	go func() {
		defer end()
		_, _ = io.Copy(io.Discard, os.Stdin) // nothing is ever written: it ends with the launcher
	}()
	opt := node.Options{Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))}
	if choice != nil {
		opt.Replace = func(cfg *pbft.Config, core *pbft.Replica, sign func([]byte) pbft.Signature) driver.Core {
			attacker, err := byzantine.New(*choice, cfg, core, sign)
			if err != nil {
				panic(err) // ParseChoice has judged it
			}
			return attacker
		}
	}
	n, err := node.Open(home, opt)
	if err != nil {
		return err
	}
	return n.Run(ctx)
}
