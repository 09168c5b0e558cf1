package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"

	"tagma/internal/command"
	"tagma/internal/machines"
	replica "tagma/internal/node"
	"tagma/internal/operate"
	"tagma/statemachine"
)

// Options say what a replica runs.
type Options struct {
	// Machines are the machines of the program, by the names in cluster files: 1 to 64 letters, digits, dots, dashes
	// and underscores. Each call must return a new machine: a replica that starts again within the process gets another
	// one, and two replicas never share one.
	Machines map[string]func() statemachine.Machine
	// Logger receives the replica's log; nil discards it.
	Logger *slog.Logger
}

// Node is one open replica.
type Node struct{ n *replica.Node }

// Open reads a replica's home, which the command init has made, checks its disk and begins to listen. The caller must
// then call Run; otherwise the disk stays locked.
//
// The error is one line that says what is wrong and what to do: the directory is no home, a key cannot be read, a disk
// is missing, a port is taken, or the cluster runs a machine that is not in Options.Machines.
func Open(home string, o Options) (*Node, error) {
	set, err := setOf(o.Machines)
	if err != nil {
		return nil, fmt.Errorf("open the replica in %s: %w", home, err)
	}
	n, err := replica.Open(home, replica.Options{Logger: o.Logger, Machines: set})
	if err != nil {
		return nil, fmt.Errorf("open the replica in %s: %w", home, err)
	}
	return &Node{n}, nil
}

// Run serves until the context ends, then stops cleanly and returns nil: everything that the replica has voted and
// executed is on its disk. An error says that the disk failed, or that an operation does not end. The process must then
// end, because its memory may differ from the disk.
func (n *Node) Run(ctx context.Context) error { return n.n.Run(ctx) }

// Addresses lists the multiaddrs on which the replica listens.
func (n *Node) Addresses() []string { return n.n.Addrs() }

// Main is the whole main function of a program that runs replicas of one application. The program has the commands
// init, node, keys and status, which work like those of tagma; init makes clusters of the named machine. Main ends the
// process with exit code 0 on success, 1 if the command failed, and 2 for unusable arguments or configuration.
//
// NewMachine must return a new machine each time: see [Options.Machines].
func Main(name string, newMachine func() statemachine.Machine) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	set, err := setOf(map[string]func() statemachine.Machine{name: newMachine})
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", filepath.Base(os.Args[0]), err)
		os.Exit(command.Unusable)
	}
	p := &operate.Program{Name: filepath.Base(os.Args[0]), Machines: set}
	os.Exit(command.Execute(ctx, p.Root(), os.Args[1:], os.Stdout, os.Stderr, nil))
}

// setOf checks the machines and makes a set of them.
func setOf(from map[string]func() statemachine.Machine) (set machines.Set, err error) {
	if len(from) == 0 {
		return nil, errors.New("the program has no machines; name them in Options.Machines")
	}
	for _, name := range slices.Sorted(maps.Keys(from)) {
		if err := machines.CheckName(name); err != nil {
			return nil, err
		}
		if from[name] == nil {
			return nil, fmt.Errorf("the machine %s has no function that makes it", name)
		}
		set = append(set, machines.Machine{Name: name, New: func(machines.History) statemachine.Machine { return from[name]() }})
	}
	return set, nil
}
