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
	"tagma/internal/node"
	"tagma/internal/trace"
	"tagma/pbft/wire"
	rogues "tagma/testnet/byzantine/client"
	"tagma/testnet/byzantine/link"
	"tagma/testnet/byzantine/tamper"
	"tagma/testnet/check"
	"tagma/testnet/fact"
	"tagma/testnet/history"
	"tagma/testnet/links"
	"tagma/testnet/local"
	"tagma/testnet/play"
	"tagma/testnet/scenario"
)

// Cluster implements play.Cluster with processes of this machine.
type Cluster struct {
	Engine
	s      *scenario.Scenario
	show   play.Show
	local  *local.Cluster
	watch  *watcher
	load   *load
	rogues map[*scenario.Malicious]*link.Dormant
	askers map[int]*link.Asker        // the clients that send the scenario's requests, by number
	signs  map[int]*crypto.PrivateKey // keys with which clients sign requests that other clients send
	asks   map[*scenario.Request]*rogues.Ask
	number map[*scenario.Malicious]int // the position of the behaviour among those of its replica
	// The lives that an event's targets had before the event made them forget.
	lives        map[*scenario.Event]map[int]string
	flips        map[*scenario.Event]map[int]int // how many state bits each target had flipped before an event
	watching     sync.WaitGroup
	stopWatching context.CancelFunc
	unshow       func() // ends what shows the cluster
	gauge        *play.Gauge
	began        atomic.Pointer[time.Time]

	tap      *trace.Tap   // records what is done to the cluster; it has no listener if there is no trace
	traced   func() error // makes the trace, after the replicas have stopped
	untraced error        // why the trace could not be made

	found   map[string]check.Found // what ReadBack found, by key; nil: it has not read all keys
	unread  error                  // the error of ReadBack
	probes  int                    // keys that Probe wrote
	unclean error                  // why not all replicas stopped cleanly
}

// Begin implements play.Cluster.
func (c *Cluster) Begin() { c.began.Store(new(time.Now())) }

// Now implements play.Cluster.
func (c *Cluster) Now() time.Duration {
	if began := c.began.Load(); began != nil {
		return time.Since(*began)
	}
	return 0
}

func (c *Cluster) say(kind play.Kind, format string, args ...any) {
	play.Say(c.show, c.Now(), kind, format, args...)
}

// Load implements play.Cluster.
func (c *Cluster) Load(ctx context.Context) { c.load.begin(ctx, *c.began.Load()) }

