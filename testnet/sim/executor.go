package sim

import (
	"encoding/binary"
	"time"

	"tagma/internal/replica"
	"tagma/internal/trace"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// backroom runs a node's executor, and with it what fetches state, in virtual time: a batch takes its time until it is told,
// and a write its sync.
type backroom struct {
	busy    bool         // with a piece of work
	results []port.Event // of the piece, to be told when it is over
	timer   uint64       // of the flush that is due

	received uint64 // bytes of a state, when they were last told
}

// host is what the executor works with; what it has waited for is nothing to a later process.
type host struct {
	n    *node
	life uint32
}

var _ replica.Host = host{}

// Beside does the job at once; it is over when its sync is.
func (h host) Beside(job func() func()) {
	done := job()
	h.later(h.n.w.opt.Sync, func() {
		h.n.medium.settle()
		done()
		h.n.tell()
	})
}

func (h host) later(d time.Duration, do func()) {
	h.n.w.At(h.n.w.now+d, func() {
		if h.n.starts == h.life {
			do()
			h.n.work()
			h.n.wake()
		}
	})
}

// FlushAfter implements replica.Host.
func (h host) FlushAfter(d time.Duration) {
	n := h.n
	n.room.timer++
	n.w.queue.push(event{at: n.w.now + d, kind: flushes, node: n, life: h.life, token: n.room.timer})
}

// Now implements replica.Host.
func (h host) Now() time.Duration { return h.n.clock() }

// Report implements replica.Host. That a state is whole is told when the last of it is durable.
func (h host) Report(ev port.Event) {
	if _, whole := ev.(port.Transferred); whole {
		h.later(h.n.w.opt.Sync, func() {
			h.n.medium.settle()
			h.n.lanes.executed = append(h.n.lanes.executed, ev)
		})
		return
	}
	h.n.room.results = append(h.n.room.results, ev)
}

// Send implements replica.Host.
func (h host) Send(to wire.ReplicaID, m wire.Message) { h.n.post(to, m) }

// post sends a message that is not the core's.
func (n *node) post(to wire.ReplicaID, m wire.Message) {
	frame := wire.Encode(m)
	if len(n.spoil) == 0 {
		n.w.transmit(n, to, frame)
		return
	}
	for _, f := range n.spoiled(to, frame) {
		n.w.transmit(n, to, f)
	}
}

// work has the executor do the next piece.
func (n *node) work() {
	if !n.up || n.exec == nil || n.room.busy {
		return
	}
	more, err := n.exec.Step()
	switch {
	case err != nil:
		n.die(err)
	case more:
		n.room.busy = true
		n.w.queue.push(event{at: n.w.now + n.w.opt.Execution, kind: executes, node: n, life: n.starts})
	default:
		n.tell()
	}
}

// executed is the end of a piece of work.
func (n *node) executed() {
	n.room.busy = false
	n.tell()
	n.work()
	n.wake()
}

// tell passes on what has come of the work.
func (n *node) tell() {
	n.lanes.executed = append(n.lanes.executed, n.room.results...)
	clear(n.room.results)
	n.room.results = n.room.results[:0]
}

func (n *node) flushDue(token uint64) {
	if token == n.room.timer {
		n.exec.Due()
		n.work()
	}
}

// backTick tells the time to what fetches state and to what gives it.
func (n *node) backTick() {
	if n.exec == nil {
		return
	}
	if n.exec.Mover().Active() {
		n.exec.Mover().Tick(n.clock())
		if p := n.exec.Mover().Progress(); n.tap != nil && p.Bytes != n.room.received {
			n.room.received = p.Bytes
			n.tap.Emit(&trace.Transfer{Step: trace.Moving, Seq: p.Seq, Share: p.Share, Bytes: p.Bytes})
		}
		n.tell()
		n.work()
	}
	if n.beats%64 == 0 && n.donor != nil {
		n.donor.Tick(n.clock())
	}
}

// toDonor has a question answered.
func (n *node) toDonor(from wire.ReplicaID, v wire.Verified) {
	if n.donor == nil || n.paused {
		return
	}
	n.donor.Ask(from, v.Message(), n.clock())
	for n.donor.Step(n.clock()) {
	}
}

// toMover gives an answer to what fetches state.
func (n *node) toMover(from wire.ReplicaID, v wire.Verified) {
	if n.exec == nil || n.paused {
		return
	}
	n.exec.Mover().Data(from, v, n.clock())
	n.tell()
	n.work()
	n.wake()
}

func (n *node) applied(e port.Execute, replies []*wire.Reply) {
	if m := n.observed(); m != nil {
		m.Applied(n.id, e.Seq, e.Body, replies)
		n.w.executedIn(n.id, e.Seq, replies)
	}
	n.w.mark('e', int(n.id), uint64(e.Seq), prefix(e.Body.Digest()))
}

// durableAt tells that a state is in the store, to stay.
func (n *node) durableAt(seq wire.Seq, root wire.Digest) {
	if m := n.observed(); m != nil {
		m.Root(n.id, seq, root)
	}
	n.w.mark('k', int(n.id), uint64(seq), prefix(root))
}

// adopted tells that a state that was fetched has become the store's.
func (n *node) adopted(seq wire.Seq, _ wire.Digest) {
	root := n.rootAt(seq) // of what is there, not of what was promised (I13)
	n.w.counts.Transfers++
	if m := n.observed(); m != nil {
		m.Transferred(n.id, seq, root)
	}
	n.w.mark('d', int(n.id), uint64(seq), prefix(root))
}

// rootAt is the root of the state that the store serves as that of a sequence number.
func (n *node) rootAt(seq wire.Seq) wire.Digest {
	tree, view, err := n.data.Store.Pin(uint64(seq))
	if err != nil {
		n.w.fail("I13", n.id, "the state after %d cannot be read: %v", seq, err)
		return wire.Digest{}
	}
	defer view.Close()
	defer tree.Release()
	return tree.Root()
}

func prefix(d wire.Digest) uint64 { return binary.LittleEndian.Uint64(d[:]) }
