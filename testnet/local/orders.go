package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/rpc"
	"net/rpc/jsonrpc"
	"os"
	"slices"
	"sync"
	"time"

	"tagma/testnet/links"
)

// Setup is all that a replica is told before it starts. It has a name of its own for net/rpc alone, like Order and Counts.
type Setup struct {
	Seed       uint64          // of all chance on the links
	Epoch      int64           // Unix nanoseconds at which the links' time is 0
	Network    links.Link      // how every link between replicas is unless it is changed
	Behaviours []string        // asleep, unless they are On
	Commands   []links.Command // that were ordered before
	On         []int           // behaviours that are awake, by number
	Skew       time.Duration   // of the wall clock
	Trace      string          // the directory to write what happens to; "": it is not written
	Only       []string        // these kinds of events; nil: all
}

// Order is something to do. One of its fields is set.
type Order struct {
	Links    *links.Command
	Switch   *Toggle
	Clock    time.Duration // by which the wall clock jumps
	DiskFull bool
}

// Toggle wakes a behaviour or puts it to sleep.
type Toggle struct {
	Behaviour int // its number
	On        bool
}

// Counts tell what became of faults (I18). They only rise.
type Counts struct {
	Frames map[string]int // by links.Command.ID: frames between replicas that the change touched
	// Lies are by number of a behaviour: what it said that its core did not, kept back, or did not hear.
	Lies []int
}

// add sums counts of several replicas or lives.
func (c *Counts) add(o Counts) {
	for id, n := range o.Frames {
		if c.Frames == nil {
			c.Frames = make(map[string]int)
		}
		c.Frames[id] += n
	}
	for i, n := range o.Lies {
		if i >= len(c.Lies) {
			c.Lies = append(c.Lies, 0)
		}
		c.Lies[i] += n
	}
}

// orders are what a cluster was ordered so far. A replica that starts again is told all of it first.
type orders struct {
	epoch    time.Time
	commands []links.Command
	on       map[int][]int // by replica: behaviours that are awake
	skew     map[int]time.Duration
	past     []Counts // by replica: of lives that ended
}

// setup is what a replica is told before it starts. The cluster's mutex is held.
func (c *Cluster) setup(id int) *Setup {
	o := &c.ordered
	s := &Setup{
		Seed: c.options.Seed, Epoch: o.epoch.UnixNano(), Network: c.options.Network,
		Commands: o.commands, On: o.on[id], Skew: o.skew[id], Trace: c.options.Trace, Only: c.options.TraceOnly,
	}
	for _, choice := range c.options.Malicious[id] {
		s.Behaviours = append(s.Behaviours, choice.String())
	}
	return s
}

// Since is the time of the links: what Until of a links.Rule means.
func (c *Cluster) Since() time.Duration { return time.Since(c.ordered.epoch) }

// Order changes the links of every replica, now and after restarts, and returns when all that run and are not paused have
// done so.
func (c *Cluster) Order(ctx context.Context, command links.Command) error {
	return c.send(ctx, Order{Links: &command}, c.these(nil), func() {
		c.ordered.commands = append(c.ordered.commands, command)
	})
}

// Switch wakes a behaviour of a replica or puts it to sleep, now and after restarts.
func (c *Cluster) Switch(ctx context.Context, id, behaviour int, on bool) error {
	return c.send(ctx, Order{Switch: &Toggle{Behaviour: behaviour, On: on}}, []int{id}, func() {
		awake := slices.DeleteFunc(slices.Clone(c.ordered.on[id]), func(b int) bool { return b == behaviour })
		if on {
			awake = append(awake, behaviour)
		}
		c.ordered.on[id] = awake
	})
}

// JumpClocks moves the wall clocks of replicas, now and after restarts.
func (c *Cluster) JumpClocks(ctx context.Context, by time.Duration, ids ...int) error {
	return c.send(ctx, Order{Clock: by}, c.these(ids), func() {
		for _, id := range c.these(ids) {
			c.ordered.skew[id] += by
		}
	})
}

