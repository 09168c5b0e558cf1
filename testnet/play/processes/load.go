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

// load is the clients of a run, with what they have done.
type load struct {
	s        *scenario.Scenario
	show     play.Show
	sessions map[int]*client.Client // by number of the client
	makers   []worker
	gap      time.Duration // between operations of an open loop; 0: a worker submits as soon as its last operation is done
	workers  sync.WaitGroup
	cancel   context.CancelFunc
	ctx      context.Context // of operations

	mu      sync.Mutex
	changed *sync.Cond  // signalled when a worker may continue, or when the next operation is due
	timer   *time.Timer // signals changed when the next operation is due
	began   time.Time
	due     time.Duration // when an open loop's next operation is due
	over    bool
	halted  bool // clients were stopped
	more    bool // operations are needed beyond those of the workload
	flying  int
	counts  report.Operations
	acks    []play.Ack
	filled  []check.Write // the writes of fill
	history []check.Call
	extra   int               // operations that events submitted in addition to the workload
	marks   map[string]uint64 // sequence numbers of batches, by the mark that they set
}

// worker makes one operation after the other for one client.
type worker struct {
	client int
	keys   int // how many keys fill writes for it; 0: none
	next   func() check.Op
}

func newLoad(s *scenario.Scenario, show play.Show) *load {
	l := &load{s: s, show: show, sessions: make(map[int]*client.Client), marks: make(map[string]uint64)}
	l.changed = sync.NewCond(&l.mu)
	l.timer = time.AfterFunc(time.Hour, l.changed.Signal)
	l.timer.Stop()
	l.pace(s.Workload.Rate)
	return l
}

// begin starts all workers.
func (l *load) begin(ctx context.Context, began time.Time) {
	l.mu.Lock()
	l.began = began
	l.mu.Unlock()
	l.ctx, l.cancel = context.WithCancel(ctx)
	context.AfterFunc(l.ctx, func() { l.change(func() { l.over = true }) })
	for _, w := range l.makers {
		l.workers.Go(func() {
			for {
				due, ok := l.take()
				if !ok {
					return
				}
				_, _ = l.perform(l.ctx, w.client, due, w.next()) // perform counts its outcome
			}
		})
	}
}

// take waits until an operation may be submitted, and counts it as submitted. It returns when the operation was due, which
// in an open loop does not depend on earlier operations. It reports false when there are no more.
func (l *load) take() (due time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for !l.over {
		now := time.Since(l.began)
		switch {
		case l.halted || !l.wanted(now):
			l.changed.Wait()
		case l.gap > 0 && l.due > now:
			l.timer.Reset(l.due - now)
			l.changed.Wait()
		default:
			if due = now; l.gap > 0 {
				due = l.due
				l.due += l.gap
				l.timer.Reset(max(0, l.due-now)) // wakes a waiting worker
			}
			l.counts.Submitted++
			l.flying++
			return due, true
		}
	}
	return 0, false
}

// wanted reports whether there will be another operation, now or when the clients may continue.
func (l *load) wanted(now time.Duration) bool {
	w := &l.s.Workload
	within := w.Duration > 0 && now < w.Duration
	if w.Kind == scenario.KindNone {
		return within || l.more
	}
	return within || l.more || l.counts.Submitted < w.Operations+l.extra
}

// change changes what workers wait for and wakes them. In an open loop the next operation is then due at once.
func (l *load) change(how func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	how()
	if !l.began.IsZero() {
		l.due = time.Since(l.began)
	}
	l.changed.Broadcast()
}

// extend sets whether operations are needed beyond those of the workload.
func (l *load) extend(more bool) {
	if l.more != more { // read without the lock: only this goroutine changes it
		l.change(func() { l.more = more })
	}
}

// pause stops the clients, or lets them continue. Operations under way are not interrupted.
func (l *load) pause(halted bool) { l.change(func() { l.halted = halted }) }

// told returns what the clients have done.
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

// perform executes one operation, which its caller has counted as submitted. It records the outcome, and returns the
// sequence number of the operation's batch.
func (l *load) perform(ctx context.Context, number int, since time.Duration, op check.Op) (seq uint64, err error) {
	var opts []client.CallOption
	if history.ReadOnly(&op) {
		opts = append(opts, client.ReadOnly())
	}
	call := check.Call{Client: number, Op: op, Invoked: time.Since(l.began)}
	result, err := l.sessions[number].Do(ctx, history.Encode(&op), opts...)
	if err == nil {
		call.Out, err = history.Decode(&op, result.Output())
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
			return 0, err
		}
	}
	call.Returned, call.Known, call.Order = now, err == nil, result.Seq
	l.history = append(l.history, call)
	return result.Seq, err
}

// end lets the requests under way finish, at most for a while. What is still open then has an unknown outcome.
func (l *load) end(patience time.Duration) {
	l.change(func() { l.over = true })
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

// submit makes clients submit operations, each one operation.
func (l *load) submit(ops []scenario.Operation) error {
	var errs []error
	for _, o := range ops {
		if l.sessions[o.Client] == nil {
			errs = append(errs, fmt.Errorf("%v: client c%d is malicious and takes no operations", o, o.Client))
			continue
		}
		op := o.Op
		if op.Kind == check.Revert && op.To != "" {
			if op.Amount = l.markedAt(op.To); op.Amount == 0 {
				errs = append(errs, scenario.NoMark(op.To))
				continue
			}
		}
		since := l.beside()
		l.workers.Go(func() {
			if seq, err := l.perform(l.ctx, o.Client, since, op); err == nil && op.Kind == check.Put && op.To != "" {
				l.mu.Lock()
				defer l.mu.Unlock()
				l.marks[op.To] = seq
			}
		})
	}
	return errors.Join(errs...)
}

// markedAt returns the sequence number of the batch that set a mark; 0: it was not acknowledged yet.
func (l *load) markedAt(mark string) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.marks[mark]
}

// beside counts an operation as submitted in addition to the workload, and returns the present time of the load.
func (l *load) beside() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts.Submitted++
	l.extra++
	l.flying++
	return time.Since(l.began)
}

// pace changes how many operations are due in a second; 0: a worker submits as soon as its last operation is done.
func (l *load) pace(perSecond float64) {
	l.change(func() {
		if l.gap = 0; perSecond > 0 {
			l.gap = time.Duration(float64(time.Second) / perSecond)
		}
	})
}
