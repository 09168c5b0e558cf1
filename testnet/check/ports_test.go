package check

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"tagma/pbft"
)

// What a node is to its driver: the watched core, and every port.

func (n *node) Step(ev pbft.Event) []pbft.Effect {
	effects := n.core.Step(ev)
	n.c.mon.Stepped(n.id, ev, effects)
	n.c.mon.Standing(n.id, n.replica.Position())
	if !n.replica.Position().Active {
		n.c.tally.inactive++
	}
	return effects
}

func (n *node) Anchor() []pbft.Record { return n.core.Anchor() }

type death struct{}

func (n *node) write(records []pbft.Record) {
	for _, r := range records {
		if n.dieIn > 0 {
			if n.dieIn--; n.dieIn == 0 {
				panic(death{})
			}
		}
		again, err := pbft.DecodeRecord(pbft.EncodeRecord(r))
		if err != nil {
			n.c.t.Fatal(err)
		}
		n.disk = append(n.disk, again)
		n.c.mon.Durable(n.id, r)
	}
}

func (n *node) Append(turn []pbft.Record, anchor func() []pbft.Record) error {
	if n.appends++; n.appends%50 == 0 {
		turn = anchor()
	}
	n.write(turn)
	return nil
}

func (n *node) Truncate(_ pbft.Seq, anchor func() []pbft.Record) error {
	n.write(anchor())
	return nil
}

func (n *node) Sign(b []byte) [64]byte { return signWith(n.cfg.Members[n.id])(b) }

func (n *node) Send(to pbft.ReplicaID, frame []byte) {
	if msg, err := pbft.Decode(slices.Clone(frame)); err == nil {
		n.c.mon.Left(n.id, msg)
	} else if !n.lies() {
		n.c.t.Fatal(err)
	}
	if cut := n.c.cut; n.c.rng.Float64() >= n.c.loss && int(n.id) != cut && int(to) != cut {
		n.c.wire = append(n.c.wire, packet{n.id, to, frame})
	}
}

func (n *node) Respond(r *pbft.Reply) {
	n.c.mon.Replied(n.id, r)
	n.c.hear(n.id, r)
}

func (n *node) Execute(seq pbft.Seq, body *pbft.Body) {
	n.state.seq = seq
	done := pbft.Executed{Seq: seq}
	for _, req := range body.Requests {
		reply, again := n.state.done[req.ID]
		if !again {
			reply = pbft.Reply{ID: req.ID, Request: req.Digest(), Outcome: pbft.OutcomeExecuted, Seq: seq, Results: req.Ops}
			n.state.done[req.ID] = reply
		}
		done.Replies = append(done.Replies, &reply)
	}
	d := body.Digest()
	n.state.root = sha256.Sum256(append(binary.BigEndian.AppendUint64(n.state.root[:], uint64(seq)), d[:]...))
	n.c.mon.Applied(n.id, seq, body, done.Replies)
	n.inbox = append(n.inbox, done)
}

func (n *node) Snapshot(seq pbft.Seq) {
	n.c.tally.checkpoints++
	n.saved[seq] = n.state.clone()
	n.c.mon.Root(n.id, seq, n.state.root)
	n.inbox = append(n.inbox, pbft.Snapshotted{Seq: seq, Digest: n.state.root})
}

func (n *node) Discard(pbft.Seq) {}

func (n *node) Lookup(req *pbft.Request) (*pbft.Reply, bool) {
	reply, done := n.state.done[req.ID]
	return &reply, done
}

func (n *node) Entered(pbft.View)                 { n.c.tally.entered++ }
func (n *node) Dropped(pbft.Message, pbft.Reason) {}
func (n *node) Accused(pbft.Evidence)             {}
func (n *node) Diverged(pbft.Diverged)            {}
