package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/rpc"
	"os"
	"time"

	"tagma/internal/node"
	"tagma/testnet/byzantine"
	"tagma/testnet/links"
)

// Setup is all that a replica is told before it starts. It has a name of its own for net/rpc alone, like Order and Told.
type Setup struct {
	Seed       uint64             // of all chance on the links
	Epoch      int64              // Unix nanoseconds at which the links' time is 0
	Network    links.Link         // how every link between replicas is unless it is changed
	Behaviours []byzantine.Choice // asleep, unless they are ordered awake
	Orders     []Order            // that were given before
	Trace      string             // the directory to write what happens to; "": it is not written
	Only       []string           // these kinds of events; nil: all
	Facts      []string           // that it counts, as fact.Parse reads them
	Struck     bool               // it may be struck at a moment
}

// Order is something to do. One of its fields is set.
type Order struct {
	Links     *links.Command
	Switch    *Toggle
	Clock     time.Duration // by which the wall clock jumps
	DiskFull  bool
	FlipState *Flip
	Strike    *Moment
}

// Flip has a bit turned in the state of the life that obeys: of what is next written under a key, any one if it is "".
type Flip struct{ Key string }

// once reports whether an order is for one life.
func (o *Order) once() bool { return o.DiskFull || o.FlipState != nil || o.Strike != nil }

// Toggle wakes a behaviour or puts it to sleep.
type Toggle struct {
	Behaviour int // its number
	On        bool
}

// Told is what a replica tells of itself, again and again.
type Told struct {
	Counts Counts
	Report node.Report
}

// Counts tell what became of faults (I18). They only rise.
type Counts struct {
	Frames map[string]int // by links.Command.ID: frames between replicas that the change touched
	// Lies are by number of a behaviour: what it said that its core did not, kept back, or did not hear.
	Lies  []int
	Facts map[string]int // by text: how often each happened
	Flips int            // bits of the state that were turned
}

// add sums counts of several replicas or lives.
func (c *Counts) add(o Counts) {
	c.Frames, c.Facts = summed(c.Frames, o.Frames), summed(c.Facts, o.Facts)
	c.Flips += o.Flips
	for i, n := range o.Lies {
		if i >= len(c.Lies) {
			c.Lies = append(c.Lies, 0)
		}
		c.Lies[i] += n
	}
}

// summed adds counts to others, which it may change.
func summed(to, more map[string]int) map[string]int {
	if to == nil && len(more) > 0 {
		to = make(map[string]int)
	}
	for id, n := range more {
		to[id] += n
	}
	return to
}

// setup is what a replica is told before it starts. The cluster's mutex is held.
func (c *Cluster) setup(id int) *Setup {
	return &Setup{
		Seed: c.options.Seed, Epoch: c.epoch.UnixNano(), Network: c.options.Network, Behaviours: c.options.Malicious[id],
		Orders: c.ordered[id], Trace: c.options.Trace, Only: c.options.TraceOnly,
		Facts: c.options.Facts, Struck: c.options.Struck,
	}
}

// Since is the time of the links: what Until of a links.Rule means.
func (c *Cluster) Since() time.Duration { return time.Since(c.epoch) }

// Order changes the links of every replica, now and after restarts, and returns when all that run and are not paused have
// done so.
func (c *Cluster) Order(ctx context.Context, command links.Command) error {
	return c.send(ctx, Order{Links: &command}, c.these(nil))
}

// Switch wakes a behaviour of a replica or puts it to sleep, now and after restarts.
func (c *Cluster) Switch(ctx context.Context, id, behaviour int, on bool) error {
	return c.send(ctx, Order{Switch: &Toggle{Behaviour: behaviour, On: on}}, []int{id})
}

// JumpClocks moves the wall clocks of replicas, now and after restarts.
func (c *Cluster) JumpClocks(ctx context.Context, by time.Duration, ids ...int) error {
	return c.send(ctx, Order{Clock: by}, c.these(ids))
}

// FillDisks makes every further write of running replicas fail, until they end.
func (c *Cluster) FillDisks(ctx context.Context, ids ...int) error {
	return c.send(ctx, Order{DiskFull: true}, c.these(ids))
}

// FlipState turns a bit in the state of running replicas: of what is next written under a key, any one if it is "".
func (c *Cluster) FlipState(ctx context.Context, key string, ids ...int) error {
	return c.send(ctx, Order{FlipState: &Flip{key}}, c.these(ids))
}

// Strike has running replicas end at a moment, as if they were killed then: nobody is told of that death. It comes sooner or
// later, or not at all: Pid says when a replica is gone.
func (c *Cluster) Strike(ctx context.Context, m Moment, ids ...int) error {
	c.take(ids)
	return c.send(ctx, Order{Strike: &m}, ids)
}

// send gives an order to those of some replicas that run, and waits until those that are not paused have obeyed. A replica
// that starts later is given it before, unless it is for one life.
func (c *Cluster) send(ctx context.Context, o Order, ids []int) error {
	awaited := make(map[int]*rpc.Call)
	c.mu.Lock()
	for _, id := range ids {
		if !o.once() {
			c.ordered[id] = append(c.ordered[id], o)
		}
		if p := c.processes[id]; p != nil {
			call := p.channel.Go("Replica.Obey", o, new(bool), make(chan *rpc.Call, 1))
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
			if errors.Is(call.Error, os.ErrDeadlineExceeded) {
				errs = append(errs, fmt.Errorf("replica %d takes no more orders: it was paused for too many of them", id))
			} else if call.Error != nil && !ended(call.Error) {
				errs = append(errs, fmt.Errorf("replica %d: %w", id, call.Error))
			}
		case <-ctx.Done():
			errs = append(errs, fmt.Errorf("replica %d did not obey: %w", id, ctx.Err()))
		}
	}
	return errors.Join(errs...)
}

// ended reports whether an order failed because the replica's process has just ended.
func ended(err error) bool {
	return errors.Is(err, rpc.ErrShutdown) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, os.ErrClosed)
}
