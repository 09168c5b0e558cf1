package sim

import (
	"errors"
	"time"

	"tagma/checkpoint/journal"
	"tagma/pbft"
)

// port is what a driver works with. What leaves waits for the end of the turn.
type port struct{ n *node }

// Append implements driver.Journal as a node does: a full segment is followed by one that begins with an anchor, which
// holds the turn too.
func (p port) Append(turn []pbft.Record, anchor func() []pbft.Record) error {
	n := p.n
	n.early()
	n.w.note(line{who: int(n.id), what: journalled, a: uint64(len(turn))})
	n.turn.syncs++
	durable := turn
	err := n.journal.Append(n.entries(turn))
	if errors.Is(err, journal.ErrFull) {
		durable = anchor()
		err = n.rotate(durable)
	}
	if err != nil {
		return err
	}
	if n.struckByJournal(turn) {
		return errStruck
	}
	n.turn.written = append(n.turn.written, durable...)
	return nil
}

// Truncate implements driver.Journal.
func (p port) Truncate(below pbft.Seq, anchor func() []pbft.Record) error {
	n := p.n
	n.w.note(line{who: int(n.id), what: truncated, a: uint64(below)})
	if n.journal.NeedsRotation() {
		n.turn.syncs++
		records := anchor()
		if err := n.rotate(records); err != nil {
			return err
		}
		n.turn.written = append(n.turn.written, records...)
	}
	_, err := n.journal.Truncate(uint64(below))
	return err
}

func (n *node) rotate(anchor []pbft.Record) error {
	n.spare = true
	return n.journal.Rotate(n.entries(anchor))
}

// entries are what a journal is given of records. They are valid until the next call.
func (n *node) entries(records []pbft.Record) []journal.Entry {
	w := n.w
	w.entries, w.encoded = w.entries[:0], w.encoded[:0]
	for _, r := range records {
		start := len(w.encoded)
		w.encoded = pbft.AppendRecord(w.encoded, r)
		data := w.encoded[start:] // where it stands, should the rest be moved
		w.trace.bytes(data)
		w.entries = append(w.entries, journal.Entry{Seq: uint64(pbft.RecordSeq(r)), Data: data})
	}
	return w.entries
}

// Send implements driver.Transport.
func (p port) Send(to pbft.ReplicaID, frame []byte) {
	if len(p.n.spoil) == 0 {
		p.n.turn.out = append(p.n.turn.out, output{to: to, frame: frame})
		return
	}
	for _, f := range p.n.spoiled(to, frame) {
		p.n.turn.out = append(p.n.turn.out, output{to: to, frame: f})
	}
}

// Respond implements driver.Transport.
func (p port) Respond(reply *pbft.Reply) { p.n.turn.out = append(p.n.turn.out, output{reply: reply}) }

// Execute implements driver.Machine.
func (p port) Execute(seq pbft.Seq, body *pbft.Body) {
	p.n.turn.out = append(p.n.turn.out, output{work: pbft.Execute{Seq: seq, Body: body}})
}

// Snapshot implements driver.Machine.
func (p port) Snapshot(seq pbft.Seq) {
	p.n.turn.out = append(p.n.turn.out, output{work: pbft.Snapshot{Seq: seq}})
}

// Discard implements driver.Machine. Like all that leaves a turn it waits for the sync: only then the marks are durable that
// a restart goes by in place of the state that is let go (D5).
func (p port) Discard(seq pbft.Seq) { p.n.turn.out = append(p.n.turn.out, output{discard: seq}) }

// Lookup implements driver.Machine.
func (p port) Lookup(req *pbft.Request) (*pbft.Reply, bool) {
	reply, done := p.n.service.Lookup(req.ID.Client, uint64(req.ID.Session), req.ID.T, req.Digest())
	if !done {
		return nil, false
	}
	return protocolReply(&reply), true
}

// Entered implements driver.Observer.
func (p port) Entered(view pbft.View) {
	if p.n.w.Correct(p.n.id) {
		p.n.w.counts.Entered++
	}
	p.n.w.note(line{who: int(p.n.id), what: entered, a: uint64(view)})
}

// Accused implements driver.Observer.
func (p port) Accused(e pbft.Evidence) {
	if p.n.w.Correct(p.n.id) {
		p.n.w.counts.Evidence++
		p.n.w.evidence = append(p.n.w.evidence, Accusation{By: p.n.id, At: p.n.w.now, Evidence: e})
	}
	p.n.w.note(line{who: int(p.n.id), what: accused, a: uint64(e.Replica), msg: e.First})
}

// Dropped implements driver.Observer.
func (p port) Dropped(m pbft.Message, why pbft.Reason) {
	p.n.w.note(line{who: int(p.n.id), what: dropped, msg: m, words: string(why)})
}

// Diverged implements driver.Observer.
func (p port) Diverged(d pbft.Diverged) {
	p.n.w.note(line{who: int(p.n.id), what: diverged, a: uint64(d.Seq)})
	if p.n.w.Correct(p.n.id) {
		p.n.w.fail("I5", p.n.id, "its state after %d is %v, and %v is stable", d.Seq, d.Own, d.Stable)
	}
}

// Accusation is evidence that a correct replica has.
type Accusation struct {
	By       pbft.ReplicaID
	At       time.Duration
	Evidence pbft.Evidence
}
