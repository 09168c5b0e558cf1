package local

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tagma/crypto"
	"tagma/internal/cluster"
	"tagma/internal/machines"
	"tagma/internal/node"
	"tagma/internal/page"
	"tagma/pbft"
	"tagma/pbft/driver"
	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine"
	"tagma/testnet/byzantine/link"
	malicious "tagma/testnet/byzantine/replica"
	"tagma/testnet/byzantine/tamper"
	"tagma/testnet/fact"
)

// obedient carries out orders in a replica's process. net/rpc calls its exported methods, one after the other.
type obedient struct {
	home        *node.Home
	machines    machines.Set
	node        *node.Node   // nil until the node is open
	unable      error        // why the replica could not begin
	skew        atomic.Int64 // how far the wall clock is ahead, in nanoseconds
	links       *hostile
	trace       string // as in Setup
	only        []string
	facts       *fact.Watch
	struck      bool            // the replica may be told to end at a moment
	state       *tamper.Flipper // wraps the machine, and can flip a bit of its state
	trap        trap
	gathered    *page.Gatherer // collects events for a page; nil: there is none
	corruptible bool
	adding      sync.Mutex // held to add a behaviour
	behaviours  atomic.Pointer[[]*behaviour]
}

// Begin takes the orders from before the replica's start.
func (o *obedient) Begin(s *Setup, _ *bool) error {
	if o.unable = o.begin(s); o.unable != nil {
		o.links = nil
	}
	return o.unable
}

func (o *obedient) begin(s *Setup) error {
	o.trace, o.only, o.struck, o.corruptible = s.Trace, s.Only, s.Struck, s.Corruptible
	machine, err := o.machines.New(o.home.Cluster.Machine, o.home.Cluster.Protocol.Kept())
	if err != nil {
		return err
	}
	o.state = &tamper.Flipper{Machine: machine}
	o.links = newHostile(o.home.Config.Self, o.home.Config.N(), s)
	var facts []fact.Fact
	for _, text := range s.Facts {
		f, err := fact.Parse(text, o.home.Config.N())
		if err != nil {
			return err
		}
		facts = append(facts, f)
	}
	o.facts = fact.NewWatch(facts)
	o.behaviours.Store(new([]*behaviour))
	if s.Shown {
		o.gathered = new(page.Gatherer)
	}
	for _, choice := range s.Behaviours {
		if err := o.add(choice); err != nil {
			return err
		}
	}
	for i := range s.Orders {
		if err := o.Obey(&s.Orders[i], nil); err != nil {
			return err
		}
	}
	return nil
}

// options wraps the parts of a node that orders can control.
func (o *obedient) options(opt *node.Options) {
	opt.Wall = func() time.Time { return time.Now().Add(time.Duration(o.skew.Load())) }
	opt.Transport = func(under driver.Transport) driver.Transport { return o.links.around(under) }
	opt.Machine = o.state
	opt.Ports = o.trap.around
	if len(*o.behaviours.Load()) == 0 && !o.corruptible {
		return
	}
	opt.Replace = func(cfg *wire.Config, core *pbft.Replica, sign func([]byte) wire.Signature) driver.Core {
		c := &chain{Core: core, of: o, cfg: cfg, sign: sign}
		c.grow(*o.behaviours.Load())
		return c
	}
}

// add adds a behaviour that is not active. The gates around the core get it at their next step.
func (o *obedient) add(choice byzantine.Choice) error {
	o.adding.Lock()
	defer o.adding.Unlock()
	b := &behaviour{choice: choice}
	if link.OnLinks(choice) {
		key, err := crypto.ReadKey(filepath.Join(o.home.Dir, node.KeyFile))
		if err != nil {
			return fmt.Errorf("behaviour %s: %w", choice.Name, err)
		}
		b.raw = link.NewDormant(link.Options{File: o.home.Cluster, Key: key, Choice: choice})
	}
	o.behaviours.Store(new(append(slices.Clone(*o.behaviours.Load()), b)))
	return nil
}

// Obey carries out an order.
func (o *obedient) Obey(next *Order, _ *bool) error {
	switch {
	case next.Links != nil:
		return o.links.do(*next.Links)
	case next.Switch != nil:
		all := *o.behaviours.Load()
		if i := next.Switch.Behaviour; i < 0 || i >= len(all) {
			return fmt.Errorf("there is no behaviour %d", i)
		}
		return all[next.Switch.Behaviour].wake(next.Switch.On)
	case next.Corrupt != nil:
		return o.add(*next.Corrupt)
	case next.Clock != 0:
		o.skew.Add(int64(next.Clock))
		return nil
	case next.DiskFull:
		return refuseWrites()
	case next.Strike != nil:
		o.trap.set.Store(next.Strike)
		return nil
	case next.FlipState != nil:
		o.state.Flip(next.FlipState.Key)
		return nil
	default:
		return errors.New("the order is empty")
	}
}