// Pass implements play.Cluster.
func (c *Cluster) Pass(ctx context.Context, until time.Duration) error {
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
func (c *Cluster) Command(ctx context.Context, command links.Command) error {
	if command.Rule != nil && command.Rule.Until > 0 {
		// Times of links count from the start of the processes, Now counts from Begin.
		command.Rule.Until += c.local.Since() - c.Now()
	}
	return c.local.Order(ctx, command)
}

// Wake implements play.Cluster.
func (c *Cluster) Wake(ctx context.Context, m *scenario.Malicious, on bool) error {
	if m.Client != nil {
		return c.rogues[m].Wake(on)
	}
	if on && m.From > 0 {
		c.watch.turns(int(m.Replica))
	}
	return c.local.Switch(ctx, int(m.Replica), c.number[m], on)
}

// Say implements play.Cluster. It does nothing, because this engine has no scripts.
func (c *Cluster) Say(context.Context, *scenario.Script) error {
	return errors.New("processes send no scripts")
}

// linkPatience is how long a request waits for its client's links, which are opened again and again until they are up.
const linkPatience = 5 * time.Second

// Ask implements play.Cluster.
func (c *Cluster) Ask(ctx context.Context, r *scenario.Request) error {
	if err := c.running(numbers(r.To)); err != nil {
		return err
	}
	c.asks[r] = play.Ask(r, func(client int) tamper.Sign {
		return func(b []byte) wire.Signature { return c.signs[client].Sign(b) }
	})
	ctx, cancel := context.WithTimeout(ctx, linkPatience)
	defer cancel()
	return c.askers[r.Client].Ask(ctx, c.asks[r])
}

// Answers implements play.Cluster.
func (c *Cluster) Answers(r *scenario.Request) map[wire.Outcome]int {
	if q := c.asks[r]; q != nil {
		return c.askers[r.Client].Answers(q)
	}
	return nil
}

// Happened implements play.Cluster: replicas report facts 20 times a second.
func (c *Cluster) Happened(f fact.Fact) bool {
	for id := range c.s.Replicas {
		if c.local.Counts(id).Facts[f.String()] > 0 {
			return true
		}
	}
	return false
}

// Touched implements play.Cluster.
func (c *Cluster) Touched(what any) bool {
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
func (c *Cluster) Work() play.Work { return c.load.told() }

// Extend implements play.Cluster: clients continue until every event has happened, so that operations are under way at
// each event.
func (c *Cluster) Extend(more bool, _ time.Duration) { c.load.extend(more) }

// EndWork implements play.Cluster. It resumes the replicas that the scenario left paused, so that they can be read.
func (c *Cluster) EndWork(patience time.Duration) {
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

func (c *Cluster) sleep() {
	for _, g := range c.rogues {
		_ = g.Wake(false) // an error of closing its links does not matter
	}
}

// Stop implements play.Cluster.
func (c *Cluster) Stop() {
	c.unclean = errors.Join(c.unclean, c.local.Stop(local.Patience))
	c.unshow()
	c.untraced = c.traced()
	c.watch.distrustForgetful()
	c.watch.readJournals()
	c.stopWatching()
	c.watching.Wait()
	c.gauge.Read()
}

// Tap implements play.Cluster.
func (c *Cluster) Tap() *trace.Tap { return c.tap }

// Close implements play.Cluster.
func (c *Cluster) Close() {
	c.stopWatching()
	c.watching.Wait()
	c.sleep()
	for _, a := range c.askers {
		_ = a.Close() // as above
	}
	if c.load != nil {
		c.load.close()
	}
	if c.local != nil {
		c.local.Close()
	}
	c.unshow()
	c.gauge.Read()
}

// startClients makes the malicious clients.
func (c *Cluster) startClients() (map[*scenario.Malicious]*link.Dormant, error) {
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
			File: c.local.File, Key: key, Choice: m.Choice,
			Operation: func(n uint64) []byte { return play.Aside(c.s.Machine, m.Who(), n) },
			Burdens:   history.Burdens(c.s.Machine, m.Who()),
		})
	}
	return all, nil
}

// connectAskers connects the clients that send the scenario's requests, and reads the keys with which they sign for
// others.
func (c *Cluster) connectAskers() (err error) {
	c.askers, c.signs, c.asks = make(map[int]*link.Asker), make(map[int]*crypto.PrivateKey), make(map[*scenario.Request]*rogues.Ask)
	for _, r := range c.s.Requests {
		if by := r.Signature.By; by != nil && c.signs[*by] == nil {
			if c.signs[*by], err = crypto.ReadKey(c.local.ClientKey(*by)); err != nil {
				return fmt.Errorf("client c%d: %w", *by, err)
			}
		}
	}
	for _, number := range c.s.Askers() {
		key, err := crypto.ReadKey(c.local.ClientKey(number))
		if err != nil {
			return fmt.Errorf("client c%d: %w", number, err)
		}
		a, err := link.NewAsker(link.Options{File: c.local.File, Key: key})
		if err != nil {
			return fmt.Errorf("client c%d: %w", number, err)
		}
		c.askers[number] = a
	}
	return nil
}

func (c *Cluster) keyOf(m *scenario.Malicious) (*crypto.PrivateKey, error) {
	switch m.Key {
	case scenario.KeyOfBackup:
		return crypto.ReadKey(filepath.Join(c.local.Home(c.s.Replicas-1), node.KeyFile))
	case scenario.KeyOfOutsider:
		return crypto.Generate(rand.Reader)
	default:
		return crypto.ReadKey(c.local.ClientKey(*m.Client))
	}
}

// numbers converts replica IDs to the numbers of processes.
func numbers(of []wire.ReplicaID) []int {
	out := make([]int, len(of))
	for i, id := range of {
		out[i] = int(id)
	}
	return out
}
