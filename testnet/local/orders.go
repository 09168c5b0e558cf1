package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"tagma/testnet/links"
)

// orders are what a controlled cluster was ordered so far. A replica that starts again is told all of it first.
type orders struct {
	epoch    time.Time
	commands []links.Command
	on       map[int][]int // by replica: dormant behaviours that are awake
	skew     map[int]time.Duration
	past     []Counts // by replica: of lives that ended
}

// Since is the time of the links: what Until of a links.Rule means.
func (c *Cluster) Since() time.Duration { return time.Since(c.ordered.epoch) }

// Order changes the links of every replica, now and after restarts, and returns when all that run and are not paused have
// done so. The cluster must have Options.Control.
func (c *Cluster) Order(ctx context.Context, command links.Command) error {
	return c.send(ctx, order{Links: &command}, c.these(nil), func() {
		c.ordered.commands = append(c.ordered.commands, command)
	})
}

// Switch wakes a dormant behaviour of a replica or puts it to sleep, now and after restarts.
func (c *Cluster) Switch(ctx context.Context, id, behaviour int, on bool) error {
	return c.send(ctx, order{Switch: &toggle{Behaviour: behaviour, On: on}}, []int{id}, func() {
		awake := slices.DeleteFunc(c.ordered.on[id], func(b int) bool { return b == behaviour })
		if on {
			awake = append(awake, behaviour)
		}
		c.ordered.on[id] = awake
	})
}

// JumpClocks moves the wall clocks of replicas, now and after restarts.
func (c *Cluster) JumpClocks(ctx context.Context, by time.Duration, ids ...int) error {
	return c.send(ctx, order{Clock: by}, c.these(ids), func() {
		for _, id := range c.these(ids) {
			c.ordered.skew[id] += by
		}
	})
}

// FillDisks makes every further write of running replicas fail, until they end.
func (c *Cluster) FillDisks(ctx context.Context, ids ...int) error {
	return c.send(ctx, order{DiskFull: true}, c.these(ids), func() {})
}

// Counts are those of all lives of a replica so far, as far as it told them: it does so twenty times a second.
func (c *Cluster) Counts(id int) Counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	var sum Counts
	sum.add(c.ordered.past[id])
	if p := c.processes[id]; p != nil && p.channel != nil {
		sum.add(p.channel.last())
	}
	return sum
}

// send remembers an order, gives it to those of some replicas that run, and waits until those that are not paused have
// obeyed.
func (c *Cluster) send(ctx context.Context, o order, ids []int, remember func()) error {
	if c.control == nil {
		return errors.New("the cluster's replicas take no orders: it was made without Options.Control")
	}
	var errs []error
	awaited := make(map[int]<-chan answer)
	c.mu.Lock()
	remember()
	for _, id := range ids {
		p := c.processes[id]
		if p == nil {
			continue
		}
		back, err := p.channel.send(o)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			errs = append(errs, fmt.Errorf("replica %d takes no more orders: it was paused for too many of them", id))
		case err != nil: // it has just ended
		case !p.paused:
			awaited[id] = back
		}
	}
	c.mu.Unlock()
	for id, back := range awaited {
		select {
		case a, ok := <-back:
			if ok && a.Error != "" {
				errs = append(errs, fmt.Errorf("replica %d: %s", id, a.Error))
			}
		case <-ctx.Done():
			errs = append(errs, fmt.Errorf("replica %d did not obey: %w", id, ctx.Err()))
		}
	}
	return errors.Join(errs...)
}

func newOrders(replicas int) orders {
	return orders{epoch: time.Now(), on: make(map[int][]int), skew: make(map[int]time.Duration), past: make([]Counts, replicas)}
}

// setup is what a replica is told before it starts. The cluster's mutex is held.
func (c *Cluster) setup(id int) *setup {
	o := &c.ordered
	return &setup{
		Seed: c.control.Seed, Epoch: o.epoch.UnixNano(), Network: c.control.Network,
		Commands: o.commands, On: o.on[id], Skew: o.skew[id],
	}
}
