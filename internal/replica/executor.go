package replica

import (
	"fmt"
	"sync/atomic"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/statemachine"
)

// A write to the store is due when flushEvery batches are applied and not written, or when the first of them has waited
// for flushWithin. Writing one batch costs as many syncs as writing many, and these syncs compete with those of the
// journal.
const (
	flushEvery  = 64
	flushWithin = 100 * time.Millisecond
)

// Executor applies batches in order, and has them written to the store while the next batches are applied. Only one
// goroutine at a time may use it: it calls Put and Step, and the host calls back on it. Service may be used from any
// goroutine.
type Executor struct {
	Service *statemachine.Service
	// Begun and Ended, if not nil, are called when the execution of a batch begins, and when it has ended.
	Begun func(seq wire.Seq)
	Ended func()
	// Applied, if not nil, is called with each batch and the replies to its requests, before results are shortened to
	// digests.
	Applied func(e port.Execute, replies []*wire.Reply)
	// Durable, if not nil, is called with each state that became durable in the store.
	Durable func(seq wire.Seq, root wire.Digest)
	// Adopted, if not nil, is called with each fetched state that became the store's.
	Adopted func(seq wire.Seq, root wire.Digest)

	cfg   *wire.Config
	host  Host
	store Store
	mover *Mover

	stable atomic.Pointer[wire.StableCert] // the newest checkpoint that is stable, and durable here; nil: none yet

	work       []port.Effect // queued work, in order
	unwritten  int           // applied batches that are not part of a write yet
	overdue    bool          // the first of these batches has waited for long enough
	checkpoint wire.Seq      // the checkpoint that waits for the present write; 0: none
	writing    bool
	failed     error
}

// NewExecutor returns an Executor that continues from the state that service has loaded.
func NewExecutor(cfg *wire.Config, host Host, st Store, service *statemachine.Service) *Executor {
	x := &Executor{Service: service, cfg: cfg, host: host, store: st}
	x.mover = newMover(cfg, host, st, wire.Seq(service.Executed()))
	return x
}

// Put queues work: an Execute, Snapshot, Transfer or Resume. Of several transfers in a row only the last one counts. A
// Truncate is not queued: the store may discard at once, because newer marks, on which a restart relies, are
// already durable (K4, D5).
func (x *Executor) Put(work port.Effect) {
	switch e := work.(type) {
	case port.Truncate:
		x.store.Discard(uint64(e.Discard))
		return
	case port.Transfer:
		if len(x.work) == 0 {
			break
		}
		if last, again := x.work[len(x.work)-1].(port.Transfer); again {
			e.Doubt = e.Doubt || last.Doubt
			x.work[len(x.work)-1] = e
			return
		}
	default: // everything else is done in order
	}
	x.work = append(x.work, work)
}

// Waiting is how many pieces of work are queued.
func (x *Executor) Waiting() int { return len(x.work) }

// Mover returns the receiving side of state transfer.
func (x *Executor) Mover() *Mover { return x.mover }

// Step does the next piece of work. It returns false if nothing can be done now. An error comes from the store and is
// final (D6).
func (x *Executor) Step() (bool, error) {
	if x.failed == nil {
		x.failed = x.mover.failed
	}
	if x.failed != nil {
		return false, x.failed
	}
	x.write()
	if len(x.work) == 0 || !x.mayDo(x.work[0]) {
		return false, nil
	}
	work := x.work[0]
	x.work[0] = nil
	x.work = x.work[1:]
	x.failed = x.do(work)
	x.write()
	return x.failed == nil, x.failed
}

// mayDo reports whether a piece of work can be done now. A checkpoint waits for the write before it, and all later work
// waits until the checkpoint's own write has begun, so that the checkpoint is of the state right after its batch. A
// transfer waits until everything that was applied is written.
func (x *Executor) mayDo(work port.Effect) bool {
	if x.checkpoint != 0 {
		return false
	}
	if _, is := work.(port.Transfer); is {
		return !x.writing && x.unwritten == 0
	}
	return true
}

func (x *Executor) do(work port.Effect) error {
	switch e := work.(type) {
	case port.Execute:
		return x.execute(e)
	case port.Snapshot:
		x.checkpoint = e.Seq
		return nil
	case port.Transfer:
		return x.mover.want(e, wire.Seq(x.Service.Executed()))
	case port.Resume:
		return x.resume(e.Seq)
	default:
		return fmt.Errorf("%T was queued for execution, where it does not belong", work)
	}
}

