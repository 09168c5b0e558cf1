package node

import (
	"context"
	"fmt"
	"time"

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

// flushEvery bounds how many batches wait in memory for their write to the store, and flushWithin how long the first of
// them does. A write of one batch costs as many syncs as one of many, and they compete with those of the journal.
const (
	flushEvery  = 64
	flushWithin = 100 * time.Millisecond
)

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
// waits for that write: reads see what is not written yet, and after a crash the order gives the batches again. An error
// is one of the store, and final.
func (x *executor) run(ctx context.Context) error {
	due := time.NewTimer(flushWithin)
	defer due.Stop()
	unwritten := 0
	for {
		select {
		case next := <-x.work:
			event, err := x.perform(next)
			if err != nil {
				return err
			}
			select {
			case x.done <- event:
			case <-ctx.Done():
				return nil
			}
			if _, checkpoint := next.(pbft.Snapshot); checkpoint {
				unwritten = 0 // it began by writing them
				continue
			}
			if unwritten++; unwritten == 1 {
				due.Reset(flushWithin)
			}
			if unwritten < flushEvery {
				continue
			}
		case <-due.C:
		case <-ctx.Done():
			return nil
		}
		if err := x.service.Flush(); err != nil {
			return fmt.Errorf("write to the store: %w", err)
		}
		unwritten = 0
	}
}

func (x *executor) perform(e pbft.Effect) (pbft.Event, error) {
	switch e := e.(type) {
	case pbft.Execute:
		replies, err := x.service.Apply(batch(e))
		if err != nil {
			return nil, fmt.Errorf("execute sequence number %d: %w", e.Seq, err)
		}
		done := pbft.Executed{Seq: e.Seq, Replies: make([]*pbft.Reply, len(replies))}
		for i := range replies {
			done.Replies[i] = x.firstReply(&replies[i])
		}
		return done, nil
	case pbft.Snapshot:
		root, err := x.service.Checkpoint(uint64(e.Seq))
		if err != nil {
			return nil, fmt.Errorf("take the checkpoint at %d: %w", e.Seq, err)
		}
		return pbft.Snapshotted{Seq: e.Seq, Digest: root}, nil
	default:
		return nil, fmt.Errorf("%T was queued for execution, where it does not belong", e)
	}
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
