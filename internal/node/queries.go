package node

import (
	"context"
	"errors"
	"log/slog"

	"tagma/pbft"
	"tagma/statemachine"
)

// queries answers reads of past states (C9). It works on the goroutine that reads a client's link: a link has one query
// under way, and what its client sends behind it waits, nobody else. The core never sees one.
type queries struct {
	ask    func(op []byte, at uint64) ([]byte, error)
	silent func() bool   // the state contradicts a stable checkpoint: nothing is answered from it (K2)
	room   chan struct{} // a token for each query that runs
	log    *slog.Logger
}

// queriesAtOnce bounds how many reads of the past share the disk with execution.
const queriesAtOnce = 4

func newQueries(ask func([]byte, uint64) ([]byte, error), silent func() bool, log *slog.Logger) *queries {
	return &queries{ask: ask, silent: silent, room: make(chan struct{}, queriesAtOnce), log: log}
}

// answer waits for its turn and reads. It reports false when there is nothing to say: ctx has ended, or this replica's
// state or storage cannot be trusted.
func (q *queries) answer(ctx context.Context, m *pbft.Query) (*pbft.QueryReply, bool) {
	select {
	case q.room <- struct{}{}:
	case <-ctx.Done():
		return nil, false
	}
	defer func() { <-q.room }()
	if q.silent() {
		return nil, false
	}
	reply := &pbft.QueryReply{Nonce: m.Nonce, At: m.At}
	result, err := q.ask(m.Op, uint64(m.At))
	switch {
	case err == nil:
		reply.Outcome, reply.Result = pbft.QueryAnswered, result
	case errors.Is(err, statemachine.ErrNotRetained):
		reply.Outcome = pbft.QueryNotRetained
	case errors.Is(err, statemachine.ErrNotExecuted):
		reply.Outcome = pbft.QueryNotExecuted
	default:
		q.log.Error("a query could not be answered", "seq", uint64(m.At), "error", err)
		return nil, false
	}
	return reply, true
}
