package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"tagma/internal/machines"
	"tagma/internal/trace"
	"tagma/pbft/wire"
	"tagma/statemachine"
	malicious "tagma/testnet/byzantine/replica"
	"tagma/testnet/check"
	"tagma/testnet/links"
)

// Epoch is what correct wall clocks show at the beginning.
const Epoch = int64(1_700_000_000_000_000_000)

// World is a cluster with its clients in virtual time.
type World struct {
	*clock
	opt        Options
	cfg        wire.Config // Self is not set
	machine    func() statemachine.Machine
	keys       *keyring
	links      *links.Policy
	nodes      []*node   // replicas first, then twins
	byID       [][]*node // by replica: its node, and its twin's if it has one
	clients    []*client
	faulty     []bool
	lent       []bool // by replica: attackers have its key
	hostile    []int  // by replica: frames that it sent and that are no message
	attackers  *malicious.Recording
	tape       tape
	own        *trace.Tap // for events that belong to no replica; nil: there is no listener
	monitor    *check.Monitor
	made       int // how many requests the workloads made
	resting    bool
	history    []*Operation
	carried    map[wire.RequestID][]*Operation   // the operations of each request, until it is executed
	ordered    wire.Seq                          // the highest number that a correct replica has executed
	agreed     int64                             // the agreed time of that batch
	sessions   map[wire.PublicKey][]wire.Session // the sessions of each key
	answered   wire.Seq                          // the highest sequence number of an operation whose client has the answer
	executions uint64                            // how many operations were executed
	evidence   []Accusation
	counts     Counts
	shared     *decoded // the last frame that was sent, decoded
	sharedOf   []byte

	turns, reach, damage, work *rand.Rand // one source of chance for each kind of decision
}

// Counts are the figures of a run.
type Counts struct {
	Steps        int // how many events happened
	Messages     int // frames between replicas that arrived
	Refused      int // frames that the receivers refused
	Acknowledged int // operations
	Crashes      int
	Restarts     int
	Transfers    int // states that replicas fetched from others
	Forgotten    int // starts of replicas that may have forgotten own votes
	Entered      int // views that correct replicas entered, all together
	Evidence     int // accusations that correct replicas made
	LeftBehind   int // how often a replica was left behind
}

// New makes a world at time 0: all replicas have started, and nothing has happened yet.
func New(opt Options) (*World, error) {
	opt = opt.WithDefaults()
	if err := opt.check(); err != nil {
		return nil, err
	}
	shipped, err := machines.Shipped.New(opt.Machine, machines.History{Batches: opt.History})
	if err != nil {
		return nil, err
	}
	machine := opt.Application
	if machine == nil { // the shipped machines have no fields that change, so replicas can share them
		machine = func() statemachine.Machine { return shipped }
	}
	w := &World{
		clock: new(clock), opt: opt, machine: machine, keys: newKeyring(opt.Signatures, opt.Seed),
		faulty: make([]bool, opt.Replicas), lent: make([]bool, opt.Replicas), hostile: make([]int, opt.Replicas),
		byID:      make([][]*node, opt.Replicas),
		attackers: malicious.NewRecording(), carried: map[wire.RequestID][]*Operation{},
		sessions: map[wire.PublicKey][]wire.Session{},
		tape:     tape{ring: make([]trace.Event, max(0, opt.TraceLines)), out: opt.Trace},
		turns:    chance(opt.Seed, 1), reach: chance(opt.Seed, 2), damage: chance(opt.Seed, 3), work: chance(opt.Seed, 4),
	}
	w.keys.proper = opt.Cluster != ""
	for _, n := range opt.Administrators {
		w.opt.Limits.Administrators = append(w.opt.Limits.Administrators, w.ProgramKey(n))
	}
	if opt.Beside != nil {
		w.clock, w.keys.secrets = opt.Beside.clock, opt.Beside.keys.secrets
	}
	w.tape.frames.Reset()
	w.tape.marks.Reset()
	w.links = links.New(opt.Replicas, opt.Base, chance(opt.Seed, 5))
	parties := w.keys.members(opt.Replicas)
	w.cfg = opt.Config
	w.cfg.Cluster = wire.Digest(parties[0].key)
	w.opt.Limits.Cluster = w.cfg.Cluster
	for _, p := range parties {
		w.cfg.Members = append(w.cfg.Members, p.key)
	}
	if err := w.cfg.Validate(); err != nil {
		return nil, err
	}
	w.own = w.tap(trace.None)
	if !opt.Unwatched {
		w.monitor = check.NewMonitor(&w.cfg, w.Correct, w.keys.holds)
	}
	if err := w.populate(parties); err != nil {
		return nil, err
	}
	w.worlds = append(w.worlds, w)
	return w, nil
}

// populate makes replicas, twins and clients, and starts them.
func (w *World) populate(parties []*party) error {
	for i, p := range parties {
		w.settle(newNode(w, wire.ReplicaID(i), p))
	}
	for _, m := range w.opt.Malicious {
		if m.From > 0 { // the replica is judged as a correct one before this time
			w.At(m.From, func() { w.Condemn(m.Replica) })
		} else {
			w.Condemn(m.Replica)
		}
		n := w.nodes[m.Replica]
		n.malice = append(n.malice, m)
	}
	for _, t := range w.opt.Twins {
		w.faulty[t.Replica] = true
		first := w.nodes[t.Replica]
		second := newNode(w, t.Replica, first.party)
		second.malice = first.malice
		first.apart(t.Peers, false)
		second.apart(t.Peers, true)
		w.settle(second)
	}
	for i := range w.opt.Clients {
		w.clients = append(w.clients, newClient(w, i))
	}
	for _, n := range w.nodes {
		if slices.Contains(w.opt.Absent, n.id) {
			continue
		}
		if err := n.start(); err != nil {
			return fmt.Errorf("replica %d: %w", n.id, err)
		}
	}
	for _, c := range w.clients {
		c.begin()
	}
	return nil
}

func (w *World) settle(n *node) {
	n.place = len(w.nodes)
	w.nodes = append(w.nodes, n)
	w.byID[n.id] = append(w.byID[n.id], n)
}

// chance returns a source of randomness of its own for each user, so that what one draws does not change what another
// gets.
func chance(seed, stream uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, stream)) }

// Seed is the seed of the world.
func (w *World) Seed() uint64 { return w.opt.Seed }

// Config returns what the replicas agree on. Its field Self has no meaning.
func (w *World) Config() *wire.Config { return &w.cfg }

// Links returns the network between replicas. A caller that changes it must give the released frames to Deliver; Command
// does both.
func (w *World) Links() *links.Policy { return w.links }

// Command changes the links now.
func (w *World) Command(c links.Command) error {
	out, err := w.links.Do(w.now, c)
	if err == nil {
		w.own.Emit(&trace.Fault{Step: trace.Fired, Does: fmt.Sprintf("links: %s %s", c.Do, c.ID)})
		w.Deliver(out)
	}
	return err
}

// Counts returns the figures of the run so far.
func (w *World) Counts() Counts { return w.counts }

// Acknowledged counts the operations whose clients have an answer.
func (w *World) Acknowledged() int { return w.counts.Acknowledged }

// Correct reports whether a replica follows the protocol and has an undamaged disk.
func (w *World) Correct(id wire.ReplicaID) bool { return !w.faulty[id] }

// Condemn makes a replica count as faulty from now on, because it lies, or because its disk is damaged now or will be.
func (w *World) Condemn(id wire.ReplicaID) { w.faulty[id] = true }