func (x *Executor) execute(e port.Execute) error {
	if x.Begun != nil {
		x.Begun(e.Seq)
	}
	began := x.host.Now()
	replies, err := x.Service.Apply(batch(e))
	if x.Ended != nil {
		x.Ended()
	}
	if err != nil {
		return fmt.Errorf("execute sequence number %d: %w", e.Seq, err)
	}
	done := port.Executed{
		Seq: e.Seq, Replies: make([]*wire.Reply, len(replies)), Costs: make([]uint64, len(replies)), Took: x.host.Now() - began,
	}
	for i := range replies {
		done.Replies[i], done.Costs[i] = protocolReply(&replies[i]), replies[i].Cost
	}
	if x.Applied != nil {
		x.Applied(e, done.Replies)
	}
	for _, reply := range done.Replies { // results become digests, unless this replica is the one that sends them whole (C5)
		if wire.WholeReplier(reply.Request, x.cfg.N()) != x.cfg.Self {
			reply.Shorten()
		}
	}
	if x.unwritten++; x.unwritten == 1 {
		x.overdue = false
		x.host.FlushAfter(flushWithin)
	}
	x.host.Report(done)
	return nil
}

// resume continues from a fetched state (X6). When it is called, the record of the switch is durable.
func (x *Executor) resume(seq wire.Seq) error {
	root, err := x.mover.Adopt(seq)
	if err != nil {
		return err
	}
	if err := x.Service.Load(uint64(seq)); err != nil {
		return err
	}
	if x.Adopted != nil {
		x.Adopted(seq, root)
	}
	return nil
}

// Due says that flushWithin has passed since the first unwritten batch was applied.
func (x *Executor) Due() { x.overdue = x.unwritten > 0 }

// write starts a write if one is due and none is running. It writes several batches together, but never across a
// checkpoint (D5). Only a checkpoint and a transfer wait for it.
func (x *Executor) write() {
	if x.writing || x.failed != nil {
		return
	}
	transfers := false
	if len(x.work) > 0 {
		_, transfers = x.work[0].(port.Transfer)
	}
	if x.checkpoint == 0 && x.unwritten < flushEvery && !(x.unwritten > 0 && (x.overdue || transfers)) {
		return
	}
	group, seq := x.Service.Seal(), x.checkpoint
	x.checkpoint, x.unwritten, x.overdue, x.writing = 0, 0, false, true
	x.host.Beside(func() func() {
		var root [32]byte
		var err error
		if seq != 0 {
			root, err = group.Checkpoint()
		} else {
			err = group.Write()
		}
		return func() { x.settle(seq, root, err) }
	})
}

// settle takes the result of a write.
func (x *Executor) settle(seq wire.Seq, root wire.Digest, err error) {
	x.writing = false
	if err := x.Service.Settle(err); err != nil {
		if x.failed == nil {
			x.failed = fmt.Errorf("write to the store: %w", err)
		}
		return
	}
	if seq == 0 {
		return
	}
	if x.Durable != nil {
		x.Durable(seq, root)
	}
	x.host.Report(port.Snapshotted{Seq: seq, Digest: root})
}

// Lookup answers a request from the sessions (C3). It may see a batch whose Executed event the core has not processed
// yet; the client then is answered a moment earlier.
func (x *Executor) Lookup(req *wire.Request) (*wire.Reply, bool) {
	reply, done := x.Service.Lookup(req.ID.Client, uint64(req.ID.Session), req.ID.T, req.Digest())
	if !done {
		return nil, false
	}
	return protocolReply(&reply), true
}

// Attached answers a client's Attach from the sessions, with a hint about which session numbers have not expired (C1).
func (x *Executor) Attached(client wire.PublicKey, m *wire.Attach) *wire.Attached {
	highest, floor := x.Service.Sessions(client)
	return &wire.Attached{Session: m.Session, Highest: wire.Session(highest), Floor: wire.Session(floor)}
}

func batch(e port.Execute) statemachine.Batch {
	b := statemachine.Batch{Seq: uint64(e.Seq), Time: e.Body.Time, Requests: make([]statemachine.Request, len(e.Body.Requests))}
	for i, r := range e.Body.Requests {
		b.Requests[i] = statemachine.Request{
			Client: r.ID.Client, Session: uint64(r.ID.Session), T: r.ID.T, AckedBelow: r.AckedBelow,
			Digest: r.Digest(), ReadOnly: r.ReadOnly, Ops: r.Ops,
		}
	}
	return b
}

func protocolReply(r *statemachine.Reply) *wire.Reply {
	return &wire.Reply{
		ID:      wire.RequestID{Client: r.Client, Session: wire.Session(r.Session), T: r.T},
		Request: r.Request, Outcome: wire.Outcome(r.Outcome), Seq: wire.Seq(r.Seq), Results: r.Results,
	}
}
