package local

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/rpc"
	"net/rpc/jsonrpc"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"tagma/internal/node"
	"tagma/internal/trace"
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

// replica serves a home until SIGTERM comes, or its lifeline ends: orders come on standard input, which the launcher holds
// open.
func replica(args []string) (err error) {
	flags := flag.NewFlagSet(replicaCommand, flag.ContinueOnError)
	home := flags.String("home", "", "the replica's directory")
	if err := flags.Parse(args); err != nil {
		return err
	}
	known, err := node.ReadHome(*home)
	if err != nil {
		return err
	}
	o := &obedient{home: known}
	orders, codec := rpc.NewServer(), jsonrpc.NewServerCodec(pipes{os.Stdin, os.Stdout})
	if err := orders.RegisterName("Replica", o); err != nil {
		return err
	}
	if err := orders.ServeRequest(codec); err != nil { // it is told how to begin
		return fmt.Errorf("read what was ordered before the start: %w", err)
	}
	if o.links == nil {
		return fmt.Errorf("begin as it was ordered: %w", o.unable)
	}
	opt := node.Options{Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))}
	if o.trace != "" {
		hear, done, unable := trace.Record(o.trace, filepath.Base(*home), trace.Header{Replicas: known.Config.N()}, o.only)
		if unable != nil {
			return unable
		}
		opt.Trace = hear
		defer func() { err = errors.Join(err, done()) }()
	}
	o.options(&opt)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	ctx, end := context.WithCancel(ctx)
	n, err := node.Open(*home, opt)
	if err != nil {
		end()
		return err
	}
	go func() {
		defer end()
		for orders.ServeRequest(codec) == nil { // one after the other
		}
	}()
	return n.Run(ctx)
}
