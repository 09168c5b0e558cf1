package sim

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"time"

	"tagma/internal/machines"
	"tagma/internal/trace"
	"tagma/pbft/wire"
	"tagma/statemachine"
	malicious "tagma/testnet/byzantine/replica"
	"tagma/testnet/check"
	"tagma/testnet/links"
)

// epoch is what correct wall clocks show at the beginning.
const epoch = int64(1_700_000_000_000_000_000)

// World is a cluster with its clients in virtual time.
type World struct {
	opt        Options
	cfg        wire.Config // Self aside
	machine    statemachine.Machine
	now        time.Duration
	queue      queue
	keys       *keyring
	links      *links.Policy
	nodes      []*node   // replicas first, then twins
	byID       [][]*node // by replica: one, or two with a twin
	clients    []*client
	faulty     []bool
	hostile    []int // frames of each that are no message
	attackers  *malicious.Recording
	tape       tape
	own        *trace.Tap // of what no replica does; nil: nobody listens
	monitor    *check.Monitor
	violation  *Violation
	made       int // requests of workloads
	resting    bool
	history    []*Operation
	carried    map[wire.RequestID][]*Operation // by request, until it is executed
	ordered    wire.Seq                        // the highest number that a correct replica has executed
	sessions   map[wire.PublicKey]wire.Session // the last one of each key
	executions uint64                          // of operations
	evidence   []Accusation
	counts     Counts
	shared     *decoded // of the last frame that was sent
	sharedOf   []byte

	turns, reach, damage, work *rand.Rand // chance, by what it decides
}

// Counts are what a run has come to.
type Counts struct {
	Steps        int // events
	Messages     int // frames between replicas that arrived
	Refused      int // frames that nobody believed
	Acknowledged int // operations
	Crashes      int
	Restarts     int
	Transfers    int // states that were fetched from others
	Forgotten    int // starts that found that something may be forgotten
	Entered      int // views, over all correct replicas
	Evidence     int // accusations by correct replicas
	LeftBehind   int // replicas that could follow no more
}

// New makes a world at time 0: all replicas have started, and nothing has happened yet.
func New(opt Options) (*World, error) {
	opt = opt.WithDefaults()
	if err := opt.check(); err != nil {
		return nil, err
	}
	machine, err := machines.ByName(opt.Machine)
	if err != nil {
		return nil, err
	}
	w := &World{
		opt: opt, machine: machine, keys: newKeyring(opt.Signatures, opt.Seed),
		faulty: make([]bool, opt.Replicas), hostile: make([]int, opt.Replicas), byID: make([][]*node, opt.Replicas),
		attackers: malicious.NewRecording(), carried: map[wire.RequestID][]*Operation{},
		sessions: map[wire.PublicKey]wire.Session{},
		tape:     tape{ring: make([]trace.Event, max(0, opt.TraceLines)), out: opt.Trace},
		turns:    chance(opt.Seed, 1), reach: chance(opt.Seed, 2), damage: chance(opt.Seed, 3), work: chance(opt.Seed, 4),
	}
	w.links = links.New(opt.Replicas, opt.Base, chance(opt.Seed, 5))
	parties := w.keys.members(opt.Replicas)
	w.cfg = opt.Config
	w.cfg.Cluster = wire.Digest(parties[0].key)
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
	return w, nil
}

// populate makes replicas, twins and clients, and starts them.
func (w *World) populate(parties []*party) error {
	for i, p := range parties {
		w.settle(newNode(w, wire.ReplicaID(i), p))
	}
	for _, m := range w.opt.Malicious {
		w.faulty[m.Replica] = true
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

// chance is a source of its own for everything that draws: what one thing draws does not change what another one gets.
func chance(seed, stream uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, stream)) }

// Now is the time since the beginning.
func (w *World) Now() time.Duration { return w.now }

// Seed is the one that the world was made from.
func (w *World) Seed() uint64 { return w.opt.Seed }

// Config is what the replicas agree on; its Self means nothing.
func (w *World) Config() *wire.Config { return &w.cfg }

