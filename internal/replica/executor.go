package replica

import (
	"fmt"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/statemachine"
)

// How many applied batches make a write to the store due, and how long the first of them waits at most. A write of one
// batch costs as many syncs as one of many, and they compete with those of the journal.
const (
	flushEvery  = 64
	flushWithin = 100 * time.Millisecond
)

// Executor applies batches in order and has them written to the store, beside the batches that follow. It is a state
// machine for one goroutine at a time: Put, Step and what the host calls back belong to it. Service may be asked from
// any.
type Executor struct {
	Service *statemachine.Service
	// Begun and Ended, if not nil, are called when a batch is taken up and when its replies are there.
	Begun func(seq wire.Seq)
	Ended func()
	// Applied, if not nil, is called with each batch and the replies to its requests, before they are shortened.
	Applied func(e port.Execute, replies []*wire.Reply)
	// Durable, if not nil, is called with each state that became durable in the store.
	Durable func(seq wire.Seq, root wire.Digest)
	// Adopted, if not nil, is called with each state that was fetched and is the store's now.
	Adopted func(seq wire.Seq, root wire.Digest)

	cfg   *wire.Config
	host  Host
	store Store
	mover *Mover

	work       []port.Effect // what is to be done, in order
	unwritten  int           // applied batches that no write has taken
	overdue    bool          // the first of them has waited long enough
	checkpoint wire.Seq      // waits for the write under way; 0: none does
	writing    bool
	failed     error
}

// NewExecutor returns one that goes on from the state that service has loaded.
func NewExecutor(cfg *wire.Config, host Host, st Store, service *statemachine.Service) *Executor {
	x := &Executor{Service: service, cfg: cfg, host: host, store: st}
	x.mover = newMover(cfg, host, st, wire.Seq(service.Executed()))
	return x
}

// Put queues work: an Execute, Snapshot, Transfer or Resume. Of transfers in a row the last one counts. A Truncate has the
// store forget at once: the marks that a restart goes by instead are durable (K4, D5).
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
	default: // one after the other
	}
	x.work = append(x.work, work)
}

// Waiting is how much work is queued.
func (x *Executor) Waiting() int { return len(x.work) }

// Mover is the receiving side of state transfer.
func (x *Executor) Mover() *Mover { return x.mover }

// Step does the next piece of work. It reports false if there is none that can be done now. An error is one of the
// store, and final (D6).
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

// mayDo reports whether a piece of work need not wait. A checkpoint waits for the write before it, and what comes
// behind it too until its own write has begun: its state is that of its batch. A transfer waits until all that was
// applied is written.
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
	for _, reply := range done.Replies { // the digest of long results, unless this replica is to send them whole (C5)
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

// resume takes up a state that was fetched (X6). The record that says so is durable by now.
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

// Due tells that the first unwritten batch has waited long enough.
func (x *Executor) Due() { x.overdue = x.unwritten > 0 }

// write starts a write if one is due and none is under way. Batches are written together, never across a checkpoint
// (D5). Nobody waits for it but a checkpoint and a transfer.
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

// Lookup answers from the sessions (C3). It may see a batch whose Executed event has not been stepped yet: then the
// client is answered a moment earlier.
func (x *Executor) Lookup(req *wire.Request) (*wire.Reply, bool) {
	reply, done := x.Service.Lookup(req.ID.Client, uint64(req.ID.Session), req.ID.T, req.Digest())
	if !done {
		return nil, false
	}
	return protocolReply(&reply), true
}

// Attached answers an Attach of a client's link from the sessions: a hint which numbers are not expired (C1).
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
