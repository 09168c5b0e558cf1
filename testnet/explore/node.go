package explore

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"tagma/pbft"
	"tagma/pbft/amnesia"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// node is one correct replica: the real core with a journal, a clock and an executor. It performs effects in order, as
// the driver does, and can stop between two of them.
type node struct {
	w       *world
	cfg     *wire.Config
	core    *pbft.Replica     // nil while the replica asks what it has forgotten
	forgot  *amnesia.Amnesiac // takes the core's place then
	life    wire.Life         // the life in this journal; zero for the first life
	applied pbft.Applied      // the state in the store, if it was fetched from others
	journal []wire.Record
	notes   []wire.Record // records that will be written with the next durable record
	inbox   []port.Event  // loopback and execution results
	mono    time.Duration

	executed []wire.Digest // executed batches by seq−1, of this incarnation
	done     map[wire.RequestID]bool
	root     wire.Digest

	durable   int // how many effects of the current move have become durable
	stopAfter int // the node crashes after so many of them; 0: never
	stopped   bool

	says func(to int, m wire.Message) // called with every message that the node sends
}

// everybody stands for all receivers of a broadcast.
const everybody = -1

func newNode(w *world, id wire.ReplicaID) *node {
	return &node{w: w, cfg: &w.configs[id], says: func(int, wire.Message) {}}
}

// boot starts the core from the journal and the initial state. The client then sends its requests again, because a
// restart forgets them. A replica that asks what it has forgotten asks all others again, because answers are not
// durable.
func (n *node) boot() {
	n.executed, n.root, n.done = nil, n.applied.Root, map[wire.RequestID]bool{}
	n.inbox, n.notes, n.stopped, n.stopAfter = nil, nil, false, 0
	if n.forgot != nil {
		n.forgot = amnesia.New(n.cfg, nonce)
	} else {
		n.core = n.restored()
	}
	n.tick(0)
	n.ask()
}

// forget deletes everything that the replica wrote.
func (n *node) forget() {
	n.core, n.forgot, n.journal, n.applied = nil, &amnesia.Amnesiac{}, nil, pbft.Applied{}
	n.boot()
}

// remember begins a new life once enough others have answered (D8.6).
func (n *node) remember() {
	if n.forgot == nil {
		return
	}
	rec, ok := n.forgot.Recovery()
	if !ok {
		return
	}
	n.life[0]++
	n.journal = rec.Records(n.cfg, n.life)
	n.forgot = nil
	n.boot()
}

// restored returns the core that continues from the journal. This core need not ask what it has forgotten: in this
// search, a journal is either complete or is lost completely, which is a move of its own.
func (n *node) restored() *pbft.Replica {
	core, err := pbft.Boot(n.cfg, n.journal, n.applied, pbft.Start{Life: n.life})
	if err != nil {
		panic(fmt.Sprintf("explore: replica %d does not start from its own journal: %v", n.cfg.Self, err))
	}
	return core
}

// ask gives the core every request that it has not executed, as a client does that waits. It gives none before the
// replica has the state at the base, because all requests are for slots above the base.
func (n *node) ask() {
	if n.applied.Seq < n.w.base {
		return
	}
	for _, r := range n.w.requests {
		if !n.done[r.ID] {
			n.receive(port.Source{Client: true}, wire.Own(r))
		}
	}
}

// restart encodes and decodes the journal, and starts the core again.
func (n *node) restart() {
	for i, r := range n.journal {
		back, err := wire.DecodeRecord(wire.EncodeRecord(r))
		if err != nil {
			panic(fmt.Sprintf("explore: journal record %d of replica %d does not decode: %v", i, n.cfg.Self, err))
		}
		n.journal[i] = back
	}
	n.boot()
}

func (n *node) tick(d time.Duration) {
	n.mono += d
	n.step(port.Tick{Mono: n.mono, Wall: wallOf(n.cfg.Self)})
}

// expire lets every timer end. If replicas only crash, a replica that hears nobody restarts its timers instead (F4). So
// in that mode the other replicas send it their statuses meanwhile.
func (n *node) expire() {
	n.tick(long)
	for range 5 * int(n.cfg.MaxViewTimeout/n.cfg.ViewTimeout) {
		if !n.w.crash || n.core == nil || n.stopped {
			return
		}
		for id := range wire.ReplicaID(n.w.n) {
			if id != n.cfg.Self {
				n.receive(port.Source{Replica: id}, wire.Own(&wire.Status{View: n.core.Position().View, Helper: id}))
			}
		}
		n.tick(n.cfg.ViewTimeout / 4)
	}
}

