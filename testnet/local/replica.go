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

	"tagma/internal/machines"
	"tagma/internal/node"
	"tagma/internal/sigbus"
	"tagma/internal/trace"
)

// replicaCommand is the hidden subcommand with which a program starts itself for each replica.
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
	if err := flags.Parse(args); err != nil {
		return err
	}
	return Serve(*home, machines.Shipped)
}

// Serve serves a home, with the machines that this program has, until SIGTERM arrives or standard input is closed.
// Orders arrive on standard input, which the parent program keeps open.
func Serve(home string, has machines.Set) (err error) {
	known, err := node.ReadHome(home)
	if err != nil {
		return err
	}
	if err := sigbus.Exit("replica: the disk is full or fails below the store"); err != nil {
		return err
	}
	defer sigbus.Quiet()
	o := &obedient{home: known, machines: has, trap: trap{end: endProcess}}
	orders, codec := rpc.NewServer(), jsonrpc.NewServerCodec(pipes{os.Stdin, os.Stdout})
	if err := orders.RegisterName("Replica", o); err != nil {
		return err
	}
	if err := orders.ServeRequest(codec); err != nil { // this gets the orders from before the start
		return fmt.Errorf("read what was ordered before the start: %w", err)
	}
	if o.links == nil {
		return fmt.Errorf("begin as it was ordered: %w", o.unable)
	}
	opt := node.Options{Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))}
	if o.trace != "" {
		hear, done, unable := trace.Record(o.trace, filepath.Base(home), trace.Header{Replicas: known.Config.N()}, o.only)
		if unable != nil {
			return unable
		}
		opt.Trace = hear
		defer func() { err = errors.Join(err, done()) }()
	}
	if write := opt.Trace; o.facts != nil || o.struck || o.gathered != nil {
		opt.Trace = func(e trace.Event) {
			o.facts.Hear(e)
			o.trap.hear(e)
			if o.gathered != nil {
				o.gathered.Put(e)
			}
			if write != nil {
				write(e)
			}
		}
	}
	o.options(&opt)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	ctx, end := context.WithCancel(ctx)
	node.BoundMemory(ctx)
	if o.node, err = node.Open(home, opt); err != nil {
		end()
		return err
	}
	go func() {
		defer end()
		for orders.ServeRequest(codec) == nil { // one after the other
		}
	}()
	return o.node.Run(ctx)
}
