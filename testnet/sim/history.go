package sim

import (
	"errors"
	"slices"
	"time"

	"tagma/internal/session"
	"tagma/internal/trace"
	"tagma/pbft/wire"
	"tagma/testnet/check"
	"tagma/testnet/history"
)

// Operation is one operation of a client, with its outcome once that is known.
type Operation struct {
	Client   int
	Op       *check.Op // what the client means; nil if it sent bytes
	Kind     session.Kind
	ID       wire.RequestID // the last request that carried the operation
	Requests int            // how many requests carried the operation
	Invoked  time.Duration
	Returned time.Duration // meaningful if Known
	Known    bool          // f+1 replicas agree on its outcome
	Outcome  wire.Outcome
	Seq      wire.Seq
	Ops      [][]byte
	Results  [][]byte
	Receipt  []byte // if Kind asks for one

	by   *client
	call *session.Call
	done func() // called once, then nil
	runs []execution
}

// execution is one execution of an operation. It is recorded when the first correct replica makes it.
type execution struct {
	as    wire.RequestID
	seq   wire.Seq
	order uint64 // its position among all executions, from 1
	time  int64  // the agreed time, in nanoseconds since the Unix epoch
}

// Entered implements session.Caller.
func (o *Operation) Entered() {}

// Finished implements session.Caller. If the cluster gave no answer, or the session expired, it is not known whether the
// operation was executed.
func (o *Operation) Finished(r session.Result, err error) {
	w := o.by.w
	defer o.over()
	switch {
	case err == nil, errors.As(err, new(*session.NoReceiptError)):
		o.Outcome = wire.OutcomeExecuted
	case errors.Is(err, session.ErrConflict):
		o.Outcome = wire.OutcomeConflict
	case errors.Is(err, session.ErrRefused), errors.Is(err, session.ErrNotSent), errors.Is(err, session.ErrTooLarge):
		o.Outcome = wire.OutcomeRefused
	case errors.Is(err, session.ErrExpired) && o.Kind.Semantics == session.ExactlyOnce && !w.opt.Workload.SharedKey:
		w.fail("C1", 0, "client %d is told that its session expired, and its key has no newer one: %v", o.Client, err)
		return
	default:
		return
	}
	if o.Outcome != wire.OutcomeExecuted && len(o.runs) > 0 {
		w.fail("C7", 0, "client %d is told that its operation was not executed, and it was as request %d: %v", o.Client, o.runs[0].as.T, err)
		return
	}
	o.Returned, o.Known, o.Seq, o.Results = w.now, true, wire.Seq(r.Seq), r.Outputs
	o.Receipt = r.Receipt
	o.by.load.now = max(o.by.load.now, r.Seq)
	w.counts.Acknowledged++
	w.answered = max(w.answered, o.Seq)
	w.mark('b', -1-o.Client, o.ID.T, r.Seq)
	w.own.Emit(&trace.Request{Client: o.Client, Step: trace.Answered, Number: o.ID.T, Seq: o.Seq})
}

// over ends the program's wait for an operation.
func (o *Operation) over() {
	c := o.by
	if i := slices.Index(c.waits, o); i >= 0 {
		c.waits = slices.Delete(c.waits, i, i+1)
	}
	if done := o.done; done != nil {
		o.done = nil
		done()
	}
}

// executedIn checks C7 for each batch: no operation is executed in two requests, unless it is sent at-least-once.
func (w *World) executedIn(id wire.ReplicaID, seq wire.Seq, proposed int64, replies []*wire.Reply) {
	if seq <= w.ordered {
		return
	}
	w.ordered, w.agreed = seq, max(w.agreed, proposed)
	for _, r := range replies {
		if r.Outcome != wire.OutcomeExecuted || r.Seq != seq {
			continue
		}
		for _, o := range w.carried[r.ID] {
			if len(o.runs) > 0 && o.Kind.Semantics != session.AtLeastOnce {
				first := o.runs[0].as
				w.fail("C7", id, "client %d's operation was executed as request %d of session %d, and at %d as request %d of session %d",
					o.Client, first.T, first.Session, seq, r.ID.T, r.ID.Session)
			}
			if o.Known && o.Outcome != wire.OutcomeExecuted {
				w.fail("C7", id, "client %d's operation is executed as request %d of session %d, and it was told that it is not",
					o.Client, r.ID.T, r.ID.Session)
			}
			w.executions++
			o.runs = append(o.runs, execution{r.ID, seq, w.executions, w.agreed})
		}
		delete(w.carried, r.ID)
	}
}

