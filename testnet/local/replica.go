package local

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"tagma/internal/driver"
	"tagma/internal/node"
	"tagma/pbft"
	"tagma/pbft/wire"
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

func replica(args []string) (err error) {
	flags := flag.NewFlagSet(replicaCommand, flag.ContinueOnError)
	home := flags.String("home", "", "the replica's directory")
	behaviour := flags.String("behaviour", "", "how it misbehaves")
	var dormant []byzantine.Choice
	flags.Func("dormant", "how it misbehaves when it is ordered to", func(text string) error {
		choice, err := byzantine.ParseChoice(text)
		dormant = append(dormant, choice)
		return err
	})
	traces := flags.String("trace", "", "the directory to write what happens to")
	var only []string
	flags.Func("only", "which kinds of events, with commas between them; empty: all", func(text string) error {
		only = strings.FieldsFunc(text, func(r rune) bool { return r == ',' })
		return nil
	})
	controlled := flags.Bool("controlled", false, "orders come on standard input")
	if err := flags.Parse(args); err != nil {
		return err
	}
	opt := node.Options{Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))}
	if *traces != "" {
		done, err := tracing(*traces, *home, only, &opt)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, done()) }()
	}
	if *controlled {
		return serveControlled(*home, opt, dormant)
	}
	if *behaviour != "" {
		choice, err := byzantine.ParseChoice(*behaviour)
		if err != nil {
			return err
		}
		opt.Replace = func(cfg *wire.Config, core *pbft.Replica, sign func([]byte) wire.Signature) driver.Core {
			attacker, err := byzantine.New(choice, cfg, core, sign)
			if err != nil {
				panic(err) // ParseChoice has judged it
			}
			return attacker
		}
		if err := attackLinks(*home, choice); err != nil {
			return err
		}
	}
	return serve(*home, opt, func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // nothing is ever written: it ends with the launcher
	})
}

// attackLinks begins what a behaviour does to links, if it does anything to them. It ends with the process.
func attackLinks(home string, choice byzantine.Choice) error {
	known, err := node.ReadHome(home)
	if err != nil {
		return err
	}
	b, err := beside(known, choice)
	if err != nil {
		return err
	}
	return b.Wake(true)
}

// serveControlled serves a home whose replica takes orders.
func serveControlled(home string, opt node.Options, dormant []byzantine.Choice) error {
	in := bufio.NewReader(os.Stdin)
	o, err := newObedient(in, os.Stdout, dormant)
	if err != nil {
		return err
	}
	o.options(&opt)
	known, err := node.ReadHome(home)
	if err != nil {
		return err
	}
	if err := o.place(known); err != nil {
		return err
	}
	return serve(home, opt, func() { o.obey(in) })
}

// serve serves a home until SIGTERM comes or its lifeline ends: what the launcher holds open.
func serve(home string, opt node.Options, lifeline func()) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	ctx, end := context.WithCancel(ctx)
	n, err := node.Open(home, opt)
	if err != nil {
		end()
		return err
	}
	go func() {
		defer end()
		lifeline()
	}()
	return n.Run(ctx)
}
