package sim

import (
	"errors"
	"slices"
	"time"

	"tagma/internal/replica"
	"tagma/internal/trace"
	"tagma/pbft"
	"tagma/pbft/driver"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
	"tagma/testnet/sim/disk"
)

// node is the process of one replica and the machine it runs on. The fields before process survive a crash.
type node struct {
	w      *World
	id     wire.ReplicaID
	place  int // its place among all processes
	party  *party
	cfg    *wire.Config
	tap    *trace.Tap // nil: nobody listens
	malice []Malicious
	spoil  []spoiler
	deafTo []bool // by replica: this node receives nothing from it, or from its twin; nil: it receives from all
	drives
	hidden  *drives         // the disks with its data, while they are unmounted
	skew    time.Duration   // how far its wall clock differs from the right time
	strayed bool            // at some time it could not continue from what its disks held (X1)
	lapses  int             // how often it noticed that it may have forgotten its own votes
	beats   int             // how many ticks it had
	starts  uint32          // increased with every start and end of the process
	strike  *strike         // the crash that is planned for it; nil: none
	state   *tamper.Flipper // its state machine, in which a bit can be flipped
	harmed  bool            // a fault has damaged its disks more than a crash does
	putBack bool            // its disks were put back from a copy, and it has begun no new life since
	why     error           // why it stopped by itself or cannot start
	process
}

// process holds what ends with a replica's process.
type process struct {
	up     bool
	paused bool
	began  time.Duration
	lanes  lanes
	turn   turn
	routes map[wire.SessionID]*client
	spare  bool   // the file of the next segment must be made
	lost   string // why it may have forgotten its own votes; it asks the others when the turn ends

	// The parts of a process that knows its own votes; they are nil while it asks the others.
	data    *replica.Disk
	replica *pbft.Replica
	core    driver.Core
	driver  *driver.Driver
	exec    *replica.Executor
	donor   *replica.Donor
	room    executorHost
	behind  behind
	said    []wire.Statement // if its disks were put back: what it signed, according to its journal and since its start

	asking *replica.Asking // instead of replica, while it asks the others about its past
}

func newNode(w *World, id wire.ReplicaID, p *party) *node {
	cfg := w.cfg
	cfg.Self = id
	return &node{w: w, id: id, party: p, cfg: &cfg, drives: newDrives(replica.Unborn), tap: w.tap(int(id)), state: &tamper.Flipper{Machine: w.machine()}}
}

// apart makes a node receive nothing from peers or, if only is set, from all except peers.
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
		n.why = err
		n.disk.Crash(disk.Kill, n.w.damage) // the process ends, but the system keeps what it has written
		n.tap.Emit(&trace.Process{Step: trace.Stopped, Why: err.Error()})
		return err
	default:
		at := n.replica.Position()
		n.tap.Emit(&trace.Process{Step: trace.Started, View: at.View, Seq: at.Executed})
	}
	n.begin()
	return nil
}

// begin lets a process run whose parts are complete.
func (n *node) begin() {
	n.up, n.why, n.began, n.routes = true, nil, n.w.now, map[wire.SessionID]*client{}
	first := time.Duration(n.w.turns.Int64N(int64(n.tick()) + 1)) // the clocks of replicas do not tick at the same moments
	n.after(first, n.ticks)
	for _, c := range n.w.clients {
		c.reconnect(n)
	}
}

func (n *node) tick() time.Duration { return replica.TickEvery(n.cfg.ViewTimeout) }

// ticks is the process's clock.
func (n *node) ticks() {
	n.after(n.tick(), n.ticks)
	n.lanes.tick = true
	n.measure()
	n.backTick()
	n.wake()
}

// astray reports whether a replica that stops now may be unable to start from its own disk (X1). Batches are kept only
// for three windows below h, and the last state on its disk may be older than that, because later batches have not been
// executed yet.
func (n *node) astray() bool {
	in := n.replica.Inspect()
	return in.LeftBehind || in.Stable+2*n.cfg.CheckpointInterval > wire.Seq(n.exec.Service.Executed())+3*n.cfg.LogWindow
}

// stop ends the process. It does not decide which of its writes are durable.
func (n *node) stop() {
	n.starts++
	n.strayed = n.strayed || n.replica != nil && n.astray()
	if n.exec != nil {
		n.exec.Mover().Close()
		n.donor.Close()
		n.exec.Service.Close()
	}
	n.process = process{}
	for _, c := range n.w.clients {
		c.lost(n)
	}
}

// crash ends the process or its machine, and the disks lose what l says.
func (n *node) crash(l disk.Loss) {
	n.w.counts.Crashes++
	n.tap.Emit(&trace.Process{Step: trace.Crashed, Why: string(l)})
	n.strike = nil
	n.stop()
	n.disk.Crash(l, n.w.damage)
	n.medium.all(func(m *medium) { m.crash(l, n.w.damage) })
	n.w.links.Forget(n.id)
}

// halt ends the process cleanly, after the turn that is under way.
func (n *node) halt() {
	n.strike = nil
	if n.driver != nil {
		if n.turn.busy {
			n.settleTurn()
			n.release()
		}
		if err := n.driver.Close(); err != nil {
			n.die(err)
			return
		}
		n.land()
		n.settleTurn()
		n.medium.settle()
	}
	n.tap.Emit(&trace.Process{Step: trace.Stopped, Why: "it was told to"})
	n.stop()
	n.disk.Crash(disk.Kill, n.w.damage) // the process has no file open any more
	n.w.links.Forget(n.id)
}

// die ends the process after an error that is final (D6).
func (n *node) die(err error) {
	n.tap.Emit(&trace.Process{Step: trace.Stopped, Why: err.Error()})
	n.w.judge() // the monitor's first violation is more informative than the guard's later refusal (D7)
	n.stop()
	n.why = err
	n.disk.Crash(disk.Kill, n.w.damage)
	n.medium.all((*medium).settle)
	if n.w.Correct(n.id) {
		n.w.fail("stopped", n.id, "%v", err)
	}
}
