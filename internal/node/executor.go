package node

import (
	"context"
	"fmt"

	"tagma/pbft"
	"tagma/statemachine"
)

// executor applies batches on a goroutine of its own, beside ordering and never ahead of it. It is the driver's Machine.
type executor struct {
	service *statemachine.Service
	storage statemachine.Storage
	self    pbft.ReplicaID
	n       int
	work    chan pbft.Effect // Execute and Snapshot in order; holds a window, so that the driver never waits
	done    chan<- pbft.Event
}

func newExecutor(cfg *pbft.Config, service *statemachine.Service, storage statemachine.Storage, done chan<- pbft.Event) *executor {
	room := int(cfg.LogWindow + cfg.LogWindow/cfg.CheckpointInterval + 1)
	return &executor{
		service: service, storage: storage, self: cfg.Self, n: cfg.N(), work: make(chan pbft.Effect, room), done: done,
	}
}

// Execute queues a batch.
func (x *executor) Execute(seq pbft.Seq, body *pbft.Body) {
	x.work <- pbft.Execute{Seq: seq, Body: body}
}

// Snapshot queues a checkpoint behind the batches before it.
func (x *executor) Snapshot(seq pbft.Seq) { x.work <- pbft.Snapshot{Seq: seq} }

// Discard lets the store forget.
func (x *executor) Discard(seq pbft.Seq) { x.storage.Discard(uint64(seq)) }

// Lookup answers from the sessions (C3). It may see a batch whose Executed event has not been stepped yet: then the
// client is answered a moment earlier.
func (x *executor) Lookup(req *pbft.Request) (*pbft.Reply, bool) {
	reply, done := x.service.Lookup(req.ID.Client, uint64(req.ID.Session), req.ID.T, req.Digest())
	if !done {
		return nil, false
	}
	return protocolReply(&reply), true
}

// run applies what is queued until the context ends. Batches are written to the store when enough have gathered or the
// first of them has waited long enough, so that one synced write serves many; never across a checkpoint (D5). Nobody
// waits for that write, which runs beside the batches that follow: reads see what is not written yet, and after a crash the
// order gives the batches again. An error is one of the store, and final.
func (x *executor) run(ctx context.Context) error {
	w := newWriter(x.service)
	defer w.stop(ctx)
	for {
		// A checkpoint waits here for the write before it, and what comes behind it too: its state is that of its batch.
		work := x.work
		if w.checkpoint != 0 {
			work = nil
		}
		var event pbft.Event
		select {
		case next := <-work:
			if s, ok := next.(pbft.Snapshot); ok {
				w.checkpoint = s.Seq
				break
			}
			var err error
			if event, err = x.execute(next); err != nil {
				return err
			}
			w.applied()
		case <-w.due.C:
			w.overdue = true
		case result := <-w.results:
			var err error
			if event, err = w.settle(result); err != nil {
				return err
			}
		case <-ctx.Done():
			return nil
		}
		w.begin()
		if event == nil {
			continue
		}
		select {
		case x.done <- event:
		case <-ctx.Done():
			return nil
		}
	}
}

func (x *executor) execute(next pbft.Effect) (pbft.Event, error) {
	e, ok := next.(pbft.Execute)
	if !ok {
		return nil, fmt.Errorf("%T was queued for execution, where it does not belong", next)
	}
	replies, err := x.service.Apply(batch(e))
	if err != nil {
		return nil, fmt.Errorf("execute sequence number %d: %w", e.Seq, err)
	}
	done := pbft.Executed{Seq: e.Seq, Replies: make([]*pbft.Reply, len(replies))}
	for i := range replies {
		done.Replies[i] = x.firstReply(&replies[i])
	}
	return done, nil
}

func batch(e pbft.Execute) statemachine.Batch {
	b := statemachine.Batch{Seq: uint64(e.Seq), Time: e.Body.Time, Requests: make([]statemachine.Request, len(e.Body.Requests))}
	for i, r := range e.Body.Requests {
		b.Requests[i] = statemachine.Request{
			Client: r.ID.Client, Session: uint64(r.ID.Session), T: r.ID.T, AckedBelow: r.AckedBelow,
			Digest: r.Digest(), ReadOnly: r.ReadOnly, Ops: r.Ops,
		}
	}
	return b
}

// firstReply is the reply to a request that was just executed: the digest of long results unless this replica is the one
// to send them whole. Who asks again is answered by Lookup, and always whole (C5).
func (x *executor) firstReply(r *statemachine.Reply) *pbft.Reply {
	reply := protocolReply(r)
	if pbft.WholeReplier(reply.Request, x.n) != x.self {
		reply.Shorten()
	}
	return reply
}

func protocolReply(r *statemachine.Reply) *pbft.Reply {
	return &pbft.Reply{
		ID:      pbft.RequestID{Client: r.Client, Session: pbft.Session(r.Session), T: r.T},
		Request: r.Request, Outcome: pbft.Outcome(r.Outcome), Seq: pbft.Seq(r.Seq), Results: r.Results,
	}
}
