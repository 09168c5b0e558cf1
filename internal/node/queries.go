package node

import (
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"tagma/pbft/wire"
	"tagma/statemachine"
)

// queries answers reads of past states (C9). The goroutine that reads a client's link waits for the answer. So a link
// has only one query under way, and only later messages of the same client wait for it. The core does not see queries.
type queries struct {
	ask    func(stop <-chan struct{}, op []byte, at uint64) ([]byte, error)
	silent func() bool // the state contradicts a stable checkpoint, so nothing is answered from it (K2)
	turns  turns
	rests  rests
	log    *slog.Logger
}

// Reads of past states share the disk with execution, so only few run at once. A client has at most its share of them,
// however many links it opens, so that others find room while its reads are slow.
const (
	queriesAtOnce    = 4
	queriesPerClient = 2
)

// queryPatience is how long a read may take. A short operation can read every key of the store many times over, and
// would otherwise keep others from their turns and the node from its end.
const queryPatience = 10 * time.Second

func newQueries(
	ask func(<-chan struct{}, []byte, uint64) ([]byte, error), silent func() bool, executed func() wire.Seq, log *slog.Logger,
) *queries {
	return &queries{
		ask: ask, silent: silent, turns: newTurns(queriesAtOnce, queriesPerClient), log: log,
		rests: rests{executed: executed, until: make(map[wire.PublicKey]time.Time)},
	}
}

// queryGrace is how long a query may take to notice that it must end; it checks when it next reads from the store. A
// query that takes longer counts as hanging, and nothing can end it. From then on, neither its link nor the end of the
// node waits for it, and up to a bound its place is given to other clients.
const queryGrace = time.Second

// queriesReplaced is how many hanging reads may have their places given to other reads. It is bounded because each
// hanging read occupies a processor.
const queriesReplaced = 4

// answer waits for the client's turn and then reads. It returns false if there is no answer. That is so if ctx ended
// because the client's link or the node ended, if reading took too long, or if this replica's state or storage cannot be
// trusted.
func (q *queries) answer(ctx context.Context, client wire.PublicKey, m *wire.Query) (*wire.QueryReply, bool) {
	result, err := inTurn(ctx, q, client, uint64(m.At), q.silent, func(stop <-chan struct{}) ([]byte, error) {
		return q.ask(stop, m.Op, uint64(m.At))
	})
	reply := &wire.QueryReply{Nonce: m.Nonce, At: m.At}
	switch {
	case err == nil:
		reply.Outcome, reply.Result = wire.QueryAnswered, result
	case errors.Is(err, statemachine.ErrNotRetained):
		reply.Outcome = wire.QueryNotRetained
	case errors.Is(err, statemachine.ErrNotExecuted):
		reply.Outcome = wire.QueryNotExecuted
	default:
		q.failed(err, uint64(m.At))
		return nil, false
	}
	return reply, true
}

// errNoTurn says that nothing was read: the link or the node has ended, or this replica's state cannot be trusted.
var errNoTurn = errors.New("no turn")

// failed logs why there is no answer.
func (q *queries) failed(err error, at uint64) {
	switch {
	case errors.Is(err, errNoTurn):
	case errors.Is(err, statemachine.ErrStopped):
		q.log.Debug("a query took too long, or its link or the node ends", "seq", at)
	default:
		q.log.Error("a query could not be answered", "seq", at, "error", err)
	}
}

// inTurn does a client's read of the state when it is the client's turn, unless this replica must keep silent. At is for
// the log.
func inTurn[T any](
	ctx context.Context, q *queries, client wire.PublicKey, at uint64, silent func() bool, read func(stop <-chan struct{}) (T, error),
) (out T, err error) {
	if !q.rests.wait(ctx, client) || !q.turns.take(ctx, client) {
		return out, errNoTurn
	}
	defer func(began time.Time) { q.rests.used(client, time.Since(began)) }(time.Now())
	if silent() {
		q.turns.giveBack(client)
		return out, errNoTurn
	}
	ctx, cancel := context.WithTimeout(ctx, queryPatience)
	defer cancel()
	return onItsOwn(ctx, q, client, at, read)
}

// onItsOwn runs a read on a goroutine of its own, and gives back the turn when the answer is there. It does not wait for a
// read that hangs.
func onItsOwn[T any](
	ctx context.Context, q *queries, client wire.PublicKey, at uint64, read func(stop <-chan struct{}) (T, error),
) (none T, err error) {
	type answer struct {
		result T
		err    error
	}
	done := make(chan answer, 1)
	go func() {
		result, err := read(ctx.Done())
		done <- answer{result, err}
	}()
	select {
	case a := <-done:
		q.turns.giveBack(client)
		return a.result, a.err
	case <-ctx.Done():
	}
	grace := time.NewTimer(queryGrace)
	defer grace.Stop()
	select {
	case a := <-done:
		q.turns.giveBack(client)
		return a.result, a.err
	case <-grace.C:
	}
	q.turns.hang(client)
	q.log.Error("a read of the past does not end: the application's query is an endless loop that reads nothing, or waits for something",
		"seq", at, "client", hex.EncodeToString(client[:]), "stack", string(stacksIn(queryCode)))
	go func() {
		<-done
		q.turns.recover(client)
	}()
	return none, statemachine.ErrStopped
}

