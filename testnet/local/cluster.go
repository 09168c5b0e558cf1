package local

import (
	"context"
	"errors"
	"fmt"
	"net/rpc"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"tagma/internal/cluster"
	"tagma/internal/machines"
	"tagma/internal/node"
	"tagma/testnet/byzantine"
)

// Patience bounds steps that take milliseconds on an idle machine: a replica's start, an order to it, its end.
const Patience = 30 * time.Second

// Cluster is a cluster of processes. Its methods may be called from any goroutine.
type Cluster struct {
	Dir  string
	File *cluster.File

	options Options
	spawner *spawner
	epoch   time.Time // the time that counts as 0 for the links

	deaths  chan Death
	waiting sync.WaitGroup

	mu        sync.Mutex // guards the slices below, which are indexed by replica
	processes []*process // nil for a replica that does not run
	ordered   [][]Order  // all orders so far; a replica that starts again gets them first
	past      []Counts   // the counts of lives that have ended
}

// Create makes a cluster's files. Start runs its replicas; Close must follow.
func Create(o Options) (*Cluster, error) {
	if err := o.checkMalicious(); err != nil {
		return nil, err
	}
	file, err := layout(o)
	if err != nil {
		return nil, err
	}
	return of(o, file), nil
}

// Open runs a cluster whose files are already in Options.Dir, made by `tagma init` or `tagma restore`. Options that say
// which files to make are ignored.
func Open(o Options) (*Cluster, error) {
	file, err := cluster.Load(filepath.Join(o.Dir, ClusterFile))
	if err != nil {
		return nil, err
	}
	o.Replicas = len(file.Replicas)
	if err := o.checkMalicious(); err != nil {
		return nil, err
	}
	return of(o, file), nil
}

func of(o Options, file *cluster.File) *Cluster {
	c := &Cluster{
		Dir: o.Dir, File: file, options: o, spawner: newSpawner(), epoch: time.Now(), deaths: make(chan Death, 64),
		processes: make([]*process, o.Replicas), ordered: make([][]Order, o.Replicas), past: make([]Counts, o.Replicas),
	}
	for id, choices := range o.Malicious {
		for i := range choices {
			if o.Awake {
				c.ordered[id] = append(c.ordered[id], Order{Switch: &Toggle{Behaviour: i, On: true}})
			}
		}
	}
	return c
}

// Home is a replica's home directory.
func (c *Cluster) Home(id int) string { return homeDir(c.Dir, id) }

// Admin is host:port of a replica's admin address, as its home names it; "": it has none.
func (c *Cluster) Admin(id int) (string, error) {
	home, err := node.ReadHome(c.Home(id))
	if err != nil {
		return "", err
	}
	return home.Settings.Admin, nil
}

// ClusterFile is the path of cluster.toml.
func (c *Cluster) ClusterFile() string { return filepath.Join(c.Dir, ClusterFile) }

// ClientKey is the path of a registered client's key: number 0 is always there, Options.Clients asks for more.
func (c *Cluster) ClientKey(i int) string { return filepath.Join(c.Dir, clientName(i)+keySuffix) }

// Malicious reports whether a replica has a malicious behaviour, even one that is asleep.
func (c *Cluster) Malicious(id int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.options.Malicious[id]) > 0
}

// Instructions lists the replicas, and the commands with which a user can use them.
func (c *Cluster) Instructions() string {
	var b strings.Builder
	for id, r := range c.File.Replicas {
		bad := ""
		if c.Malicious(id) {
			bad = "  malicious"
		}
		fmt.Fprintf(&b, "replica %d  pid %-8d %s%s\n", id, c.Pid(id), strings.Join(r.Addresses, " "), bad)
	}
	at := " --cluster " + c.ClusterFile()
	write, read := "put greeting hello", "get greeting"
	if c.File.Machine == machines.Bank {
		write, read = "bank open alice 100", "bank balance alice"
	}
	fmt.Fprintf(&b, "\ntalk to it with\n  tagma %s%s\n  tagma %s%s\n  tagma status%s\n", write, at, read, at, at)
	fmt.Fprintf(&b, "logs are in %s; Ctrl-C stops the cluster\n", filepath.Join(c.Dir, "replica*", LogFile))
	return b.String()
}

// mostBehaviours bounds how many behaviours one replica may have.
const mostBehaviours = 64

// Corrupt gives a replica one more malicious behaviour, which is active. In a Corruptible cluster it is active from now
// on. In any other cluster, the replica must not be running, and the behaviour is active from its next start on.
func (c *Cluster) Corrupt(ctx context.Context, id int, choice byzantine.Choice) error {
	if err := byzantine.Check(choice, len(c.File.Replicas)); err != nil {
		return fmt.Errorf("replica %d cannot be malicious: %w", id, err)
	}
	c.mu.Lock()
	known := c.options.Malicious[id]
	number := slices.IndexFunc(known, func(other byzantine.Choice) bool { return reflect.DeepEqual(other, choice) })
	runs := c.processes[id] != nil
	switch {
	case runs && !c.options.Corruptible:
		c.mu.Unlock()
		return fmt.Errorf("replica %d runs; stop it first", id)
	case number < 0 && len(known) >= mostBehaviours:
		c.mu.Unlock()
		return fmt.Errorf("replica %d has misbehaved in %d ways already; start a new cluster", id, len(known))
	}
	var awaited map[int]*rpc.Call
	if number < 0 {
		number = len(known)
		if c.options.Malicious == nil {
			c.options.Malicious = make(map[int][]byzantine.Choice)
		}
		c.options.Malicious[id] = append(known, choice)
		awaited = c.give(Order{Corrupt: &choice}, []int{id}) // a replica that starts from now on gets it in its Setup
	}
	c.mu.Unlock()
	if err := obeyed(ctx, awaited); err != nil {
		return err
	}
	return c.Switch(ctx, id, number, true)
}

