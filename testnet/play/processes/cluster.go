package processes

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"tagma/crypto"
	"tagma/internal/machines"
	"tagma/internal/node"
	"tagma/internal/trace"
	"tagma/pbft/wire"
	"tagma/statemachine/bank"
	"tagma/statemachine/kv"
	"tagma/testnet/byzantine/link"
	"tagma/testnet/check"
	"tagma/testnet/links"
	"tagma/testnet/local"
	"tagma/testnet/play"
	"tagma/testnet/scenario"
)

const bankMachine = machines.Bank

// cluster implements play.Cluster.
type cluster struct {
	Engine
	s      *scenario.Scenario
	show   play.Show
	local  *local.Cluster
	watch  *watcher
	load   *load
	rogues map[*scenario.Malicious]*link.Dormant
	number map[*scenario.Malicious]int // of a replica's dormant behaviour
	lives  map[*scenario.Event]map[int]string
	eye    sync.WaitGroup
	blind  context.CancelFunc
	waited time.Duration // for which this machine let us wait at most
	began  atomic.Pointer[time.Time]

	tap      *trace.Tap   // of what is done to the cluster; nil without a trace
	traced   func() error // makes the trace, when all has stopped
	untraced error        // why there is none

	read    bool // everything that was written was to be read back
	found   map[string]check.Found
	unread  error // why not all of it could be
	unclean error // why not all replicas stopped cleanly
}

// Begin implements play.Cluster.
func (c *cluster) Begin() { c.began.Store(new(time.Now())) }

// Now implements play.Cluster.
func (c *cluster) Now() time.Duration {
	if began := c.began.Load(); began != nil {
		return time.Since(*began)
	}
	return 0
}

func (c *cluster) say(kind play.Kind, format string, args ...any) {
	play.Say(c.show, c.Now(), kind, format, args...)
}

// Load implements play.Cluster.
func (c *cluster) Load(ctx context.Context) { c.load.begin(ctx, *c.began.Load()) }

// Pass implements play.Cluster.
func (c *cluster) Pass(ctx context.Context, until time.Duration) error {
	const moment = 5 * time.Millisecond
	wait := moment
	if until > 0 {
		wait = min(moment, until-c.Now())
	}
	select {
	case <-time.After(wait):
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Command implements play.Cluster.
func (c *cluster) Command(ctx context.Context, command links.Command) error {
	if command.Rule != nil && command.Rule.Until > 0 {
		command.Rule.Until += c.local.Since() - c.Now() // the links' time began with the cluster
	}
	return c.local.Order(ctx, command)
}

// Wake implements play.Cluster.
func (c *cluster) Wake(ctx context.Context, m *scenario.Malicious, on bool) error {
	if m.Client != nil {
		return c.rogues[m].Wake(on)
	}
	return c.local.Switch(ctx, int(m.Replica), c.number[m], on)
}

// Touched implements play.Cluster.
func (c *cluster) Touched(what any) bool {
	switch x := what.(type) {
	case string:
		for id := range c.s.Replicas {
			if c.local.Counts(id).Frames[x] > 0 {
				return true
			}
		}
		return false
	case *scenario.Malicious:
		if x.Client != nil {
			return c.rogues[x].Acts() > 0
		}
		lies := c.local.Counts(int(x.Replica)).Lies
		return c.number[x] < len(lies) && lies[c.number[x]] > 0
	case *scenario.Event:
		return c.happened(x)
	default:
		return true
	}
}

// Work implements play.Cluster.
func (c *cluster) Work() play.Work { return c.load.told() }

// Extend implements play.Cluster: while something is still to happen, somebody must be there to notice.
func (c *cluster) Extend(more bool, _ time.Duration) { c.load.extend(more) }

// EndWork implements play.Cluster. Replicas that a scenario left paused go on: what follows is no part of it.
func (c *cluster) EndWork(patience time.Duration) {
	c.load.end(patience)
	c.sleep()
	for i := range c.s.Malicious {
		if m := &c.s.Malicious[i]; c.Told != nil && m.Client != nil {
			c.Told(m, c.rogues[m].Told())
		}
	}
	if ids := c.watch.are(halted); len(ids) > 0 {
		c.unclean = c.local.Resume(ids...)
	}
}

func (c *cluster) sleep() {
	for _, g := range c.rogues {
		_ = g.Wake(false) // what its links say when they end does not matter
	}
}

// Stop implements play.Cluster.
func (c *cluster) Stop() {
	c.unclean = errors.Join(c.unclean, c.local.Stop(local.Patience))
	c.untraced = c.traced()
	c.watch.distrustForgetful()
	c.watch.readJournals()
	c.blind()
	c.eye.Wait()
}

// Tap implements play.Cluster.
func (c *cluster) Tap() *trace.Tap { return c.tap }

// Close implements play.Cluster.
func (c *cluster) Close() {
	c.blind()
	c.eye.Wait()
	c.sleep()
	if c.load != nil {
		c.load.close()
	}
	if c.watch != nil {
		_ = c.watch.observer.Close() // nothing of it is needed any more
	}
	if c.local != nil {
		c.local.Close()
	}
}

// hire makes the malicious clients.
func (c *cluster) hire() (map[*scenario.Malicious]*link.Dormant, error) {
	all := make(map[*scenario.Malicious]*link.Dormant)
	for i := range c.s.Malicious {
		m := &c.s.Malicious[i]
		if m.Client == nil {
			continue
		}
		key, err := c.keyOf(m)
		if err != nil {
			return all, fmt.Errorf("client %s: %w", m.Who(), err)
		}
		all[m] = link.NewDormant(link.Options{
			File: c.local.File, Key: key, Choice: m.Choice, Operation: c.operations(m.Who()),
		})
	}
	return all, nil
}

func (c *cluster) keyOf(m *scenario.Malicious) (*crypto.PrivateKey, error) {
	switch m.Key {
	case scenario.KeyOfBackup:
		return crypto.ReadKey(filepath.Join(c.local.Home(c.s.Replicas-1), node.KeyFile))
	case scenario.KeyOfOutsider:
		return crypto.Generate(rand.Reader)
	default:
		return crypto.ReadKey(c.local.ClientKey(*m.Client))
	}
}

// operations makes what a malicious client has executed, apart from what others write.
func (c *cluster) operations(name string) func(n uint64) []byte {
	return func(n uint64) []byte {
		if c.s.Machine == bankMachine {
			return bank.Open(fmt.Sprintf("%s/%d", name, n), 0)
		}
		return kv.Put(fmt.Appendf(nil, "%s/rogue/%d", name, n), []byte("rogue"))
	}
}

// numbers turns the protocol's numbers into a process's.
func numbers(of []wire.ReplicaID) []int {
	out := make([]int, len(of))
	for i, id := range of {
		out[i] = int(id)
	}
	return out
}
