// Package follow decides how a replica that lags asks for the batches it lacks (X0): which replica it asks, how long it
// waits for an answer, and which replicas do not hold those batches. The next question is sent as soon as an answer
// arrives, so a replica follows as fast as the answers arrive, whatever the view timeout is.
//
// It must not send anything, nor keep track of what the replica executed. It is not safe for concurrent use.
package follow

import (
	"time"

	"tagma/pbft/wire"
)

// patience divides the view timeout: if a question is not answered within timeout/patience, another replica is asked.
const patience = 8

// Question holds the one question that waits for its answer, and what the answers to earlier ones have shown.
type Question struct {
	cfg     *wire.Config
	helper  wire.ReplicaID
	from    wire.Seq // the first batch that was asked for; 0: no question was sent that waits for its answer
	next    wire.Seq // the batch after the last one of the answer; 0 until the message that ends the answer has arrived
	askedAt time.Duration

	refused   []bool // by replica: it said that it does not hold batch refusedAt
	refusedAt wire.Seq
}

// New returns a Question without a question that waits for its answer.
func New(cfg *wire.Config) Question {
	return Question{cfg: cfg, helper: cfg.Self, refused: make([]bool, cfg.N())}
}

// Out reports whether a question waits for its answer.
func (q *Question) Out() bool { return q.from > 0 }

// Drop stops waiting for the answer.
func (q *Question) Drop() { q.from = 0 }

// Begin forgets everything except which replicas refused.
func (q *Question) Begin() { *q = Question{cfg: q.cfg, refused: q.refused} }

// Refused reports whether every other replica said that it does not hold a batch.
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

// Lacks names the first batch that this replica lacks. When that changes, refusals are cleared: they were about another
// batch.
func (q *Question) Lacks(want wire.Seq) {
	if q.refusedAt != want {
		clear(q.refused)
		q.refusedAt = want
	}
}

// Ask returns the replica to ask for batch want and those after it; it returns false while it is not time for a
// question.
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

// isTime reports whether it is time for a question, and chooses another helper if the last one was slow or did not help.
func (q *Question) isTime(want wire.Seq, now time.Duration) bool {
	wait := q.cfg.ViewTimeout / patience
	waited := now - q.askedAt
	switch {
	case q.from > 0 && q.next > q.from && want >= q.next: // the whole answer came, and the helper may hold more
		if waited > wait/2 {
			q.pass()
		}
		return true
	case q.from > 0 && q.next > q.from: // the answer has ended, but batches of it are missing and may only be late
		wait /= 4
	case q.from > 0 && want > q.from: // the answer is coming in, and may take a while
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

// pass makes the next replica the helper. It skips replicas that do not hold the wanted batch, unless that is all of them.
func (q *Question) pass() {
	for range q.cfg.N() {
		q.helper = wire.ReplicaID((int(q.helper) + 1) % q.cfg.N())
		if q.helper != q.cfg.Self && (!q.refused[q.helper] || q.refusedByAll()) {
			return
		}
	}
}

// Answered handles the message that ends an answer. It returns false if this replica did not ask the sender. A helper
// that does not hold the batch is replaced at once.
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
