package replica

import (
	"errors"
	"slices"
	"time"

	"tagma/checkpoint/transfer"
	"tagma/pbft/budget"
	"tagma/pbft/wire"
)

// Bounds of what a donor gives (S4).
const (
	maxOffers    = 3       // how many of the newest stable checkpoints it offers
	maxQuestions = 8       // questions of one replica that may wait for an index
	slotsBytes   = 4 << 20 // bytes of batches in one answer
	indexedKeys  = 20_000  // keys that one step indexes
)

// Bounds of what is given to a client that takes a backup. Other replicas are served first, and only one backup is
// served at a time.
const (
	outsideTimeout = 4 * time.Second // the client gets as much in this time as a replica gets in a view timeout
	outsideIndex   = 256 << 20       // bytes of memory for the client's index
	// After a step for the client, the next one waits this many times as long as the step took.
	outsideRest  = 9
	OutsidePause = 250 * time.Millisecond // the longest pause of a client's transfer
)

// Outside is the number under which the donor serves the client that takes a backup. It is not the number of any
// replica.
func Outside(cfg *wire.Config) wire.ReplicaID { return wire.ReplicaID(cfg.N()) }

// Donor gives other replicas batches (X0) and the state of checkpoints (X2, X3) while its own replica goes on ordering.
// Only one goroutine at a time may use it.
type Donor struct {
	cfg   *wire.Config
	store Store
	votes *Votes
	send  func(to wire.ReplicaID, m wire.Message)

	offers    []wire.StableCert // stable checkpoints that are durable here; the newest is the last
	pins      []*pin
	questions []question
	askers    []asker // by replica; the last one is Outside
	counts    Given

	working bool // the last step was for a backup and began at began
	began   time.Duration
	resting time.Duration // no other step for a backup before this time
}

// Given counts what a donor gave, for metrics.
type Given struct {
	Batches, Answers, Refused uint64
	Bytes                     uint64
	Pins                      int
	IndexBytes                int
}

type question struct {
	from wire.ReplicaID
	m    *wire.FetchState
}

// asker is what a donor knows about a replica that asks it for something.
type asker struct {
	bulk    budget.Budget
	pin     *pin          // the pin that it uses
	mayOpen time.Duration // the earliest time at which another pin may be made for it
	// The earliest time at which the newest checkpoint may be pinned in order to offer it to this replica.
	mayMove time.Duration
}

// NewDonor returns a Donor that reads from a store and a journal and sends its answers through send, which must not block.
func NewDonor(cfg *wire.Config, st Store, votes *Votes, send func(wire.ReplicaID, wire.Message)) *Donor {
	return &Donor{cfg: cfg, store: st, votes: votes, send: send, askers: make([]asker, cfg.N()+1)}
}

// Offer tells the donor that a checkpoint is stable, and durable here.
func (d *Donor) Offer(cert wire.StableCert) {
	d.offers = append(d.offers, cert)
	if extra := len(d.offers) - maxOffers; extra > 0 {
		d.offers = slices.Delete(d.offers, 0, extra)
	}
}

// newest is the newest checkpoint that the donor offers, nil if there is none.
func (d *Donor) newest() *wire.StableCert {
	if len(d.offers) == 0 {
		return nil
	}
	return &d.offers[len(d.offers)-1]
}

// mayGive reports whether a replica may be given more now. A question is short and its answer long, so a budget bounds
// the answers.
func (d *Donor) mayGive(to wire.ReplicaID, now time.Duration) bool {
	b, timeout := &d.askers[to].bulk, d.cfg.ViewTimeout
	if to == Outside(d.cfg) {
		timeout = outsideTimeout
	}
	b.Bulk(now, timeout)
	return b.Left()
}

// mayAsk reports whether a question is taken. A backup's questions for the state are always accepted and wait for their
// turn. So the client need not guess when it may ask.
func (d *Donor) mayAsk(from wire.ReplicaID, m wire.Message, now time.Duration) bool {
	ask, is := m.(*wire.FetchState)
	if from == Outside(d.cfg) && is && len(ask.Query) > 0 || d.mayGive(from, now) {
		return true
	}
	d.counts.Refused++
	return false
}

// answerBytes is the least that an answer counts in a replica's budget. However short an answer is, reading it from the
// disk, decoding it and sending it cost as much as a few KiB. If batches of a few bytes counted only as these bytes, one
// replica with many questions could keep a donor busy.
const answerBytes = 16 << 10

func (d *Donor) give(to wire.ReplicaID, m wire.Message) (bytes int) {
	bytes = wire.SizeHint(m)
	d.askers[to].bulk.Spend(max(answerBytes, bytes))
	d.counts.Bytes += uint64(bytes)
	d.send(to, m)
	return bytes
}

