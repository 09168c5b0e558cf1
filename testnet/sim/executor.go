package sim

import (
	"fmt"
	"time"

	"tagma/pbft"
	"tagma/statemachine"
)

// How many batches wait in memory for their write to the store, and how long the first of them does, as in a node.
const (
	flushEvery  = 64
	flushWithin = 100 * time.Millisecond
)

// executor applies batches beside ordering, one piece of work after the other. A piece is done at once, and takes its time
// until it is told.
type executor struct {
	n         *node
	work      []pbft.Effect
	busy      bool
	result    pbft.Event // of the piece under way; nil: it is a flush
	unwritten int
	timer     uint64 // of the flush that is due
	isDue     bool
}

// take queues a piece of work.
func (x *executor) take(e pbft.Effect) {
	x.work = append(x.work, e)
	x.next()
}

// next begins the next piece.
func (x *executor) next() {
	if x.busy {
		return
	}
	switch {
	case x.unwritten >= flushEvery || x.isDue && x.unwritten > 0:
		x.flush()
	case len(x.work) > 0:
		e := x.work[0]
		x.work = x.work[:copy(x.work, x.work[1:])]
		x.begin(e)
	}
}

func (x *executor) begin(e pbft.Effect) {
	n := x.n
	took := n.w.opt.Execution
	var err error
	switch e := e.(type) {
	case pbft.Execute:
		x.result, err = n.apply(e)
		x.unwritten++
		if x.unwritten == 1 {
			x.timer++
			n.w.queue.push(event{at: n.w.now + flushWithin, kind: flushes, node: n, life: n.life, token: x.timer})
		}
	case pbft.Snapshot:
		x.result, err = n.checkpoint(e.Seq)
		x.unwritten = 0
		took += n.w.opt.Sync
	default:
		err = fmt.Errorf("%T was queued for execution, where it does not belong", e)
	}
	x.wait(took, err)
}

func (x *executor) flush() {
	x.result, x.unwritten, x.isDue = nil, 0, false
	x.wait(x.n.w.opt.Sync, x.n.service.Flush())
}

func (x *executor) wait(took time.Duration, err error) {
	if err != nil {
		x.n.die(fmt.Errorf("write to the store: %w", err))
		return
	}
	x.busy = true
	x.n.w.queue.push(event{at: x.n.w.now + took, kind: executes, node: x.n, life: x.n.life})
}

// due is the end of the time that a batch may wait to be written.
func (x *executor) due(token uint64) {
	if token == x.timer && x.unwritten > 0 {
		x.isDue = true
		x.next()
	}
}

// done tells what a piece of work came to.
func (x *executor) done() {
	n := x.n
	x.busy = false
	n.store.settle()
	if x.result != nil {
		if taken, ok := x.result.(pbft.Snapshotted); ok {
			n.durableAt(taken.Seq, taken.Digest)
		}
		n.lanes.executed = append(n.lanes.executed, x.result)
		x.result = nil
	}
	x.next()
	n.wake()
}

func (n *node) apply(e pbft.Execute) (pbft.Event, error) {
	b := statemachine.Batch{Seq: uint64(e.Seq), Time: e.Body.Time, Requests: make([]statemachine.Request, len(e.Body.Requests))}
	for i, r := range e.Body.Requests {
		b.Requests[i] = statemachine.Request{
			Client: r.ID.Client, Session: uint64(r.ID.Session), T: r.ID.T, AckedBelow: r.AckedBelow,
			Digest: r.Digest(), ReadOnly: r.ReadOnly, Ops: r.Ops,
		}
	}
	replies, err := n.service.Apply(b)
	if err != nil {
		return nil, err
	}
	done := pbft.Executed{Seq: e.Seq, Replies: make([]*pbft.Reply, len(replies))}
	for i := range replies {
		done.Replies[i] = protocolReply(&replies[i])
	}
	if m := n.observed(); m != nil {
		m.Applied(n.id, e.Seq, e.Body, done.Replies)
	}
	for _, reply := range done.Replies {
		if pbft.WholeReplier(reply.Request, n.cfg.N()) != n.id { // C5
			reply.Shorten()
		}
	}
	n.w.note(line{who: int(n.id), what: executed, a: uint64(e.Seq), words: e.Body.Digest().String()})
	return done, nil
}

func (n *node) checkpoint(seq pbft.Seq) (pbft.Event, error) {
	root, err := n.service.Checkpoint(uint64(seq))
	if err != nil {
		return nil, err
	}
	n.w.note(line{who: int(n.id), what: snapshotted, a: uint64(seq), words: pbft.Digest(root).String()})
	return pbft.Snapshotted{Seq: seq, Digest: root}, nil
}

func protocolReply(r *statemachine.Reply) *pbft.Reply {
	return &pbft.Reply{
		ID:      pbft.RequestID{Client: r.Client, Session: pbft.Session(r.Session), T: r.T},
		Request: r.Request, Outcome: pbft.Outcome(r.Outcome), Seq: pbft.Seq(r.Seq), Results: r.Results,
	}
}

// durableAt tells that a state is in the store, to stay.
func (n *node) durableAt(seq pbft.Seq, root pbft.Digest) {
	if m := n.observed(); m != nil {
		m.Root(n.id, seq, root)
	}
}