// Links is the network between replicas. Deliveries that a change of it lets go are given to Deliver; Command does both.
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

// At has something done at a time, now if that is over.
func (w *World) At(t time.Duration, do func()) {
	w.queue.push(event{at: max(t, w.now), kind: acts, do: do})
}

// Step lets the next event happen. It reports false when a violation ended the run.
func (w *World) Step() (more bool) {
	if w.over() {
		return false
	}
	e := w.queue.pop()
	w.now = e.at
	w.counts.Steps++
	defer w.recovered(&e, &more)
	w.happen(&e)
	w.judge()
	return w.violation == nil
}

// Pass lets the next event happen if it comes by t, and else only time pass until then; 0 is no bound. It reports false when
// a violation ended the run.
func (w *World) Pass(t time.Duration) (more bool) {
	if t > 0 && !w.over() && w.queue.heap[0].at > t {
		w.now = max(w.now, t)
		return true
	}
	return w.Step()
}

// over reports whether nothing more happens.
func (w *World) over() bool {
	return w.violation != nil || len(w.queue.heap) == 0 || w.opt.Steps > 0 && w.counts.Steps >= w.opt.Steps
}

// recovered makes a panic of a replica's own code a violation.
func (w *World) recovered(e *event, more *bool) {
	p := recover()
	if p == nil {
		return
	}
	id := wire.ReplicaID(0)
	if e.node != nil {
		id = e.node.id
		if w.faulty[id] { // an attacker may come to grief over its own lies
			e.node.tap.Emit(&trace.Process{Step: trace.Stopped, Why: fmt.Sprint(p)})
			e.node.stop()
			*more = true
			return
		}
	}
	w.fail("panic", id, "%v\n%s", p, debug.Stack())
	*more = false
}

func (w *World) happen(e *event) {
	switch e.kind {
	case arrives:
		e.node.arrive(e.packet)
	case requested:
		e.node.fromClient(e.client, e.life, e.packet)
	case replied:
		e.client.heard(e.node, e.life, e.packet)
	case connects:
		e.client.connected(e.node)
	case clientWait:
		e.client.due(e.token)
	case acts:
		e.do()
	default:
		if e.node.starts == e.life {
			e.node.own(e)
		}
	}
}

// RunUntil lets everything happen up to a time. The error is a *Violation.
func (w *World) RunUntil(t time.Duration) error {
	for !w.over() && w.queue.heap[0].at <= t {
		w.Step()
	}
	if w.violation != nil {
		return w.violation
	}
	if !w.over() {
		w.now = max(w.now, t)
	}
	return nil
}

// RunWhile goes on while a condition holds, which is asked after every event. The error is a *Violation.
func (w *World) RunWhile(holds func() bool) error {
	for holds() && w.Step() {
	}
	if w.violation != nil {
		return w.violation
	}
	return nil
}

// ErrLate says that something did not happen in time.
var ErrLate = errors.New("it did not happen in time")

// RunUntilTrue goes on until a condition holds, for at most d. Otherwise the error is a *Violation or an ErrLate.
func (w *World) RunUntilTrue(d time.Duration, what string, holds func() bool) error {
	end := w.now + d
	if err := w.RunWhile(func() bool { return w.now <= end && !holds() }); err != nil {
		return err
	}
	if !holds() {
		return fmt.Errorf("within %v: %s: %w", d, what, ErrLate)
	}
	return nil
}

// Counts returns what the run has come to.
func (w *World) Counts() Counts { return w.counts }

// Acknowledged counts the operations whose clients have an answer.
func (w *World) Acknowledged() int { return w.counts.Acknowledged }

// Correct reports whether a replica follows the protocol and has its disk.
func (w *World) Correct(id wire.ReplicaID) bool { return !w.faulty[id] }

// Condemn counts a replica among the faulty ones from now on: its disk is damaged, or is going to be.
func (w *World) Condemn(id wire.ReplicaID) { w.faulty[id] = true }
