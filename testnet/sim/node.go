package sim

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"tagma/internal/driver"
	"tagma/internal/replica"
	"tagma/internal/trace"
	"tagma/pbft"
	"tagma/pbft/wire"
	malicious "tagma/testnet/byzantine/replica"
	"tagma/testnet/sim/disk"
)

// node is the process of one replica and the machine it runs on. What is above the line survives a crash.
type node struct {
	w       *World
	id      wire.ReplicaID
	place   int // among all processes
	party   *party
	cfg     *wire.Config
	tap     *trace.Tap // nil: nobody listens
	malice  []Malicious
	spoil   []spoiler
	deafTo  []bool // by replica: a twin and its original share the others between them; nil: they do not
	disk    *disk.Disk
	medium  *medium
	life    string        // what the file beside its key says (D8.2)
	skew    time.Duration // of its wall clock
	strayed bool          // it could not go on from what it held at some time (X1)
	lapses  int           // how often it found that it may have forgotten what it signed
	beats   int           // ticks
	spare   bool          // the file of the next segment is to be made
	starts  uint32        // rises with every start and end of the process
	strike  *strike       // a crash to come
	hidden  *hidden       // data that are elsewhere
	harmed  bool          // somebody did more to its disk than crashes do
	putBack bool          // its disks were, from a copy, and it began no new life since

	up      bool
	paused  bool
	why     error // it went down by itself, or cannot start
	began   time.Duration
	process // of the replica, while it knows what it signed
	asking  *replica.Asking
	lost    string // why it may have forgotten what it signed; it is noticed when the turn is over
	lanes   lanes
	turn    turn
	routes  map[wire.SessionID]*client
}

// process is what a replica consists of that votes or follows.
type process struct {
	data    *replica.Disk
	replica *pbft.Replica
	core    driver.Core
	driver  *driver.Driver
	exec    *replica.Executor
	donor   *replica.Donor
	room    backroom
	said    []wire.Statement // if its disks were put back: what it signed by its journal, and since
}

func newNode(w *World, id wire.ReplicaID, p *party) *node {
	cfg := w.cfg
	cfg.Self = id
	return &node{w: w, id: id, party: p, cfg: &cfg, disk: disk.New(), medium: newMedium(), life: replica.Unborn, tap: w.tap(int(id))}
}

// apart makes it deaf to peers, or to all others.
func (n *node) apart(peers []wire.ReplicaID, only bool) {
	if len(peers) == 0 {
		return
	}
	n.deafTo = make([]bool, n.w.opt.Replicas)
	for i := range n.deafTo {
		n.deafTo[i] = slices.Contains(peers, wire.ReplicaID(i)) != only
	}
}

func (n *node) hears(from wire.ReplicaID) bool { return n.deafTo == nil || !n.deafTo[from] }

// start brings the process up from its disk. An error says why it must not run.
func (n *node) start() error {
	n.starts++
	err := n.open()
	var amnesia *replica.Amnesia
	switch {
	case errors.As(err, &amnesia):
		n.ask(amnesia.Why)
	case err != nil:
		n.up, n.why = false, err
		n.disk.Crash(disk.Kill, n.w.damage) // the process ends, and leaves what it wrote
		n.tap.Emit(&trace.Process{Step: trace.Stopped, Why: err.Error()})
		return err
	default:
		at := n.replica.Position()
		n.tap.Emit(&trace.Process{Step: trace.Started, View: at.View, Seq: at.Executed})
	}
	n.up, n.paused, n.why, n.began = true, false, nil, n.w.now
	n.routes = map[wire.SessionID]*client{}
	first := time.Duration(n.w.turns.Int64N(int64(n.tick()) + 1)) // clocks do not tick in step
	n.w.queue.push(event{at: n.w.now + first, kind: ticks, node: n, life: n.starts})
	for _, c := range n.w.clients {
		c.reconnect(n)
	}
	return nil
}

// actor is the replica, or the attackers around it.
func (n *node) actor() (driver.Core, error) {
	if err := n.spoilers(); err != nil {
		return nil, err
	}
	core := n.wrapped(n.w.opt.Inside, n.replica)
	for _, m := range n.malice {
		from, until := m.From-n.w.now, m.Until // by its own clock, which begins now
		if until > 0 {
			until = max(until-n.w.now, 1)
		}
		attacker, err := malicious.New(m.Choice, n.cfg, core, func(b []byte) wire.Signature { return n.party.sign(b) },
			malicious.Options{When: malicious.Between(from, until), Client: n.w.clientKey, Recording: n.w.attackers})
		if err != nil {
			return nil, err
		}
		core = attacker
	}
	return n.wrapped(n.w.opt.Around, core), nil
}

func (n *node) tick() time.Duration { return replica.TickEvery(n.cfg.ViewTimeout) }

// clock is the process's own, which begins with it.
func (n *node) clock() time.Duration { return n.w.now - n.began }

// own is an event of the process itself.
func (n *node) own(e *event) {
	switch e.kind {
	case ticks:
		n.w.queue.push(event{at: n.w.now + n.tick(), kind: ticks, node: n, life: n.starts})
		n.lanes.tick = true
		n.measure()
		n.backTick()
		n.wake()
	case turnEnds:
		n.endTurn()
	case executes:
		n.executed()
	case flushes:
		n.flushDue(e.token)
	default:
		panic(fmt.Sprintf("sim: event %d is nobody's", e.kind))
	}
}

// astray reports whether a replica that stops now may be unable to start from what it holds (X1): what is kept three windows
// below h is above its last state, though it may have been given more to execute since.
func (n *node) astray() bool {
	in := n.replica.Inspect()
	return in.LeftBehind || in.Stable+2*n.cfg.CheckpointInterval > wire.Seq(n.exec.Service.Executed())+3*n.cfg.LogWindow
}

// stop ends the process, with what it has noted and written durable or not, as it is.
func (n *node) stop() {
	n.starts++
	n.strayed = n.strayed || n.replica != nil && n.astray()
	n.up, n.paused = false, false
	if n.exec != nil {
		n.exec.Mover().Close()
		n.donor.Close()
		n.exec.Service.Close()
	}
	n.process, n.asking, n.lost = process{}, nil, ""
	n.lanes, n.turn = lanes{}, turn{}
	n.routes = nil
	for _, c := range n.w.clients {
		c.lost(n)
	}
}

// crash ends the process or its machine, with what that loses.
func (n *node) crash(l disk.Loss) {
	n.w.counts.Crashes++
	n.tap.Emit(&trace.Process{Step: trace.Crashed, Why: string(l)})
	n.strike = nil
	n.stop()
	n.disk.Crash(l, n.w.damage)
	n.medium.crash(l, n.w.damage)
	n.w.links.Forget(n.id)
}

// die ends the process after an error that is final (D6).
func (n *node) die(err error) {
	n.tap.Emit(&trace.Process{Step: trace.Stopped, Why: err.Error()})
	n.w.judge() // what the monitor saw first says more than that the guard then refused (D7)
	n.stop()
	n.why = err
	n.disk.Crash(disk.Kill, n.w.damage)
	n.medium.settle()
	if n.w.Correct(n.id) {
		n.w.fail("stopped", n.id, "%v", err)
	}
}