// Reform deactivates all behaviours of a replica, now and after restarts.
func (c *Cluster) Reform(ctx context.Context, id int) error {
	c.mu.Lock()
	n := len(c.options.Malicious[id])
	c.mu.Unlock()
	var errs []error
	for i := range n {
		errs = append(errs, c.Switch(ctx, id, i, false))
	}
	return errors.Join(errs...)
}

// Deaths delivers the ends of processes that were not asked to end.
func (c *Cluster) Deaths() <-chan Death { return c.deaths }

// Start runs replicas that do not run yet, all of them if none is named. WaitReady tells when they serve.
func (c *Cluster) Start(ids ...int) error {
	for _, id := range c.these(ids) {
		if err := c.startOne(id); err != nil {
			return fmt.Errorf("replica %d: %w", id, err)
		}
	}
	return nil
}

func (c *Cluster) startOne(id int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.processes[id] != nil {
		return nil
	}
	command := c.options.Command
	if command == nil {
		command = func(home string) (args, env []string) { return []string{replicaCommand, "--home", home}, nil }
	}
	args, env := command(c.Home(id))
	p, err := c.spawner.launch(args, env, filepath.Join(c.Home(id), LogFile), c.setup(id))
	if err != nil {
		return err
	}
	c.processes[id] = p
	c.waiting.Go(func() { c.watch(id, p) })
	return nil
}

// Kill ends replicas with SIGKILL, all of them if none is named, and returns when they have ended.
func (c *Cluster) Kill(ids ...int) {
	taken := c.take(ids)
	for _, p := range taken {
		_ = p.cmd.Process.Kill() // an error means that the process has just ended
	}
	for _, p := range taken {
		<-p.ended
	}
}

// Pause stops replicas with SIGSTOP, all of them if none is named. Their peers then hear nothing from them, and their
// links remain open.
func (c *Cluster) Pause(ids ...int) error { return c.signal(syscall.SIGSTOP, ids) }

// Resume lets paused replicas continue, all of them if none is named.
func (c *Cluster) Resume(ids ...int) error { return c.signal(syscall.SIGCONT, ids) }

func (c *Cluster) signal(s syscall.Signal, ids []int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range c.these(ids) {
		p := c.processes[id]
		if p == nil {
			continue
		}
		if err := p.cmd.Process.Signal(s); err != nil {
			return fmt.Errorf("send replica %d %v: %w", id, s, err)
		}
		p.paused = s == syscall.SIGSTOP
	}
	return nil
}

// Stop ends replicas cleanly, all of them if none is named, and returns when they are gone. A replica that does not end in
// time is killed. The error names it, and any replica whose end was not clean.
func (c *Cluster) Stop(patience time.Duration, ids ...int) error {
	var errs []error
	taken := c.take(ids)
	for _, p := range taken {
		_ = p.cmd.Process.Signal(syscall.SIGTERM) // an error means that the process has just ended
		_ = p.cmd.Process.Signal(syscall.SIGCONT) // a paused process would not handle SIGTERM
	}
	deadline := time.After(patience)
	for id, p := range taken {
		select {
		case <-p.ended:
			if state := p.cmd.ProcessState; !state.Success() {
				errs = append(errs, fmt.Errorf("replica %d did not stop cleanly: %v: %s", id, state,
					lastLine(filepath.Join(c.Home(id), LogFile))))
			}
		case <-deadline:
			_ = p.cmd.Process.Kill()
			<-p.ended
			errs = append(errs, lateError(fmt.Sprintf("replica %d did not stop within %v and was killed", id, patience)))
		}
	}
	return errors.Join(errs...)
}

// lateError is context.DeadlineExceeded with the name of the step that took too long.
type lateError string

func (e lateError) Error() string        { return string(e) }
func (e lateError) Is(target error) bool { return target == context.DeadlineExceeded }

// take returns the processes of those of some replicas that run, and notes that their end is expected.
func (c *Cluster) take(ids []int) map[int]*process {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := make(map[int]*process)
	for _, id := range c.these(ids) {
		if p := c.processes[id]; p != nil {
			p.expected = true
			taken[id] = p
		}
	}
	return taken
}

// Running lists the replicas whose processes run.
func (c *Cluster) Running() []int {
	c.mu.Lock()
	defer c.mu.Unlock()
	var ids []int
	for id, p := range c.processes {
		if p != nil {
			ids = append(ids, id)
		}
	}
	return ids
}

// Pid is the process number of a running replica, 0 otherwise.
func (c *Cluster) Pid(id int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.processes[id]; p != nil {
		return p.cmd.Process.Pid
	}
	return 0
}

// Close kills what still runs and ends the cluster. Its files stay.
func (c *Cluster) Close() {
	c.Kill()
	c.waiting.Wait()
	c.spawner.close()
}

// these returns ids, or the ids of all replicas if ids is empty.
func (c *Cluster) these(ids []int) []int {
	if len(ids) > 0 {
		return ids
	}
	all := make([]int, len(c.File.Replicas))
	for i := range all {
		all[i] = i
	}
	return all
}
