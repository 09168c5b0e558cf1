package sim

import (
	"time"

	"tagma/internal/replica"
	"tagma/pbft/driver"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// ports are the driver's ports. All output of a turn waits until the turn's sync is over.
type ports struct{ *node }

// Append implements driver.Journal in the same way as a node: if a segment is full, a new one begins with an anchor,
// which also contains the turn.
func (p ports) Append(turn []wire.Record, anchor func() []wire.Record) error {
	n := p.node
	n.early()
	n.land()
	n.w.mark('j', int(n.id), uint64(len(turn)), 0)
	n.turn.syncs++
	if err := n.data.Votes.Append(turn, anchor); err != nil {
		return err
	}
	if n.struckByJournal(turn) {
		return errStruck
	}
	return nil
}

// Later implements driver.Journal: the turn's messages are sent before its records are durable, unless too many records
// wait (D8.14).
func (p ports) Later(turn []wire.Record, anchor func() []wire.Record) error {
	n := p.node
	n.w.mark('l', int(n.id), uint64(len(turn)), 0)
	known := len(n.turn.written)
	if err := n.data.Votes.Later(turn, anchor); err != nil {
		return err
	}
	if len(n.turn.written) > known {
		n.land()
		n.turn.syncs++
	}
	if n.struckByJournal(turn) {
		return errStruck
	}
	return nil
}

// Truncate implements driver.Journal.
func (p ports) Truncate(below wire.Seq, anchor func() []wire.Record) error {
	n := p.node
	n.w.mark('t', int(n.id), uint64(below), 0)
	n.land()
	n.turn.rotated = false
	err := n.data.Votes.Truncate(below, anchor)
	if n.turn.rotated {
		n.turn.syncs++
	}
	return err
}

// Send implements driver.Transport.
func (p ports) Send(to wire.ReplicaID, frame []byte) {
	for _, f := range p.spoiled(to, frame) {
		p.turn.out = append(p.turn.out, output{to: to, frame: f})
	}
}

// Respond implements driver.Transport.
func (p ports) Respond(reply *wire.Reply) { p.turn.out = append(p.turn.out, output{reply: reply}) }

// Do implements driver.Machine. Like all output of a turn, the work waits until the sync is over.
func (p ports) Do(work port.Effect) {
	if _, is := work.(port.Transfer); is && p.exec.Mover().Progress().Phase == replica.Idle {
		p.w.counts.LeftBehind++
		p.strayed = true
	}
	p.turn.out = append(p.turn.out, output{work: work})
}

// Lookup implements driver.Machine.
func (p ports) Lookup(req *wire.Request) (*wire.Reply, bool) {
	return p.exec.Lookup(req)
}

// asks is the transport of a replica that asks the others for its past votes. It has no turns, so messages are sent at
// once.
type asks struct{ *node }

// Send implements driver.Transport.
func (a asks) Send(to wire.ReplicaID, frame []byte) {
	for _, f := range a.spoiled(to, frame) {
		a.w.transmit(a.node, to, f)
	}
}

// witness is the world's own observer of a replica. It ignores the events that only the trace needs.
type witness struct {
	driver.Ignore
	n *node
}

// observers returns the observers of a replica that starts.
func (n *node) observers() []driver.Observer {
	if n.tap == nil {
		return []driver.Observer{witness{n: n}}
	}
	return []driver.Observer{n.tap, witness{n: n}}
}

// Forgot implements driver.Observer.
func (w witness) Forgot(said string, by wire.ReplicaID) { w.n.lost = replica.Proven(said, by) }

// Entered implements driver.Observer.
func (w witness) Entered(wire.View, string) {
	if w.n.w.Correct(w.n.id) {
		w.n.w.counts.Entered++
	}
}

// Accused implements driver.Observer.
func (w witness) Accused(e wire.Evidence) {
	if world := w.n.w; world.Correct(w.n.id) {
		world.counts.Evidence++
		world.evidence = append(world.evidence, Accusation{By: w.n.id, At: world.now, Evidence: e})
	}
}

// Diverged implements driver.Observer.
func (w witness) Diverged(own wire.Digest, cert wire.StableCert) {
	if w.n.w.Correct(w.n.id) {
		w.n.w.fail("I5", w.n.id, "its state after %d is %v, and %v is stable", cert.Seq, own, cert.Digest)
	}
}

// Accusation is evidence that a correct replica has.
type Accusation struct {
	By       wire.ReplicaID
	At       time.Duration
	Evidence wire.Evidence
}
