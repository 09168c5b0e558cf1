package node

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"tagma/internal/replica"
	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/statemachine"
)

// machine runs a replica's executor, including the receiving side of state transfer, on a goroutine of its own,
// concurrently with ordering. It is the driver's Machine and the executor's Host.
type machine struct {
	executor *replica.Executor
	giver    *giver
	timeout  time.Duration
	now      func() time.Duration
	send     func(to wire.ReplicaID, m wire.Message)
	done     chan<- port.Event // to the loop
	data     *mailbox          // from donors, for the mover
	log      *transferLog
	told     func() // told after each batch; may be nil
	progress atomic.Pointer[replica.Progress]
	doing    atomic.Pointer[batchUnderWay] // nil between two batches

	mu     sync.Mutex
	queue  []port.Effect // work that the executor has not taken yet; the core is at most a window ahead
	queued chan struct{}

	// The following fields are used only by the executor's goroutine.
	ctx     context.Context
	flush   *time.Timer
	settled chan func() // results of jobs that ran on other goroutines; at most one write and one load are running
	beside  int
	ticker  *time.Ticker // runs during a transfer
}

// How many messages of one donor may wait for the mover, and how many bytes. An answer may have 2 MiB, and the mover
// asks for several at a time.
const (
	dataLetters = 256
	dataBytes   = 16 << 20
)

func newMachine(cfg *wire.Config, st replica.Store, service *statemachine.Service, done chan<- port.Event,
	counts *metrics,
) *machine {
	m := &machine{
		timeout: cfg.ViewTimeout, done: done,
		data: newMailbox(cfg.N(), dataLetters, dataBytes, counts.lostData), queued: make(chan struct{}, 1),
		ctx: context.Background(), flush: time.NewTimer(time.Hour), settled: make(chan func(), 4),
	}
	m.flush.Stop()
	m.executor = replica.NewExecutor(cfg, m, st, service)
	m.executor.Begun = func(seq wire.Seq) { m.doing.Store(&batchUnderWay{seq, time.Now()}) }
	m.executor.Ended = func() {
		m.doing.Store(nil)
		if m.told != nil {
			m.told()
		}
	}
	m.publish()
	return m
}

// Do puts work into a queue and never blocks. Offers go to the donor, which has a goroutine of its own.
func (m *machine) Do(work port.Effect) {
	if offer, is := work.(port.Offer); is {
		m.giver.offer(offer.Cert)
		m.executor.Offer(offer.Cert)
		return
	}
	m.mu.Lock()
	m.queue = append(m.queue, work)
	m.mu.Unlock()
	select {
	case m.queued <- struct{}{}:
	default:
	}
}

// Lookup answers a request from the sessions (C3).
func (m *machine) Lookup(req *wire.Request) (*wire.Reply, bool) { return m.executor.Lookup(req) }

// Beside runs a job on another goroutine. The job returns a function, which then runs on the executor's goroutine.
func (m *machine) Beside(job func() (done func())) {
	m.beside++
	go func() { m.settled <- job() }()
}

// FlushAfter sets the timer of the next write.
func (m *machine) FlushAfter(d time.Duration) { m.flush.Reset(d) }

// Now is the time since the node started.
func (m *machine) Now() time.Duration { return m.now() }

// Report gives an event to the loop. It waits until the loop takes the event, or until the context ends.
func (m *machine) Report(ev port.Event) {
	select {
	case m.done <- ev:
	case <-m.ctx.Done():
	}
}

// Send sends a message to another replica.
func (m *machine) Send(to wire.ReplicaID, msg wire.Message) { m.send(to, msg) }

// waiting returns how much work is in the queue.
func (m *machine) waiting() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.queue)
}

// run works until the context ends. It returns an error if the store fails; that is final.
func (m *machine) run(ctx context.Context) error {
	m.ctx = ctx
	defer m.end(ctx)
	for ctx.Err() == nil {
		m.takeWork()
		did, err := m.executor.Step()
		if err != nil {
			return err
		}
		m.watch()
		if did {
			m.settleOne()
			continue
		}
		m.wait(ctx)
	}
	return nil
}

func (m *machine) takeWork() {
	m.mu.Lock()
	work := m.queue
	m.queue = nil
	m.mu.Unlock()
	for _, w := range work {
		m.executor.Put(w)
	}
}

// settleOne finishes one job that ran on another goroutine, or notes that a write is due. It runs between two batches.
func (m *machine) settleOne() {
	select {
	case done := <-m.settled:
		m.beside--
		done()
	case <-m.flush.C:
		m.executor.Due()
	default:
	}
}

// wait waits for the next thing to do.
func (m *machine) wait(ctx context.Context) {
	var ticks <-chan time.Time
	if m.ticker != nil {
		ticks = m.ticker.C
	}
	select {
	case <-m.queued:
	case done := <-m.settled:
		m.beside--
		done()
	case <-m.flush.C:
		m.executor.Due()
	case <-m.data.ready:
		m.takeData()
	case <-ticks:
		m.executor.Mover().Tick(m.now())
	case <-ctx.Done():
	}
}

func (m *machine) takeData() {
	for _, l := range m.data.take() {
		m.executor.Mover().Data(l.from, l.msg, m.now())
	}
}

// watch ticks while a transfer is running, and logs its progress.
func (m *machine) watch() {
	active := m.executor.Mover().Active()
	switch {
	case active && m.ticker == nil:
		m.ticker = time.NewTicker(max(m.timeout/16, time.Millisecond))
	case !active && m.ticker != nil:
		m.ticker.Stop()
		m.ticker = nil
	case !active:
		return
	}
	m.publish()
}

func (m *machine) publish() {
	p := m.executor.Mover().Progress()
	m.progress.Store(&p)
	if m.log != nil {
		m.log.see(&p, m.now())
	}
}

// end waits for the jobs on other goroutines. If the replica stops because something failed, it does not wait long: the
// disk may be gone, and the process must end (D6).
func (m *machine) end(ctx context.Context) {
	m.flush.Stop()
	if m.ticker != nil {
		m.ticker.Stop()
	}
	var late <-chan time.Time
	if hasFailed(ctx) {
		late = time.After(closePatience)
	}
	for m.beside > 0 {
		select {
		case done := <-m.settled:
			m.beside--
			done() // if the job failed, the next write fails, too
		case <-late:
			return
		}
	}
	m.executor.Mover().Close()
}

// hasFailed reports whether a context ended because something failed, and not because the replica was told to stop.
func hasFailed(ctx context.Context) bool {
	why := context.Cause(ctx)
	return !errors.Is(why, context.Canceled) && !errors.Is(why, context.DeadlineExceeded) && !errors.As(why, new(*forgotten))
}