func (n *node) receive(from port.Source, m wire.Verified) {
	n.step(port.Received{From: from, Msg: m})
}

// actor returns the core, or the amnesiac that runs in its place.
func (n *node) actor() port.Actor {
	if n.forgot != nil {
		return n.forgot
	}
	return n.core
}

// step gives the core an event, and then the events that follow from its effects.
func (n *node) step(ev port.Event) {
	n.inbox = append(n.inbox, ev)
	for len(n.inbox) > 0 && !n.stopped {
		ev, n.inbox = n.inbox[0], n.inbox[1:]
		for _, e := range slices.Clone(n.actor().Step(ev)) {
			if n.perform(e); n.stopped {
				return
			}
		}
		n.remember()
	}
}

func (n *node) perform(e port.Effect) {
	switch e := e.(type) {
	case port.Persist:
		n.persist(e.Record)
	case port.Note:
		n.notes = append(n.notes, e.Record)
	case port.Broadcast:
		n.broadcast(e.Msg)
	case port.Send:
		n.says(int(e.To), e.Msg)
	case port.Execute:
		n.execute(e)
	case port.Snapshot:
		n.inbox = append(n.inbox, port.Snapshotted{Seq: e.Seq, Digest: n.root})
	case port.Transfer:
		if e.Target.Seq > 0 && e.Target.Seq == n.w.base {
			n.inbox = append(n.inbox, port.Transferred{Cert: e.Target})
		}
	case port.Resume:
		n.asked()
	default: // other effects do not change the state of a search
	}
}

// persist makes a record durable. If the move says so, the replica crashes after that.
func (n *node) persist(r wire.Record) {
	n.journal = append(append(n.journal, n.notes...), r)
	n.notes = nil
	if given, ok := r.(*wire.Installed); ok {
		n.applied = pbft.Applied{Seq: given.Cert.Seq, Root: given.Cert.Digest}
	}
	n.durable++
	n.stopped = n.durable == n.stopAfter
}

// broadcast signs a message, makes it durable, sends it, and returns it to the core. There is no case for a crash
// between making it durable and sending it, because a message that was sent need not be delivered.
func (n *node) broadcast(m wire.Message) {
	n.w.sign(n.cfg.Self, m)
	if wire.Durable(m) {
		n.persist(&wire.Sent{Msg: m})
	}
	n.says(everybody, m)
	n.inbox = append(n.inbox, port.Received{From: port.Source{Replica: n.cfg.Self, Loopback: true}, Msg: wire.Own(m)})
}

// execute applies a batch. The state is a hash of everything that was executed.
func (n *node) execute(e port.Execute) {
	d := e.Body.Digest()
	n.executed = append(n.executed, d) // nothing below the base was executed here
	n.root = sha256.Sum256(append(n.root[:], d[:]...))
	result := port.Executed{Seq: e.Seq}
	for _, r := range e.Body.Requests {
		n.done[r.ID] = true
		result.Replies = append(result.Replies, &wire.Reply{
			ID: r.ID, Request: r.Digest(), Outcome: wire.OutcomeExecuted, Seq: e.Seq, Results: [][]byte{nil},
		})
	}
	n.inbox = append(n.inbox, result)
}

// takeStable tells the core that the checkpoint at the base is stable, and continues until the core fetches that state.
func (n *node) takeStable() {
	v, err := wire.Verify(n.cfg, &wire.StableNotice{Cert: n.w.moved}, n.w.holds)
	if err != nil {
		panic("explore: the checkpoint at the base: " + err.Error())
	}
	n.receive(port.Source{Replica: (n.cfg.Self + 1) % wire.ReplicaID(n.w.n)}, v)
	n.tick(long)
}

// asked makes the client send its requests to a core that has just received the state at the base.
func (n *node) asked() {
	n.root = n.applied.Root
	for _, r := range n.w.requests {
		n.inbox = append(n.inbox, port.Received{From: port.Source{Client: true}, Msg: wire.Own(r)})
	}
}