// Tell returns the replica's report, and how often each order has had an effect so far.
func (o *obedient) Tell(_ int, told *Told) error {
	told.Report, told.Counts.Frames = o.node.Report(), o.links.fired()
	told.Counts.Facts = o.facts.Seen()
	told.Counts.Flips = o.state.Flips()
	for _, b := range *o.behaviours.Load() {
		told.Counts.Lies = append(told.Counts.Lies, int(b.lies.Load())+int(b.raw.Acts()))
	}
	return nil
}

// Measure returns the values of counters, by their names.
func (o *obedient) Measure(names []string, values *[]float64) error {
	families, err := o.node.Metrics().Gather()
	if err != nil {
		return err
	}
	known := make(map[string]float64, len(families))
	for _, f := range families {
		known[f.GetName()] = f.GetMetric()[0].GetCounter().GetValue()
	}
	for _, name := range names {
		value, told := known[name]
		if !told {
			return fmt.Errorf("there is no metric %s", name)
		}
		*values = append(*values, value)
	}
	return nil
}

// Gathering asks for events.
type Gathering struct {
	Every uint64 // events of one slot in so many
	Most  int    // so many events at most
	// Follow is the number of a client whose requests are always shown; -1: none.
	Follow int
}

// Gather returns the events since the last call.
func (o *obedient) Gather(g *Gathering, batch *page.Batch) error {
	if o.gathered == nil {
		return errors.New("no page shows this cluster")
	}
	o.gathered.Every(g.Every)
	o.gathered.Follow(g.Follow)
	*batch = o.gathered.Take(g.Most)
	return nil
}

// clientOf resolves c0, c1, … to the keys that Cluster.ClientKey names by number.
func clientOf(file *cluster.File) func(name string) (wire.PublicKey, bool) {
	return func(name string) (wire.PublicKey, bool) {
		digits, _ := strings.CutPrefix(name, "c")
		i, err := strconv.Atoi(digits)
		if err != nil || digits == name {
			return wire.PublicKey{}, false
		}
		for _, c := range file.Clients {
			if c.Name == clientName(i) {
				return c.Key.Public(), true
			}
		}
		return wire.PublicKey{}, false
	}
}

// behaviour is one way to misbehave. All instances of the replica in this process share it.
type behaviour struct {
	choice byzantine.Choice
	open   atomic.Bool   // the behaviour is awake
	lies   atomic.Int64  // how many lies the gates of this behaviour have counted
	raw    *link.Dormant // attacks links; nil for a behaviour that changes messages alone
}

// wake activates a behaviour or deactivates it.
func (b *behaviour) wake(on bool) error {
	b.open.Store(on)
	return b.raw.Wake(on)
}

// chain is what the driver of a replica runs: the core, and a gate around it for each behaviour. Behaviours may be added
// between two steps. Only the driver's goroutine uses it.
type chain struct {
	malicious.Core // the outermost gate
	of             *obedient
	cfg            *wire.Config
	sign           malicious.Sign
	gates          []*gate
}

// Step implements driver.Core.
func (c *chain) Step(ev port.Event) []port.Effect {
	if all := *c.of.behaviours.Load(); len(all) > len(c.gates) {
		c.grow(all)
	}
	return c.Core.Step(ev)
}

// grow adds the gates that are missing. Each wraps the one before.
func (c *chain) grow(all []*behaviour) {
	for _, b := range all[len(c.gates):] {
		g, err := newGate(b, c.cfg, c.Core, c.sign, malicious.Options{Client: clientOf(c.of.home.Cluster)})
		if err != nil {
			panic(err) // the parent program has checked the choice already
		}
		c.Core = g
		c.gates = append(c.gates, g)
	}
	c.of.links.spoiledBy(c.gates)
}

// gate lets an attacker lie while its behaviour is active, and counts the lies.
type gate struct {
	malicious.Core // the attacker that the driver steps
	*behaviour
	witness malicious.Witness
	seen    int               // how many of the witness's lies were already counted
	frames  *malicious.Frames // nil if the attacker changes messages only, and no bytes of frames
}

// newGate puts a behaviour around a core.
func newGate(b *behaviour, cfg *wire.Config, core malicious.Core, sign malicious.Sign, opt malicious.Options) (*gate, error) {
	g := &gate{behaviour: b}
	opt.When = func(port.Tick) bool { return g.open.Load() }
	var err error
	if g.frames, err = malicious.NewFrames(b.choice); err != nil {
		return nil, err
	}
	attacker, err := malicious.New(b.choice, cfg, g.witness.Within(core), sign, opt)
	if err != nil {
		return nil, err
	}
	g.Core = g.witness.Around(attacker)
	return g, nil
}

// Step implements driver.Core.
func (g *gate) Step(ev port.Event) []port.Effect {
	out := g.Core.Step(ev)
	g.lies.Add(int64(g.witness.Lies() - g.seen))
	g.seen = g.witness.Lies()
	return out
}

// pass returns the frames that go to a replica in place of an honest one.
func (g *gate) pass(to wire.ReplicaID, frame []byte) [][]byte {
	if g.frames == nil || !g.open.Load() {
		return [][]byte{frame}
	}
	before := g.frames.Lies()
	out := g.frames.Pass(to, frame)
	g.lies.Add(int64(g.frames.Lies() - before))
	return out
}