// ask sends an operation that the models know.
func (c *client) ask(op check.Op, s session.Semantics, done func()) *Operation {
	return c.submit(&op, [][]byte{history.Encode(&op)}, session.Kind{ReadOnly: history.ReadOnly(&op), Semantics: s}, done)
}

// Submit makes a client send any operations in one request, in addition to its workload. They are in no history that is
// judged.
func (w *World) Submit(client int, ops [][]byte, readOnly bool) *Operation {
	return w.SubmitThen(client, ops, readOnly, nil)
}

// SubmitThen does the same as Submit, and calls done when the client knows the outcome of the request.
func (w *World) SubmitThen(client int, ops [][]byte, readOnly bool, done func()) *Operation {
	return w.clients[client].submit(nil, ops, session.Kind{ReadOnly: readOnly}, done)
}

// Execution is how an operation was executed.
type Execution struct {
	Order  uint64 // its place among all executions by correct replicas, from 1
	Client wire.PublicKey
	Seq    wire.Seq
	Time   time.Time // the agreed time of its batch
}

// Execution returns how correct replicas executed the operation first, and whether any did.
func (o *Operation) Execution() (Execution, bool) {
	if len(o.runs) == 0 {
		return Execution{}, false
	}
	e := &o.runs[0]
	return Execution{e.order, e.as.Client, e.seq, time.Unix(0, e.time).UTC()}, true
}

// Executions is how often correct replicas executed the operation.
func (o *Operation) Executions() int { return len(o.runs) }

// Perform makes a client send an operation that the models know.
func (w *World) Perform(client int, op *check.Op) *Operation {
	return w.clients[client].submit(op, [][]byte{history.Encode(op)}, session.Kind{}, nil)
}

// History lists all operations of clients, in the order in which they were asked for.
func (w *World) History() []*Operation { return w.history }

// Calls returns the operations that the models know, except those that were certainly not executed, with their positions
// in the order of execution, if these are known. An answer that no machine gives is a violation. An operation with the
// semantics at-least-once is listed again, at the end, for each further request that contained it.
func (w *World) Calls() []check.Call {
	var calls, again []check.Call
	for _, o := range w.history {
		if o.Op == nil || o.Known && o.Outcome != wire.OutcomeExecuted {
			continue
		}
		c := check.Call{Client: o.Client, Op: *o.Op, Invoked: o.Invoked}
		if o.Known {
			var err error
			if c.Out, err = history.Decode(o.Op, o.Results[0]); err != nil {
				w.fail("I4", 0, "client %d was answered what no machine says: %v", o.Client, err)
			}
			c.Returned, c.Known = o.Returned, true
		}
		runs := slices.Clone(o.runs)
		if i := slices.IndexFunc(runs, func(e execution) bool { return !o.Known || e.seq == o.Seq }); i >= 0 {
			c.Order = runs[i].order
			runs = slices.Delete(runs, i, i+1)
		}
		calls = append(calls, c)
		for i := range o.Requests - 1 {
			if o.Kind.Semantics != session.AtLeastOnce {
				break
			}
			more := check.Call{Client: o.Client, Op: *o.Op, Invoked: o.Invoked}
			if i < len(runs) {
				more.Order = runs[i].order
			}
			again = append(again, more)
		}
	}
	return append(calls, again...)
}

// Linearizable judges the history of the run so far (I4). It gives up after patience in real time, and then says so; the run
// itself does not depend on that.
func (w *World) Linearizable(patience time.Duration) check.Result {
	result := check.Linearizable(w.Calls(), patience)
	if !result.Held {
		w.fail("I4", 0, "%s", result.Why)
	}
	return result
}
