package client

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"tagma/pbft"
)

// What the replicas may say of a past state instead of reading it.
var (
	// ErrNotRetained says that the replicas have given up the state: they keep the last checkpoints and what follows.
	ErrNotRetained = errors.New("the state at that sequence number is not retained any more")
	// ErrNotExecuted says that the cluster has not come to the sequence number yet.
	ErrNotExecuted = errors.New("that sequence number is not executed yet")
)

// Bounds of the time after which the replicas that did not answer a query are asked again.
const (
	firstAsk = 100 * time.Millisecond
	lastAsk  = 2 * time.Second
	// catchUp is how long replicas may lag behind a sequence number before it counts as one of the future.
	catchUp = time.Second
)

// QueryAt has the machine answer an operation that modifies nothing on the state after sequence number at, and returns
// its result: what f+1 replicas say alike. Nothing is ordered. The error is ErrNotRetained or ErrNotExecuted when the
// replicas say so, and wraps the context's when too few agreed in time.
func (c *Client) QueryAt(ctx context.Context, op []byte, at uint64) ([]byte, error) {
	if pbft.Seq(at) > pbft.MaxSeq { // replicas would not read on
		return nil, ErrNotExecuted
	}
	return c.session.past.ask(ctx, op, pbft.Seq(at))
}

// queries are the questions about past states under way (C9). They share the session's links and nothing else.
type queries struct {
	n, weak int // replicas, and f+1 of them
	opBytes int
	send    transport
	stop    <-chan struct{}

	mu   sync.Mutex
	last uint64 // nonce
	open map[uint64]*query
}

// query is one question. The mutex of queries guards it until decided is closed.
type query struct {
	nonce   uint64
	at      pbft.Seq
	began   time.Time
	said    []answerAt // by replica; outcome 0: silent so far
	decided chan struct{}
	result  []byte
	err     error
}

// answerAt is what replicas must agree on. The result is kept as a hash, so that liars' large ones cost no memory.
type answerAt struct {
	outcome pbft.QueryOutcome
	result  [sha256.Size]byte
}

func newQueries(cfg *sessionConfig, stop <-chan struct{}) *queries {
	return &queries{
		n: cfg.n, weak: cfg.weak, opBytes: cfg.limits.opBytes, send: cfg.send, stop: stop, open: make(map[uint64]*query),
	}
}

func (qs *queries) ask(ctx context.Context, op []byte, at pbft.Seq) ([]byte, error) {
	if len(op) > qs.opBytes {
		return nil, fmt.Errorf("%w: the operation has %d bytes; at most %d are allowed (max_op_bytes)", ErrTooLarge, len(op), qs.opBytes)
	}
	q := qs.begin(at)
	defer qs.end(q)
	frame := pbft.Encode(&pbft.Query{Nonce: q.nonce, At: at, Op: op})
	wait := firstAsk
	for {
		for _, to := range qs.unanswered(q) {
			qs.send.Send(to, frame) // whoever is not connected is asked again
		}
		select {
		case <-q.decided:
			return q.result, q.err
		case <-time.After(wait):
			wait = min(2*wait, lastAsk)
		case <-qs.stop:
			return nil, ErrClosed
		case <-ctx.Done():
			return nil, qs.undecided(q, ctx.Err())
		}
	}
}

func (qs *queries) begin(at pbft.Seq) *query {
	qs.mu.Lock()
	defer qs.mu.Unlock()
	qs.last++
	q := &query{nonce: qs.last, at: at, began: time.Now(), said: make([]answerAt, qs.n), decided: make(chan struct{})}
	qs.open[q.nonce] = q
	return q
}

func (qs *queries) end(q *query) {
	qs.mu.Lock()
	defer qs.mu.Unlock()
	delete(qs.open, q.nonce)
}

// unanswered lists whom to ask: those who were silent, and those who may have come further since.
func (qs *queries) unanswered(q *query) (to []int) {
	qs.mu.Lock()
	defer qs.mu.Unlock()
	for i, a := range q.said {
		if a.outcome == 0 || a.outcome == pbft.QueryNotExecuted {
			to = append(to, i)
		}
	}
	return to
}

// heard takes a replica's answer: its last one counts.
func (qs *queries) heard(from int, m *pbft.QueryReply) {
	said := answerAt{outcome: m.Outcome, result: sha256.Sum256(m.Result)}
	qs.mu.Lock()
	defer qs.mu.Unlock()
	q := qs.open[m.Nonce]
	if q == nil || q.at != m.At {
		return
	}
	q.said[from] = said
	agreeing := 0
	for _, other := range q.said {
		if other == said {
			agreeing++
		}
	}
	switch {
	case m.Outcome == pbft.QueryAnswered && agreeing >= qs.weak:
		q.result = m.Result
	case m.Outcome == pbft.QueryNotRetained && agreeing >= qs.weak:
		q.err = ErrNotRetained
	case m.Outcome == pbft.QueryNotExecuted && agreeing >= qs.n-qs.weak+1 && time.Since(q.began) >= catchUp:
		q.err = ErrNotExecuted // f+1 is not enough here: the correct one of them may lag
	default:
		return
	}
	close(q.decided)
	delete(qs.open, m.Nonce)
}

// undecided is the error of a caller whose time is up.
func (qs *queries) undecided(q *query, cause error) error {
	qs.mu.Lock()
	defer qs.mu.Unlock()
	answered := 0
	for _, a := range q.said {
		if a.outcome != 0 {
			answered++
		}
	}
	return fmt.Errorf("%d of %d replicas answered, and no %d of them alike: %w", answered, qs.n, qs.weak, cause)
}