// FillDisks makes every further write of running replicas fail, until they end.
func (c *Cluster) FillDisks(ctx context.Context, ids ...int) error {
	return c.send(ctx, Order{DiskFull: true}, c.these(ids), func() {})
}

// Counts are those of all lives of a replica so far, as far as it was asked: that is twenty times a second.
func (c *Cluster) Counts(id int) Counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	var sum Counts
	sum.add(c.ordered.past[id])
	if p := c.processes[id]; p != nil {
		sum.add(p.channel.last())
	}
	return sum
}

// send remembers an order, gives it to those of some replicas that run, and waits until those that are not paused have
// obeyed.
func (c *Cluster) send(ctx context.Context, o Order, ids []int, remember func()) error {
	awaited := make(map[int]*rpc.Call)
	c.mu.Lock()
	remember()
	for _, id := range ids {
		if p := c.processes[id]; p != nil {
			call := p.channel.Go("Replica.Obey", o, new(Counts), make(chan *rpc.Call, 1))
			if !p.paused || len(call.Done) > 0 { // one that is paused answers nothing but that it cannot be told
				awaited[id] = call
			}
		}
	}
	c.mu.Unlock()
	var errs []error
	for id, call := range awaited {
		select {
		case <-call.Done:
			switch gone := errors.Is(call.Error, rpc.ErrShutdown) || errors.Is(call.Error, io.ErrUnexpectedEOF); {
			case errors.Is(call.Error, os.ErrDeadlineExceeded):
				errs = append(errs, fmt.Errorf("replica %d takes no more orders: it was paused for too many of them", id))
			case call.Error != nil && !gone: // if it is gone, it has just ended
				errs = append(errs, fmt.Errorf("replica %d: %w", id, call.Error))
			}
		case <-ctx.Done():
			errs = append(errs, fmt.Errorf("replica %d did not obey: %w", id, ctx.Err()))
		}
	}
	return errors.Join(errs...)
}

// channel is the launcher's end of a replica's process: orders go down its standard input, what it answers comes back on
// its standard output.
type channel struct {
	*rpc.Client
	asking sync.WaitGroup
	gone   chan struct{} // the process is

	mu     sync.Mutex
	counts Counts
}

// countsEvery is how often a replica is asked for its counts.
const countsEvery = 50 * time.Millisecond

// openChannel tells a process what was ordered before it started, and asks it for its counts until it ends.
func openChannel(ends pipes, first *Setup) *channel {
	ch := &channel{Client: jsonrpc.NewClient(ends), gone: make(chan struct{})}
	ch.Go("Replica.Begin", first, new(Counts), make(chan *rpc.Call, 1)) // a replica that could not begin ends, and says why
	ch.asking.Go(func() {
		var counts Counts
		for ch.Call("Replica.Count", 0, &counts) == nil {
			ch.mu.Lock()
			ch.counts, counts = counts, Counts{}
			ch.mu.Unlock()
			select {
			case <-time.After(countsEvery):
			case <-ch.gone:
				return
			}
		}
	})
	return ch
}

func (ch *channel) last() Counts {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	return ch.counts
}

// end waits until all was heard of a process that has ended, and returns its last counts.
func (ch *channel) end() Counts {
	close(ch.gone)
	_ = ch.Close() // the process has ended, and so has what it says
	ch.asking.Wait()
	return ch.last()
}

// pipes are a connection of two pipes.
type pipes struct{ in, out *os.File }

// Read implements io.ReadWriteCloser.
func (p pipes) Read(b []byte) (int, error) { return p.in.Read(b) }

// writePatience is for a write that a reader takes in microseconds.
const writePatience = 2 * time.Second

// Write implements io.ReadWriteCloser. A paused replica reads nothing, and a pipe holds 64 KiB: a run must not hang on it.
func (p pipes) Write(b []byte) (int, error) {
	_ = p.out.SetWriteDeadline(time.Now().Add(writePatience)) // where a pipe has none, it blocks
	return p.out.Write(b)
}

// Close implements io.ReadWriteCloser.
func (p pipes) Close() error { return errors.Join(p.in.Close(), p.out.Close()) }
