package processes

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"tagma/client"
	"tagma/testnet/check"
	"tagma/testnet/history"
	"tagma/testnet/play"
	"tagma/testnet/report"
	"tagma/testnet/scenario"
)

// load is the clients of a run and what they have seen.
type load struct {
	s        *scenario.Scenario
	sessions map[int]*client.Client // by number of the client
	makers   []worker
	gap      time.Duration // between operations of an open loop; 0: one follows as soon as the one before is done
	workers  sync.WaitGroup
	cancel   context.CancelFunc
	ctx      context.Context // of operations

	mu      sync.Mutex
	changed chan struct{} // closed and replaced when something below may let a worker go on
	began   time.Time
	due     time.Duration // of an open loop: the next operation
	over    bool
	halted  bool // clients were stopped
	more    bool // operations are wanted beyond those of the workload
	flying  int
	counts  report.Operations
	acks    []play.Ack
	writes  []check.Write
	history []check.Call
	extra   int // operations that events submitted beside the workload
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
	for _, w := range l.makers {
		l.workers.Go(func() {
			for {
				due, ok := l.take()
				if !ok {
					return
				}
				l.perform(w.client, due, w.next())
			}
		})
	}
}

// take waits until an operation may be submitted, and counts it as such. It returns when the operation was due: in an open
// loop that is whether or not those before are done. It reports false when there are no more.
func (l *load) take() (due time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	waited := false // for due
	for !l.over && l.ctx.Err() == nil {
		now := time.Since(l.began)
		switch {
		case l.halted || !l.wanted(now):
			waited = false
			l.wait(0)
		case l.gap > 0 && !waited:
			due = l.due
			l.due += l.gap
			waited = due <= now || !l.wait(due-now)
		default:
			if l.gap == 0 {
				due = now
			}
			l.counts.Submitted++
			l.flying++
			return due, true
		}
	}
	return 0, false
}

// wanted reports whether there is to be another operation, now or when the clients may go on.
func (l *load) wanted(now time.Duration) bool {
	w := &l.s.Workload
	within := w.Duration > 0 && now < w.Duration
	if w.Kind == scenario.KindNone {
		return within || l.more
	}
	return within || l.more || l.counts.Submitted < w.Operations+l.extra
}

// wait lets go of the mutex until something changes, which it reports, or for at most a while; 0 is without end.
func (l *load) wait(most time.Duration) (changed bool) {
	change := l.changed
	l.mu.Unlock()
	defer l.mu.Lock()
	var over <-chan time.Time
	if most > 0 {
		over = time.After(most)
	}
	select {
	case <-change:
		return true
	case <-over:
		return false
	case <-l.ctx.Done():
		return true
	}
}

// change lets workers look again whether they may go on. Nothing was due meanwhile, and who waited for his turn in an open
// loop takes another one. The mutex is held.
func (l *load) change() {
	close(l.changed)
	l.changed = make(chan struct{})
	if !l.began.IsZero() {
		l.due = time.Since(l.began)
	}
}

// extend says whether operations are wanted beyond those of the workload.
func (l *load) extend(more bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.more != more {
		l.more = more
		l.change()
	}
}

// pause stops the clients, or lets them go on. What is under way stays so.
func (l *load) pause(halted bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.halted = halted
	l.change()
}

// told is what the clients have done.
func (l *load) told() play.Work {
	l.mu.Lock()
	defer l.mu.Unlock()
	c, w := l.counts, &l.s.Workload
	goal := w.Operations
	if w.Kind == scenario.KindNone {
		goal = 0
	}
	return play.Work{
		Operations: c, Acks: l.acks, Flying: l.flying, Stopped: l.halted,
		Made: c.Acknowledged+c.Failed+c.Unknown >= goal+l.extra && time.Since(l.began) >= w.Duration,
	}
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
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Since(l.began)
	l.flying--
	switch {
	case err == nil:
		l.counts.Acknowledged++
		l.acks = append(l.acks, play.Ack{At: now, Took: now - since})
	case errors.Is(err, client.ErrUnknown):
		l.counts.Unknown++
	default:
		l.counts.Failed++
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

// end lets the requests under way finish, at most for a while. What is still open then has an unknown outcome.
func (l *load) end(patience time.Duration) {
	l.mu.Lock()
	l.over = true
	l.change()
	l.mu.Unlock()
	timer := time.AfterFunc(patience, l.cancel)
	l.workers.Wait()
	timer.Stop()
	l.cancel()
}

// close ends the sessions.
func (l *load) close() {
	if l.cancel != nil {
		l.cancel()
	}
	l.workers.Wait()
	for _, c := range l.sessions {
		_ = c.Close() // their requests are counted already
	}
}

// submit has clients submit operations, each on its own.
func (l *load) submit(ops []scenario.Operation) error {
	var errs []error
	for _, o := range ops {
		if l.sessions[o.Client] == nil {
			errs = append(errs, fmt.Errorf("%v: client c%d is malicious and takes no operations", o, o.Client))
			continue
		}
		l.mu.Lock()
		l.counts.Submitted++
		l.extra++
		l.flying++
		since := time.Since(l.began)
		l.mu.Unlock()
		l.workers.Go(func() { l.perform(o.Client, since, task{op: o.Op}) })
	}
	return errors.Join(errs...)
}
