package node

import (
	"sync/atomic"
	"time"

	"tagma/pbft/driver"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// probe observes the driver and measures the phases of batches, since the core knows neither metrics nor a clock. It also
// wraps the core, to note when a Tick tells the core the time. It changes nothing. Only the loop's goroutine may use it;
// stalled may be called from any goroutine.
type probe struct {
	driver.Core
	driver.Ignore
	metrics *metrics
	began   time.Time
	slots   []slotTimes  // a ring by sequence number, two windows long: so two batches in flight never have the same place
	ticked  atomic.Int64 // when the core was last told the time, in nanoseconds after began
}

// phase is how far a batch has come at this replica.
type phase uint8

const (
	proposed  phase = iota // the pre-prepare was sent or accepted
	prepared               // a prepared certificate is held
	committed              // the batch was handed to execution, in order
	executed               // the results arrived at the loop
	replied                // the first reply was handed to the network
	phases
)

// phaseNames name the step that ends with each phase.
var phaseNames = [phases]string{prepared: "prepare", committed: "commit", executed: "execute", replied: "reply"}

// slotTimes is what is known about one batch. Times count from the probe's beginning.
type slotTimes struct {
	seq             wire.Seq
	phase           phase
	whole           bool // the batch was observed from its pre-prepare on
	proposed, since time.Duration
}

func newProbe(cfg *wire.Config, core driver.Core, m *metrics) *probe {
	return &probe{Core: core, metrics: m, began: time.Now(), slots: make([]slotTimes, 2*cfg.LogWindow)}
}

// Step passes an event to the core.
func (p *probe) Step(ev port.Event) []port.Effect {
	if _, is := ev.(port.Tick); is {
		p.ticked.Store(int64(time.Since(p.began)))
	}
	return p.Core.Step(ev)
}

// Proposing records the first phase of a batch at its primary.
func (p *probe) Proposing(s wire.Seq) { p.reached(s, proposed) }

// PrePrepared records the first phase of a batch at a backup.
func (p *probe) PrePrepared(_ wire.View, s wire.Seq, _ wire.Digest, _ int) { p.reached(s, proposed) }

// Prepared ends the prepare phase.
func (p *probe) Prepared(_ wire.View, s wire.Seq, _ wire.Digest, _ int) { p.reached(s, prepared) }

// Executing ends the commit phase.
func (p *probe) Executing(s wire.Seq, requests, operations int) {
	p.reached(s, committed)
	p.metrics.requests.Observe(float64(requests))
	p.metrics.operations.Add(float64(operations))
}

// Executed ends the execute phase.
func (p *probe) Executed(s wire.Seq, _ int) { p.reached(s, executed) }

// responded records that a reply is about to be sent.
func (p *probe) responded(r *wire.Reply) {
	if r.Outcome.Busy() {
		p.metrics.busy.Inc()
		return
	}
	p.metrics.replies.Inc()
	p.reached(r.Seq, replied)
}

// reached records that a batch has reached a phase for the first time. The time of a phase is measured only if the phase
// before it was recorded, too. That is not always so: a batch may be executed because of its commit certificate (N7), or
// may have begun before a restart.
func (p *probe) reached(seq wire.Seq, to phase) {
	s := &p.slots[uint64(seq)%uint64(len(p.slots))]
	if seq < s.seq || seq == 0 || seq == s.seq && to <= s.phase {
		return
	}
	now := time.Since(p.began)
	if seq > s.seq {
		*s = slotTimes{seq: seq, phase: to, whole: to == proposed, proposed: now, since: now}
		return
	}
	if to == s.phase+1 {
		p.metrics.phases[to].Observe((now - s.since).Seconds())
	}
	if to == replied && s.whole {
		p.metrics.batch.Observe((now - s.proposed).Seconds())
	}
	s.phase, s.since = to, now
}

// stalled is how long ago the loop last told the core the time. Usually that happens many times a second; it takes
// longer if a turn waits for the disk. Any goroutine may call stalled.
func (p *probe) stalled() time.Duration {
	return time.Since(p.began) - time.Duration(p.ticked.Load())
}

// timedJournal measures how long turns wait for the journal.
type timedJournal struct {
	driver.Journal
	metrics *metrics
}

// Append makes one turn durable.
func (j timedJournal) Append(turn []wire.Record, anchor func() []wire.Record) error {
	began := time.Now()
	err := j.Journal.Append(turn, anchor)
	j.metrics.append.Observe(time.Since(began).Seconds())
	j.metrics.records.Add(float64(len(turn)))
	return err
}

// Later lets a turn be written in the background.
func (j timedJournal) Later(turn []wire.Record, anchor func() []wire.Record) error {
	j.metrics.records.Add(float64(len(turn)))
	return j.Journal.Later(turn, anchor)
}

// probedTransport reports replies to the probe before it sends them.
type probedTransport struct {
	driver.Transport
	probe *probe
}

// Respond sends a reply.
func (t probedTransport) Respond(reply *wire.Reply) {
	t.probe.responded(reply)
	t.Transport.Respond(reply)
}