// hung is the number of reads that should have ended and have not.
func (q *queries) hung() int {
	q.turns.mu.Lock()
	defer q.turns.mu.Unlock()
	return q.turns.hung
}

// Reads of past states take processor time and disk bandwidth from the execution of batches, and so from all clients:
// one client that read all the time took three quarters of the others' throughput. So after a read a client must rest
// for restTimes as long as the read took. While no batch is executed, no client has to rest.
const (
	restTimes = 3
	idle      = time.Second
)

// rests records until when each client must rest.
type rests struct {
	executed func() wire.Seq // the last executed sequence number

	mu    sync.Mutex
	until map[wire.PublicKey]time.Time // entries that are over are removed
	seen  wire.Seq                     // executed at the last check
	moved time.Time                    // when a check last found that the executed number had changed
}

// wait waits until the client has rested. It returns false if ctx ends first.
func (r *rests) wait(ctx context.Context, client wire.PublicKey) bool {
	for {
		r.mu.Lock()
		left := time.Until(r.until[client])
		if left <= 0 || !r.busy() {
			delete(r.until, client)
			r.mu.Unlock()
			return true
		}
		r.mu.Unlock()
		timer := time.NewTimer(min(left, idle)) // after that it checks again whether the client must still rest
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return false
		}
	}
}

// used notes how long a read of a client took.
func (r *rests) used(client wire.PublicKey, took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	for c, until := range r.until {
		if !until.After(now) {
			delete(r.until, c)
		}
	}
	if !r.busy() {
		return
	}
	from := now
	if until := r.until[client]; until.After(now) { // a read at the same time has already set a rest
		from = until
	}
	r.until[client] = from.Add(restTimes * took)
}

// busy reports whether a batch was executed lately. The lock must be held.
func (r *rests) busy() bool {
	if at := r.executed(); at != r.seen {
		r.seen, r.moved = at, time.Now()
	}
	return time.Since(r.moved) < idle
}

// lately is busy for a caller that does not hold the lock.
func (r *rests) lately() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.busy()
}

// turns shares a few places among clients. Waiting clients take turns, however much each of them waits for: a client that
// gives back a place goes behind all others. So a newly arrived client waits for at most one turn of each client before it.
type turns struct {
	share int // how many places one client may have

	mu     sync.Mutex
	free   int
	hung   int // hung reads; up to queriesReplaced of them have given their places to others
	held   map[wire.PublicKey]int
	queues []*turnQueue // in the order of their next turns; none of them is empty
}

// turnQueue holds the waiting reads of one client.
type turnQueue struct {
	client  wire.PublicKey
	waiting []chan struct{} // each is closed when its read has a place
}

func newTurns(places, share int) turns {
	return turns{share: share, free: places, held: make(map[wire.PublicKey]int)}
}

// take waits for a place. If ctx ends first it returns false, and holds no place.
func (t *turns) take(ctx context.Context, client wire.PublicKey) bool {
	granted := make(chan struct{})
	t.mu.Lock()
	if q := t.queue(client); q != nil {
		q.waiting = append(q.waiting, granted)
	} else {
		t.queues = append(t.queues, &turnQueue{client, []chan struct{}{granted}})
	}
	t.grant()
	t.mu.Unlock()
	select {
	case <-granted:
		return true
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case <-granted: // the place was granted at the same moment
		t.release(client)
	default:
		q := t.queue(client)
		q.waiting = slices.DeleteFunc(q.waiting, func(c chan struct{}) bool { return c == granted })
		t.queues = slices.DeleteFunc(t.queues, func(q *turnQueue) bool { return len(q.waiting) == 0 })
	}
	return false
}

// giveBack ends a turn.
func (t *turns) giveBack(client wire.PublicKey) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.release(client)
}

// release is giveBack for a caller that holds the lock.
func (t *turns) release(client wire.PublicKey) {
	t.free++
	if t.held[client]--; t.held[client] == 0 {
		delete(t.held, client)
	}
	t.grant()
}

// hang gives the place of a hanging read to others, unless too many such places were given away already. The hanging
// read still counts in its client's share.
func (t *turns) hang(client wire.PublicKey) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.hung++; t.hung <= queriesReplaced {
		t.free++
		t.grant()
	}
}

// recover ends the turn of a hanging read that has ended at last.
func (t *turns) recover(client wire.PublicKey) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.hung--; t.hung < queriesReplaced {
		t.free-- // others have its place
	}
	t.release(client)
}

// grant gives free places to the clients whose turn it is.
func (t *turns) grant() {
	for t.free > 0 {
		i := slices.IndexFunc(t.queues, func(q *turnQueue) bool { return t.held[q.client] < t.share })
		if i < 0 {
			return
		}
		q := t.queues[i]
		t.queues = slices.Delete(t.queues, i, i+1)
		t.free--
		t.held[q.client]++
		close(q.waiting[0])
		if q.waiting = q.waiting[1:]; len(q.waiting) > 0 {
			t.queues = append(t.queues, q)
		}
	}
}

// queue returns the queue of a client, or nil.
func (t *turns) queue(client wire.PublicKey) *turnQueue {
	i := slices.IndexFunc(t.queues, func(q *turnQueue) bool { return q.client == client })
	if i < 0 {
		return nil
	}
	return t.queues[i]
}
