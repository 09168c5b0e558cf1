package replica

import (
	"errors"
	"slices"
	"time"

	"tagma/checkpoint/transfer"
	"tagma/pbft"
)

// Bounds of what a donor gives (S4, X2).
const (
	maxPins      = 2
	pinPatience  = 10 * time.Second // after the last question
	pinLifetime  = 60 * time.Second
	maxOffers    = 3        // certificates of the newest checkpoints that are kept to be pinned
	maxQuestions = 8        // of one replica, that wait for an index
	slotsBytes   = 4 << 20  // of batches in one answer
	givenBytes   = 64 << 20 // to one replica in a view timeout
	indexedKeys  = 20_000   // that one step passes
	keptJournal  = 2 << 30  // bytes of journal that pins may hold back
)

// Donor gives other replicas batches (X0) and the state of checkpoints (X2, X3) while this one goes on ordering. It is a
// state machine for one goroutine at a time.
type Donor struct {
	cfg   *pbft.Config
	store Store
	votes *Votes
	send  func(to pbft.ReplicaID, m pbft.Message)

	offers    []pbft.StableCert // of checkpoints that are stable, and durable here; the newest last
	pins      []*pin
	questions []question
	given     []given // by replica
	counts    Given
}

// Given counts what a donor gave, for metrics.
type Given struct {
	Batches, Answers, Refused uint64
	Bytes                     uint64
	Pins                      int
	IndexBytes                int
}

// pin is a checkpoint whose state is held for others.
type pin struct {
	cert        pbft.StableCert
	source      *transfer.Source
	began, used time.Duration
}

type question struct {
	from pbft.ReplicaID
	m    *pbft.FetchState
}

// given is what a replica was given lately, in bytes.
type given struct {
	bytes int
	since time.Duration
}

// NewDonor returns one that gives from a store and a journal, through send, which must not block.
func NewDonor(cfg *pbft.Config, st Store, votes *Votes, send func(pbft.ReplicaID, pbft.Message)) *Donor {
	return &Donor{cfg: cfg, store: st, votes: votes, send: send, given: make([]given, cfg.N())}
}

// Offer tells that a checkpoint is stable, and durable here.
func (d *Donor) Offer(cert pbft.StableCert) {
	d.offers = append(d.offers, cert)
	if extra := len(d.offers) - maxOffers; extra > 0 {
		d.offers = slices.Delete(d.offers, 0, extra)
	}
}

// newest is the newest checkpoint that is offered; nil if none is.
func (d *Donor) newest() *pbft.StableCert {
	if len(d.offers) == 0 {
		return nil
	}
	return &d.offers[len(d.offers)-1]
}

// mayGive reports whether a replica may be given more now: a question is short, and its answer is not.
func (d *Donor) mayGive(to pbft.ReplicaID, now time.Duration) bool {
	g := &d.given[to]
	if now-g.since >= d.cfg.ViewTimeout/4 {
		g.bytes, g.since = 0, now
	}
	if g.bytes >= givenBytes/4 {
		d.counts.Refused++
		return false
	}
	return true
}

func (d *Donor) give(to pbft.ReplicaID, m pbft.Message, bytes int) {
	d.given[to].bytes += bytes
	d.counts.Bytes += uint64(bytes)
	d.send(to, m)
}

// FetchSlots sends committed batches as the journal holds them (X0), and where they end.
func (d *Donor) FetchSlots(from pbft.ReplicaID, m *pbft.FetchSlots, now time.Duration) {
	if from == d.cfg.Self || !d.mayGive(from, now) {
		return
	}
	next, bytes := m.From, 0
	for next < m.From+pbft.Seq(m.Most) && bytes < slotsBytes {
		batch, err := d.votes.Batch(next)
		if err != nil || batch == nil {
			break // a damaged record is found again, and told, by the next start
		}
		size := batch.Bytes()
		d.give(from, batch, size)
		bytes += size
		d.counts.Batches++
		next++
	}
	d.give(from, &pbft.Slots{From: m.From, Next: next}, 32)
}

