// Package follow decides how a replica that lags asks for the batches it lacks (X0): whom it asks, how long it waits, and
// which replicas do not hold them. The next question leaves when an answer comes, so the view timeout plays no part.
//
// It must not know what a replica executed, or send anything. It is not safe for concurrent use.
package follow

import (
	"time"

	"tagma/pbft/wire"
)

// patience is the share of a timeout after which a question without an answer goes to another replica.
const patience = 8

// Question is the one question that is out, and what came of those before.
type Question struct {
	cfg     *wire.Config
	helper  wire.ReplicaID
	from    wire.Seq // first batch that was asked for; 0: nothing is out
	next    wire.Seq // the one after the last of the answer, once its end has come
	askedAt time.Duration

	refused   []bool // by replica: it does not hold the batch at refusedAt
	refusedAt wire.Seq
}

// New returns one of which nothing is out.
func New(cfg *wire.Config) Question {
	return Question{cfg: cfg, helper: cfg.Self, refused: make([]bool, cfg.N())}
}

// Out reports whether a question is out.
func (q *Question) Out() bool { return q.from > 0 }

// Drop gives up the question that is out.
func (q *Question) Drop() { q.from = 0 }

// Begin forgets all but who refused.
func (q *Question) Begin() { *q = Question{cfg: q.cfg, refused: q.refused} }

// Refused reports whether no other replica holds a batch.
func (q *Question) Refused(batch wire.Seq) bool { return q.refusedAt == batch && q.refusedByAll() }

func (q *Question) refusedByAll() bool {
	n := 0
	for _, r := range q.refused {
		if r {
			n++
		}
	}
	return n >= q.cfg.N()-1
}

// Lacks notes the first batch that is lacking: who refused another one may hold it.
func (q *Question) Lacks(want wire.Seq) {
	if q.refusedAt != want {
		clear(q.refused)
		q.refusedAt = want
	}
}

// Ask says whom to ask for the batch that is lacking, and what follows it; false while it is not time for a question.
func (q *Question) Ask(want wire.Seq, now time.Duration) (wire.ReplicaID, bool) {
	if !q.isTime(want, now) {
		return 0, false
	}
	if q.helper == q.cfg.Self {
		q.pass()
	}
	q.from, q.next, q.askedAt = want, 0, now
	return q.helper, true
}

// isTime reports whether it is time for a question, and turns to another helper where the last one was of no use, or slow.
func (q *Question) isTime(want wire.Seq, now time.Duration) bool {
	wait := q.cfg.ViewTimeout / patience
	waited := now - q.askedAt
	switch {
	case q.from > 0 && q.next > q.from && want >= q.next: // all of it came, and there may be more
		if waited > wait/2 {
			q.pass()
		}
		return true
	case q.from > 0 && q.next > q.from: // its end has come, and what it lacks may only be late
		wait /= 4
	case q.from > 0 && want > q.from: // it comes, and may take a while
		wait *= 4
	case q.from == 0 && !q.refusedByAll():
		wait /= 4
	}
	if waited < wait {
		return false
	}
	q.pass()
	return true
}

// pass turns to the next replica, over those that do not hold what is wanted unless none does.
func (q *Question) pass() {
	for range q.cfg.N() {
		q.helper = wire.ReplicaID((int(q.helper) + 1) % q.cfg.N())
		if q.helper != q.cfg.Self && (!q.refused[q.helper] || q.refusedByAll()) {
			return
		}
	}
}

// Answered takes the end of an answer; false if nobody was asked for it. Whoever does not hold the batch is passed over at
// once.
func (q *Question) Answered(m *wire.Slots, from wire.ReplicaID, now time.Duration) bool {
	if q.from == 0 || m.From != q.from || from != q.helper || q.next > 0 {
		return false
	}
	if m.Next > m.From {
		q.next = m.Next
		return true
	}
	if q.from = 0; q.refusedAt == m.From {
		q.refused[from] = true
	}
	if !q.refusedByAll() {
		q.askedAt = now - q.cfg.ViewTimeout
	}
	return true
}
