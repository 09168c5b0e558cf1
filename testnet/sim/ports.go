package sim

import (
	"time"

	"tagma/internal/replica"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// ports is what a driver works with. What leaves waits for the end of the turn.
type ports struct{ n *node }

// Append implements driver.Journal as a node does: a full segment is followed by one that begins with an anchor, which
// holds the turn too.
func (p ports) Append(turn []wire.Record, anchor func() []wire.Record) error {
	n := p.n
	n.early()
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

// Truncate implements driver.Journal.
func (p ports) Truncate(below wire.Seq, anchor func() []wire.Record) error {
	n := p.n
	n.w.mark('t', int(n.id), uint64(below), 0)
	n.turn.rotated = false
	err := n.data.Votes.Truncate(below, anchor)
	if n.turn.rotated {
		n.turn.syncs++
	}
	return err
}

// Send implements driver.Transport.
func (p ports) Send(to wire.ReplicaID, frame []byte) {
	if len(p.n.spoil) == 0 {
		p.n.turn.out = append(p.n.turn.out, output{to: to, frame: frame})
		return
	}
	for _, f := range p.n.spoiled(to, frame) {
		p.n.turn.out = append(p.n.turn.out, output{to: to, frame: f})
	}
}

// Respond implements driver.Transport.
func (p ports) Respond(reply *wire.Reply) { p.n.turn.out = append(p.n.turn.out, output{reply: reply}) }

// Do implements driver.Machine. Like all that leaves a turn it waits for the sync.
func (p ports) Do(work port.Effect) {
	if _, is := work.(port.Transfer); is && p.n.exec.Mover().Progress().Phase == replica.Idle {
		p.n.w.counts.LeftBehind++
		p.n.strayed = true
	}
	p.n.turn.out = append(p.n.turn.out, output{work: work})
}

// Lookup implements driver.Machine.
func (p ports) Lookup(req *wire.Request) (*wire.Reply, bool) {
	return p.n.exec.Lookup(req)
}

// Observe implements driver.Observer.
func (p ports) Observe(effect port.Effect) {
	n, w := p.n, p.n.w
	if f, is := effect.(port.Forgot); is {
		n.lost = replica.Proven(f)
	}
	if !w.Correct(n.id) {
		return
	}
	switch e := effect.(type) {
	case port.Entered:
		w.counts.Entered++
	case port.Accuse:
		w.counts.Evidence++
		w.evidence = append(w.evidence, Accusation{By: n.id, At: w.now, Evidence: e.Evidence})
	case port.Diverged:
		w.fail("I5", n.id, "its state after %d is %v, and %v is stable", e.Seq, e.Own, e.Stable)
	default: // a trace tells of it
	}
}

// Accusation is evidence that a correct replica has.
type Accusation struct {
	By       wire.ReplicaID
	At       time.Duration
	Evidence wire.Evidence
}