// FetchState answers a question for state, or queues it until the keys are indexed.
func (d *Donor) FetchState(from pbft.ReplicaID, m *pbft.FetchState, now time.Duration) {
	if from == d.cfg.Self || !d.mayGive(from, now) {
		return
	}
	if m.Seq == 0 {
		d.refuse(from, 0)
		return
	}
	p := d.pin(m.Seq, now)
	switch {
	case p == nil:
		d.refuse(from, m.Seq)
	case len(m.Query) == 0:
		p.used = now
		d.give(from, &pbft.Data{Seq: m.Seq}, 64)
	default:
		p.used = now
		waiting := 0
		for i := range d.questions {
			if d.questions[i].from == from {
				waiting++
			}
		}
		if waiting < maxQuestions {
			d.questions = append(d.questions, question{from, m})
		}
	}
}

// refuse tells which checkpoint is served, instead of the one that was asked for.
func (d *Donor) refuse(to pbft.ReplicaID, asked pbft.Seq) {
	if offer := d.newest(); offer != nil {
		d.give(to, &pbft.Data{Seq: asked, Offer: offer}, 128)
	} else {
		d.give(to, &pbft.Data{Seq: asked, Offer: &pbft.StableCert{}}, 64)
	}
}

// pin returns the state after a checkpoint, held for others; nil if it is not served.
func (d *Donor) pin(seq pbft.Seq, now time.Duration) *pin {
	for _, p := range d.pins {
		if p.cert.Seq == seq {
			return p
		}
	}
	i := slices.IndexFunc(d.offers, func(c pbft.StableCert) bool { return c.Seq == seq })
	if i < 0 || len(d.pins) >= maxPins {
		return nil
	}
	tree, view, err := d.store.Pin(uint64(seq))
	if err != nil {
		return nil
	}
	if tree.Root() != d.offers[i].Digest { // it is not what the certificate says
		tree.Release()
		view.Close()
		return nil
	}
	p := &pin{cert: d.offers[i], source: transfer.NewSource(tree, view, transfer.SourceOptions{}), began: now, used: now}
	d.pins = append(d.pins, p)
	d.hold()
	return p
}

// hold keeps the journal above the lowest pin (X2).
func (d *Donor) hold() {
	if len(d.pins) == 0 {
		d.votes.Release()
		return
	}
	low := d.pins[0].cert.Seq
	for _, p := range d.pins {
		low = min(low, p.cert.Seq)
	}
	d.votes.Keep(low)
}

// Step does a bounded piece of work: it indexes keys, or answers one question. It reports false if there is none.
func (d *Donor) Step(now time.Duration) bool {
	if len(d.questions) == 0 {
		return false
	}
	q := d.questions[0]
	p := d.pin(q.m.Seq, now)
	if p != nil {
		ready, err := p.source.Prepare(indexedKeys)
		if err == nil && !ready {
			return true
		}
		if err != nil {
			d.unpin(p)
			p = nil
		}
	}
	d.questions = slices.Delete(d.questions, 0, 1)
	if p == nil {
		d.refuse(q.from, q.m.Seq)
		return true
	}
	d.answer(p, q, now)
	return true
}

func (d *Donor) answer(p *pin, q question, now time.Duration) {
	answer, err := p.source.Answer(q.m.Query)
	switch {
	case err == nil:
		p.used = now
		d.counts.Answers++
		d.give(q.from, &pbft.Data{Seq: q.m.Seq, Answer: answer}, len(answer))
	case errors.Is(err, transfer.ErrNotReady): // the index moves to another part of the keys
		d.questions = append(d.questions, q)
	case errors.Is(err, transfer.ErrMalformed):
		d.counts.Refused++
	default:
		d.unpin(p)
		d.refuse(q.from, q.m.Seq)
	}
}

// Tick ends pins that nobody uses, or that were used for long enough: a receiver goes on with a newer checkpoint (X7).
func (d *Donor) Tick(now time.Duration) {
	held := d.votes.Bytes()
	for _, p := range slices.Clone(d.pins) {
		if now-p.used >= pinPatience || now-p.began >= pinLifetime || held > keptJournal {
			d.unpin(p)
		}
	}
}

func (d *Donor) unpin(p *pin) {
	p.source.Close()
	d.pins = slices.DeleteFunc(d.pins, func(other *pin) bool { return other == p })
	d.hold()
}

// Given returns what was given so far, and what is held for it.
func (d *Donor) Given() Given {
	out := d.counts
	out.Pins = len(d.pins)
	for _, p := range d.pins {
		out.IndexBytes += p.source.Size()
	}
	return out
}

// Close gives back what is held for others.
func (d *Donor) Close() {
	for _, p := range slices.Clone(d.pins) {
		d.unpin(p)
	}
}
