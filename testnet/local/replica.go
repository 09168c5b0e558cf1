package local

import (
	"context"
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

// ReplicaCommand is the hidden subcommand under which a binary that starts clusters must call Serve.
const ReplicaCommand = "replica"

// Serve is a replica's process: it serves a home until it gets SIGTERM or its standard input ends, and logs to standard
// error. Choice, unless nil, makes it an attacker.
func Serve(home string, choice *byzantine.Choice) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	ctx, end := context.WithCancel(ctx)
	go func() {
		defer end()
		_, _ = io.Copy(io.Discard, os.Stdin) // however it ends, the launcher is gone
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
