package check

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"tagma/pbft/driver"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// These are a node's ports as its driver sees them, and the observed core.

func (n *node) Step(ev port.Event) []port.Effect {
	effects := n.core.Step(ev)
	n.c.mon.Stepped(n.id, ev, effects)
	if n.replica == nil {
		return effects
	}
	n.c.mon.Standing(n.id, n.replica.Position())
	if !n.replica.Position().Active {
		n.c.tally.inactive++
	}
	return effects
}

func (n *node) Anchor() []wire.Record { return n.core.Anchor() }

type death struct{}

// write makes a whole turn durable, in a new segment if segment is set. If the node crashes meanwhile, the whole turn is
// lost.
func (n *node) write(records []wire.Record, segment bool) {
	dies := n.dieIn > 0 && n.dieIn <= len(records)
	n.dieIn -= min(n.dieIn, len(records))
	if dies && n.c.rng.IntN(2) == 0 {
		panic(death{})
	}
	if segment {
		n.disk = append(n.disk, nil)
	}
	for _, r := range records {
		again, err := wire.DecodeRecord(wire.EncodeRecord(r))
		if err != nil {
			n.c.t.Fatal(err)
		}
		last := len(n.disk) - 1
		n.disk[last] = append(n.disk[last], again)
		n.c.mon.Durable(n.id, r)
	}
	if dies {
		panic(death{})
	}
}

// Append sometimes begins a new segment, as a journal does that is full.
func (n *node) Append(turn []wire.Record, anchor func() []wire.Record) error {
	n.appends++
	full := len(n.disk) == 0 || n.appends%50 == 0
	if full {
		turn = append(anchor(), turn...)
	}
	n.write(turn, full)
	return nil
}

// Later does the same as Append: in this cluster, votes are not sent before they are durable.
func (n *node) Later(turn []wire.Record, anchor func() []wire.Record) error {
	return n.Append(turn, anchor)
}

// Truncate begins a new segment with an anchor, and deletes the segments that are wholly at or below a sequence number.
func (n *node) Truncate(below wire.Seq, anchor func() []wire.Record) error {
	n.write(anchor(), true)
	above := func(r wire.Record) bool { return wire.RecordSeq(r) > below }
	for len(n.disk) > 1 && !slices.ContainsFunc(n.disk[0], above) {
		n.disk = n.disk[1:]
	}
	return nil
}

func (n *node) Sign(b []byte) [64]byte { return signWith(n.cfg.Members[n.id])(b) }

func (n *node) Send(to wire.ReplicaID, frame []byte) {
	if msg, err := wire.Decode(slices.Clone(frame)); err == nil {
		n.c.mon.Left(n.id, msg)
	} else if !n.lies() {
		n.c.t.Fatal(err)
	}
	if cut := n.c.cut; n.c.rng.Float64() >= n.c.loss && int(n.id) != cut && int(to) != cut {
		n.c.wire = append(n.c.wire, packet{n.id, to, frame})
	}
}

func (n *node) Respond(r *wire.Reply) {
	n.c.mon.Replied(n.id, r)
	n.c.hear(n.id, r)
}

func (n *node) Do(work port.Effect) {
	switch e := work.(type) {
	case port.Execute:
		n.execute(e.Seq, e.Body)
	case port.Snapshot:
		n.snapshot(e.Seq)
	case port.Transfer: // the state comes at one of the next ticks from any node that offers one
		n.wanted = &e.Target
	case port.Resume:
		n.resume(e.Seq)
	case port.Offer:
		n.offered = e.Cert
	default: // nothing is discarded
	}
}

func (n *node) execute(seq wire.Seq, body *wire.Body) {
	n.state.seq = seq
	done := port.Executed{Seq: seq}
	for _, req := range body.Requests {
		reply, again := n.state.done[req.ID]
		if !again {
			reply = wire.Reply{ID: req.ID, Request: req.Digest(), Outcome: wire.OutcomeExecuted, Seq: seq, Results: req.Ops}
			n.state.done[req.ID] = reply
		}
		done.Replies = append(done.Replies, &reply)
	}
	d := body.Digest()
	n.state.root = sha256.Sum256(append(binary.BigEndian.AppendUint64(n.state.root[:], uint64(seq)), d[:]...))
	n.c.mon.Applied(n.id, seq, body, done.Replies)
	n.inbox = append(n.inbox, done)
}

func (n *node) snapshot(seq wire.Seq) {
	n.c.tally.checkpoints++
	n.saved[seq] = n.state.clone()
	n.c.mon.Root(n.id, seq, n.state.root)
	n.inbox = append(n.inbox, port.Snapshotted{Seq: seq, Digest: n.state.root})
}

func (n *node) Lookup(req *wire.Request) (*wire.Reply, bool) {
	reply, done := n.state.done[req.ID]
	return &reply, done
}

// witness observes a node's driver.
type witness struct {
	driver.Ignore
	n *node
}

func (w witness) Entered(wire.View, string) { w.n.c.tally.entered++ }

func (w witness) Forgot(string, wire.ReplicaID) { w.n.memory.proven = true }

// fetch brings the wanted state if some node has it. The state is durable at once, and adopted when the core says so.
func (n *node) fetch() {
	if n.wanted == nil {
		return
	}
	for _, donor := range n.c.nodes {
		cert := donor.offered
		if donor == n || donor.drv == nil || cert.Seq < n.wanted.Seq || donor.saved[cert.Seq].root != cert.Digest {
			continue
		}
		n.saved[cert.Seq] = donor.saved[cert.Seq].clone()
		n.inbox = append(n.inbox, port.Transferred{Cert: cert})
		n.wanted = nil
		return
	}
	n.inbox = append(n.inbox, port.Starving{})
}

func (n *node) resume(seq wire.Seq) {
	n.c.tally.transfers++
	n.state = n.saved[seq].clone()
	n.c.mon.Transferred(n.id, seq, n.state.root)
}