// giveSlots sends committed batches from the journal (X0), and then a message that says where they end.
func (d *Donor) giveSlots(from wire.ReplicaID, m *wire.FetchSlots) {
	next, bytes, left := m.From, 0, &d.askers[from].bulk
	for next < m.From+wire.Seq(m.Most) && bytes < slotsBytes && left.Left() {
		batch, err := d.votes.Batch(next)
		if err != nil || batch == nil {
			break // if a record is damaged, the next start finds and reports it
		}
		bytes += d.give(from, batch)
		d.counts.Batches++
		next++
	}
	d.give(from, &wire.Slots{From: m.From, Next: next})
}

// giveState answers a question for state, or queues it until the keys are indexed.
func (d *Donor) giveState(from wire.ReplicaID, m *wire.FetchState, now time.Duration) {
	if len(m.Query) > 0 {
		// Malformed questions are refused before a state is pinned and indexed for them.
		if _, err := transfer.DecodeQuery(m.Query); err != nil {
			d.counts.Refused++
			return
		}
	}
	switch {
	case m.Seq == 0:
		d.offerTo(from, now)
	case d.pinFor(from, m.Seq, now) == nil:
		d.refuse(from, m.Seq)
	case len(m.Query) == 0:
		d.give(from, &wire.Data{Seq: m.Seq})
	case d.waiting(from) < maxQuestions:
		d.questions = append(d.questions, question{from, m})
	default:
		d.counts.Refused++
	}
}

// waiting is how many questions of a replica wait for their answers.
func (d *Donor) waiting(from wire.ReplicaID) (n int) {
	for i := range d.questions {
		if d.questions[i].from == from {
			n++
		}
	}
	return n
}

// offerTo tells a replica which checkpoint it may fetch, and pins that checkpoint at once. If many batches are executed,
// newer checkpoints would otherwise replace it before the replica's first question arrives.
func (d *Donor) offerTo(from wire.ReplicaID, now time.Duration) {
	a := &d.askers[from]
	if now >= a.mayMove {
		a.mayOpen, a.mayMove = 0, now+d.cfg.ViewTimeout/8
	}
	if newest := d.newest(); newest == nil || d.pinFor(from, newest.Seq, now) == nil && a.pin == nil {
		d.refuse(from, 0)
		return
	}
	a.pin.used = now
	d.give(from, &wire.Data{Offer: &a.pin.cert})
}

// refuse tells a replica which checkpoint it may fetch instead of the one that it asked for.
func (d *Donor) refuse(to wire.ReplicaID, asked wire.Seq) {
	if offer := d.newest(); offer != nil {
		d.give(to, &wire.Data{Seq: asked, Offer: offer})
	} else {
		d.give(to, &wire.Data{Seq: asked, Offer: &wire.StableCert{}})
	}
}

// Step does a bounded piece of work: it indexes keys, or answers one question. It returns false if there is nothing to
// do. Questions take turns, so that one for a state that is still being indexed does not delay the others. A backup's
// questions come last and take at most a tenth of the time, so that they hardly slow down ordering.
func (d *Donor) Step(now time.Duration) bool {
	if d.working {
		d.working, d.resting = false, now+outsideRest*(now-d.began)
	}
	i := slices.IndexFunc(d.questions, func(q question) bool { return q.from != Outside(d.cfg) })
	switch {
	case len(d.questions) == 0:
		return false
	case i < 0 && (now < d.resting || !d.mayGive(Outside(d.cfg), now)):
		return false
	case i < 0:
		d.working, d.began = true, now
	}
	i = max(i, 0)
	q := d.questions[i]
	d.questions = slices.Delete(d.questions, i, i+1)
	p := d.pinned(q.m.Seq)
	if p == nil {
		d.refuse(q.from, q.m.Seq)
		return true
	}
	switch ready, err := p.source.Prepare(indexedKeys); {
	case err != nil:
		d.unpin(p)
		d.refuse(q.from, q.m.Seq)
	case !ready:
		d.questions = append(d.questions, q)
	default:
		d.answer(p, q, now)
	}
	return true
}

func (d *Donor) answer(p *pin, q question, now time.Duration) {
	answer, err := p.source.Answer(q.m.Query)
	switch {
	case err == nil:
		p.used = now
		d.counts.Answers++
		d.give(q.from, &wire.Data{Seq: q.m.Seq, Answer: answer})
	case errors.Is(err, transfer.ErrNotReady): // the index is moving to another part of the keys
		d.questions = append(d.questions, q)
	default:
		d.unpin(p)
		d.refuse(q.from, q.m.Seq)
	}
}

// Rests returns how long the next step for a backup must wait; 0 if it need not wait.
func (d *Donor) Rests(now time.Duration) time.Duration {
	if len(d.questions) == 0 || now >= d.resting {
		return 0
	}
	return d.resting - now
}

// Given returns how much was given so far, and how much is held for others.
func (d *Donor) Given() Given {
	out := d.counts
	out.Pins = len(d.pins)
	for _, p := range d.pins {
		out.IndexBytes += p.source.Size()
	}
	return out
}

// Close releases what is held for others.
func (d *Donor) Close() {
	for _, p := range slices.Clone(d.pins) {
		d.unpin(p)
	}
}
