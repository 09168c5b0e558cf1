package processes

import (
	"context"
	"errors"
	"sync"
	"time"

	"tagma/client"
	"tagma/testnet/check"
	"tagma/testnet/history"
	"tagma/testnet/observe"
	"tagma/testnet/report"
	"tagma/testnet/scenario"
)

// load is the clients of a run and what they have seen.
type load struct {
	s        *scenario.Scenario
	sessions map[int]*client.Client // by number of the client
	makers   []worker
	tokens   chan time.Duration // when an operation is due; nil: as soon as the one before is done
	workers  sync.WaitGroup
	cancel   context.CancelFunc
	ctx      context.Context // of operations

	mu       sync.Mutex
	changed  chan struct{} // closed and replaced when something below may let a worker go on
	began    time.Time
	over     bool
	halted   bool // clients were stopped
	more     bool // operations are wanted beyond those of the workload
	flying   int
	counts   report.Operations
	acks     []observe.Ack
	writes   []check.Write
	history  []check.Call
	failed   error // the first operation that failed
	lastAck  time.Duration
	goal     int // operations of the workload
	extra    int // that events submitted beside it
	duration time.Duration
}

// worker makes one operation after the other for one client.
type worker struct {
	client int
	next   func() task
}

// task is one operation, and the write that can be read back by its key, if it is one.
type task struct {
	op    check.Op
	write *check.Write
}

// begin starts all workers.
func (l *load) begin(ctx context.Context, began time.Time) {
	l.mu.Lock()
	l.began = began
	l.mu.Unlock()
	l.ctx, l.cancel = context.WithCancel(ctx)
	if l.s.Workload.Rate > 0 && len(l.makers) > 0 {
		l.tokens = make(chan time.Duration, 1<<16)
		l.workers.Go(l.pace)
	}
	for _, w := range l.makers {
		l.workers.Go(func() { l.work(w) })
	}
}

// pace says when operations of an open loop are due, whether or not those before are done.
func (l *load) pace() {
	gap := time.Duration(float64(time.Second) / l.s.Workload.Rate)
	ticker := time.NewTicker(max(gap, time.Millisecond))
	defer ticker.Stop()
	for due := time.Duration(0); ; {
		if !l.allowed() {
			return
		}
		now := time.Since(l.began)
		due = max(due, now-time.Second) // the clients were stopped: nothing was due meanwhile
		for ; due <= now; due += gap {
			select {
			case l.tokens <- due:
			default: // nobody has had time for the last 65,536
			}
		}
		select {
		case <-ticker.C:
		case <-l.ctx.Done():
			return
		}
	}
}

// allowed waits until an operation may be submitted, and reports whether one ever may again.
func (l *load) allowed() bool {
	for {
		l.mu.Lock()
		due := l.goal > 0 && l.counts.Submitted < l.goal+l.extra || l.duration > 0 && time.Since(l.began) < l.duration
		switch {
		case l.over:
			l.mu.Unlock()
			return false
		case !l.halted && (due || l.more):
			l.mu.Unlock()
			return true
		}
		changed := l.changed
		l.mu.Unlock()
		select {
		case <-changed:
		case <-l.ctx.Done():
			return false
		}
	}
}

// take is allowed, and counts the operation as submitted at once, so that there are not more than are wanted.
func (l *load) take() (since time.Duration, ok bool) {
	if !l.allowed() {
		return 0, false
	}
	due := time.Duration(-1)
	if l.tokens != nil {
		select {
		case due = <-l.tokens:
		case <-l.ctx.Done():
			return 0, false
		case <-l.ended():
			return 0, false
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return 0, false
	}
	if l.goal > 0 && l.counts.Submitted >= l.goal+l.extra && !l.more {
		return -1, true
	}
	l.counts.Submitted++
	l.flying++
	if now := time.Since(l.began); due < 0 {
		due = now
	}
	return due, true
}

// ended is closed when something changes that may be the end.
func (l *load) ended() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changed
}

func (l *load) work(w worker) {
	for {
		since, ok := l.take()
		switch {
		case !ok:
			if l.isOver() {
				return
			}
		case since < 0: // the last one was taken by another worker
		default:
			l.perform(w.client, since, w.next())
		}
	}
}

func (l *load) isOver() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.over || l.ctx.Err() != nil
}

// perform has one operation executed and notes what came of it. It counts as submitted already.
func (l *load) perform(number int, since time.Duration, t task) {
	var opts []client.CallOption
	if history.ReadOnly(&t.op) {
		opts = append(opts, client.ReadOnly())
	}
	call := check.Call{Client: number, Op: t.op, Invoked: time.Since(l.began)}
	result, err := l.sessions[number].Do(l.ctx, history.Encode(&t.op), opts...)
	if err == nil {
		call.Out, err = history.Decode(&t.op, result.Output())
	}
	l.note(since, t, call, err)
}

func (l *load) note(since time.Duration, t task, call check.Call, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Since(l.began)
	l.flying--
	switch {
	case err == nil:
		l.counts.Acknowledged++
		l.acks = append(l.acks, observe.Ack{At: now, Took: now - since})
		l.lastAck = now
	case errors.Is(err, client.ErrUnknown):
		l.counts.Unknown++
	default:
		l.counts.Failed++
		if l.failed == nil {
			l.failed = err
		}
		if errors.Is(err, client.ErrNotSent) || errors.Is(err, client.ErrTooLarge) {
			return
		}
	}
	if t.write != nil {
		t.write.Acknowledged = err == nil
		l.writes = append(l.writes, *t.write)
	}
	call.Returned, call.Known = now, err == nil
	l.history = append(l.history, call)
}
