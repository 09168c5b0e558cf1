package node

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"tagma/pbft/wire"
	"tagma/statemachine"
)

// queries answers reads of past states (C9). It works on the goroutine that reads a client's link: a link has one query
// under way, and what its client sends behind it waits, nobody else. The core never sees one.
type queries struct {
	ask    func(stop <-chan struct{}, op []byte, at uint64) ([]byte, error)
	silent func() bool   // the state contradicts a stable checkpoint: nothing is answered from it (K2)
	room   chan struct{} // a token for each query that runs
	log    *slog.Logger
}

// queriesAtOnce bounds how many reads of the past share the disk with execution.
const queriesAtOnce = 4

// queryPatience is how long one of them may take. A short operation can ask for every key of the store many times over, and
// would keep the others from their turn, and the node from its end.
const queryPatience = 10 * time.Second

func newQueries(ask func(<-chan struct{}, []byte, uint64) ([]byte, error), silent func() bool, log *slog.Logger) *queries {
	return &queries{ask: ask, silent: silent, room: make(chan struct{}, queriesAtOnce), log: log}
}

// answer waits for its turn and reads. It reports false when there is nothing to say: ctx has ended, reading took too long,
// or this replica's state or storage cannot be trusted.
func (q *queries) answer(ctx context.Context, m *wire.Query) (*wire.QueryReply, bool) {
	select {
	case q.room <- struct{}{}:
	case <-ctx.Done():
		return nil, false
	}
	defer func() { <-q.room }()
	if q.silent() {
		return nil, false
	}
	ctx, cancel := context.WithTimeout(ctx, queryPatience)
	defer cancel()
	reply := &wire.QueryReply{Nonce: m.Nonce, At: m.At}
	result, err := q.ask(ctx.Done(), m.Op, uint64(m.At))
	switch {
	case err == nil:
		reply.Outcome, reply.Result = wire.QueryAnswered, result
	case errors.Is(err, statemachine.ErrNotRetained):
		reply.Outcome = wire.QueryNotRetained
	case errors.Is(err, statemachine.ErrNotExecuted):
		reply.Outcome = wire.QueryNotExecuted
	case errors.Is(err, statemachine.ErrStopped):
		q.log.Debug("a query took too long, or the node ends", "seq", uint64(m.At))
		return nil, false
	default:
		q.log.Error("a query could not be answered", "seq", uint64(m.At), "error", err)
		return nil, false
	}
	return reply, true
}
