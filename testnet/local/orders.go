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

// Setup holds everything that a replica gets before it starts. It is exported only because net/rpc requires it, like
// Order and Told.
type Setup struct {
	Seed       uint64             // the seed of all random choices on the links
	Epoch      int64              // the time that counts as 0 for the links, in Unix nanoseconds
	Network    links.Link         // the properties of every link until an order changes them
	Behaviours []byzantine.Choice // they are not active until an order activates them
	Orders     []Order            // orders from before the start
	Trace      string             // the directory for the trace; "": there is no trace
	Only       []string           // these kinds of events; nil: all
	Facts      []string           // facts that the replica counts, as fact.Parse reads them
	Struck     bool               // the replica may be told to end itself at a moment
	Shown      bool               // the replica gathers its events
	// Corruptible says that the replica may become malicious while it runs.
	Corruptible bool
}

// Order is something that a replica must do. Exactly one of its fields is set.
type Order struct {
	Links     *links.Command
	Switch    *Toggle
	Clock     time.Duration // how far the wall clock jumps
	DiskFull  bool
	FlipState *Flip
	Strike    *Moment
	Corrupt   *byzantine.Choice // one more behaviour, asleep
}

// Flip flips a bit in the state of the life that gets the order: in the next value that is written under Key, or under
// any key if it is "".
type Flip struct{ Key string }

// once reports whether an order applies only to the present life.
func (o *Order) once() bool {
	return o.DiskFull || o.FlipState != nil || o.Strike != nil || o.Corrupt != nil
}

// Toggle activates or deactivates a behaviour.
type Toggle struct {
	Behaviour int // the behaviour's number
	On        bool
}

// Told is a replica's report, which the launcher asks for again and again.
type Told struct {
	Counts Counts
	Report node.Report
}

// Counts say how often each fault had an effect (I18). They never decrease.
type Counts struct {
	Frames map[string]int // by links.Command.ID: frames between replicas that the change touched
	// Lies counts, by behaviour, the messages that it sent itself, delayed or dropped, and those that it did not give to
	// its core.
	Lies  []int
	Facts map[string]int // how often each fact happened, by its text
	Flips int            // how many bits of the state were inverted
}

// add adds up the counts of several replicas or lives.
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
		Facts: c.options.Facts, Struck: c.options.Struck, Shown: c.options.Shown, Corruptible: c.options.Corruptible,
	}
}

// Since returns the time of the links, which is also the unit of Until in a links.Rule.
func (c *Cluster) Since() time.Duration { return time.Since(c.epoch) }

// Order changes the links of every replica, now and after restarts. It returns when all replicas that run and are not
// paused have made the change.
func (c *Cluster) Order(ctx context.Context, command links.Command) error {
	return c.send(ctx, Order{Links: &command}, c.these(nil))
}

// Switch activates a behaviour of a replica or deactivates it, now and after restarts.
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

// FlipState flips a bit in the state of running replicas: in the next value that is written under a key, or under any
// key if it is "".
func (c *Cluster) FlipState(ctx context.Context, key string, ids ...int) error {
	return c.send(ctx, Order{FlipState: &Flip{key}}, c.these(ids))
}

// Strike makes running replicas end at a moment, as if they were killed then. Deaths does not report these ends. The
// moment may never come; when a replica has ended, its Pid is 0.
func (c *Cluster) Strike(ctx context.Context, m Moment, ids ...int) error {
	c.take(ids)
	return c.send(ctx, Order{Strike: &m}, ids)
}

// send gives an order to those of some replicas that run, and waits until those that are not paused have carried it out.
// A replica that starts later gets the order before it starts, unless the order applies only to one life.
func (c *Cluster) send(ctx context.Context, o Order, ids []int) error {
	c.mu.Lock()
	awaited := c.give(o, ids)
	c.mu.Unlock()
	return obeyed(ctx, awaited)
}

// give gives an order, and returns the calls that can be waited for. The cluster's mutex is held.
func (c *Cluster) give(o Order, ids []int) map[int]*rpc.Call {
	awaited := make(map[int]*rpc.Call)
	for _, id := range ids {
		if !o.once() {
			c.ordered[id] = append(c.ordered[id], o)
		}
		if p := c.processes[id]; p != nil {
			call := p.channel.Go("Replica.Obey", o, new(bool), make(chan *rpc.Call, 1))
			if !p.paused || len(call.Done) > 0 { // a paused replica gives only the error of a failed send
				awaited[id] = call
			}
		}
	}
	return awaited
}

func obeyed(ctx context.Context, awaited map[int]*rpc.Call) error {
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
