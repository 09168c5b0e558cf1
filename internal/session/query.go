package session

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"tagma/pbft/wire"
	"tagma/statemachine"
)

// Errors that replicas may agree on instead of a result.
var (
	// ErrNotRetained says that the replicas no longer keep the state. They keep the last checkpoints and everything
	// after them.
	ErrNotRetained = statemachine.ErrNotRetained
	// ErrNotExecuted says that the cluster has not reached the sequence number yet.
	ErrNotExecuted = statemachine.ErrNotExecuted
)

// Bounds of the time after which replicas that did not answer a query are asked again.
const (
	firstAsk = 100 * time.Millisecond
	lastAsk  = 2 * time.Second
	// catchUp is how long replicas may lag behind a sequence number before the query fails with ErrNotExecuted.
	catchUp = time.Second
)

// queries are the open questions about past states (C9), in the order of their nonces. Of the session they use only its
// links.
type queries struct {
	last uint64 // the nonce given last
	open []*Query
}

// Query is one question about a past state.
type Query struct {
	nonce   uint64
	at      wire.Seq
	frame   []byte
	decided func([]byte, error)
	began   time.Duration
	again   time.Duration // when to ask again
	wait    time.Duration // how long to wait after that
	said    votes[answerAt]
}

// answerAt is what replicas must agree on. The result is kept as a hash, so that a liar's large results take no memory.
type answerAt struct {
	outcome wire.QueryOutcome
	result  [sha256.Size]byte
}

// Ask asks for an operation's result on the state after a sequence number. The function decided is called with the
// answer on which f+1 replicas agree, unless End is called first. The session calls it within its own methods, so it
// must not call the session.
func (s *Session) Ask(now time.Duration, op []byte, at wire.Seq, decided func([]byte, error)) (*Query, error) {
	s.now = now
	switch most := s.cfg.Limits.OpBytes; {
	case len(op) > most:
		return nil, fmt.Errorf("%w: the operation has %d bytes; at most %d are allowed (max_op_bytes)", ErrTooLarge, len(op), most)
	case !at.Valid(): // replicas would not read such a message any further
		return nil, ErrNotExecuted
	case s.closed:
		return nil, ErrClosed
	}
	qs := &s.queries
	qs.last++
	q := &Query{
		nonce: qs.last, at: at, frame: wire.Encode(&wire.Query{Nonce: qs.last, At: at, Op: op}), decided: decided,
		began: now, again: now, wait: firstAsk, said: make(votes[answerAt], s.cfg.Replicas),
	}
	qs.open = append(qs.open, q)
	s.askAgain()
	return q, nil
}

// wake returns when the next query must be sent again.
func (qs *queries) wake() time.Duration {
	at := never
	for _, q := range qs.open {
		at = min(at, q.again)
	}
	return at
}

// askAgain sends every due query again, to the replicas that did not answer and to those that had not executed enough.
func (s *Session) askAgain() {
	for _, q := range s.queries.open {
		if q.again > s.now {
			continue
		}
		for to, a := range q.said {
			if a.outcome == 0 || a.outcome == wire.QueryNotExecuted {
				s.cfg.Host.Send(to, q.frame) // a replica that is not connected is asked again later
			}
		}
		q.again = s.now + q.wait
		q.wait = min(2*q.wait, lastAsk)
	}
}

// heard records a replica's answer, which replaces its earlier one.
func (s *Session) heard(from int, m *wire.QueryReply, result [sha256.Size]byte) {
	i := slices.IndexFunc(s.queries.open, func(q *Query) bool { return q.nonce == m.Nonce && q.at == m.At })
	if i < 0 {
		return
	}
	q := s.queries.open[i]
	said := answerAt{outcome: m.Outcome, result: result}
	q.said[from] = said
	agreeing := q.said.count(said)
	switch {
	case m.Outcome == wire.QueryAnswered && agreeing >= s.cfg.Weak:
		s.decide(q, m.Result, nil)
	case m.Outcome == wire.QueryNotRetained && agreeing >= s.cfg.Weak:
		s.decide(q, nil, ErrNotRetained)
	case m.Outcome == wire.QueryNotExecuted && agreeing >= s.cfg.remaining() && s.now-q.began >= catchUp:
		// F+1 such answers are not enough, because the only correct replica among them may lag.
		s.decide(q, nil, ErrNotExecuted)
	default: // nothing is decided
	}
}

func (s *Session) decide(q *Query, result []byte, err error) {
	s.forget(q)
	q.decided(result, err)
}

func (s *Session) forget(q *Query) {
	s.queries.open = slices.DeleteFunc(s.queries.open, func(o *Query) bool { return o == q })
}

// End stops waiting for a query. It returns the caller's error, which says how many replicas answered and why the wait
// ended.
func (s *Session) End(q *Query, why error) error {
	s.forget(q)
	return fmt.Errorf("%d of %d replicas answered, and no %d of them alike: %w",
		s.cfg.Replicas-q.said.count(answerAt{}), s.cfg.Replicas, s.cfg.Weak, why)
}

func (s *Session) closeQueries() {
	for _, q := range s.queries.open {
		q.decided(nil, ErrClosed)
	}
	s.queries.open = nil
}
