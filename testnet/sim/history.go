package sim

import (
	"time"

	"tagma/pbft/wire"
	"tagma/testnet/check"
	"tagma/testnet/history"
)

// Operation is one request of a client, from its first transmission until its answer.
type Operation struct {
	Client   int
	Op       *check.Op      // what the client means; nil if it sent bytes
	ID       wire.RequestID // of the last attempt; a new session gives it another one
	Invoked  time.Duration
	Returned time.Duration // meaningful if Known
	Known    bool          // f+1 replicas agree what became of it
	Outcome  wire.Outcome
	Seq      wire.Seq
	Ops      [][]byte
	ReadOnly bool
	Results  [][]byte
}

// ask sends an operation that the models know.
func (c *client) ask(op check.Op, done func(*Operation)) *Operation {
	return c.submit(&op, [][]byte{history.Encode(&op)}, history.ReadOnly(&op), done)
}

// Ask has a client ask for an operation, beside its workload.
func (w *World) Ask(client int, op check.Op) *Operation { return w.clients[client].ask(op, nil) }

// Submit has a client ask for any operations in one request, beside its workload. They are in no history that is judged.
func (w *World) Submit(client int, ops [][]byte, readOnly bool) *Operation {
	return w.clients[client].submit(nil, ops, readOnly, nil)
}

// History lists all operations of clients, in the order in which they were asked for.
func (w *World) History() []*Operation { return w.history }

// Calls are the operations that the models know, but for those that were certainly not executed. An answer that no model
// gives is a violation.
func (w *World) Calls() []check.Call {
	var calls []check.Call
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
		calls = append(calls, c)
	}
	return calls
}

// Linearizable judges the history of the run so far (I4). It gives up after a time, by the clock on the wall, and then
// says so; the run does not depend on it.
func (w *World) Linearizable(patience time.Duration) check.Result {
	result := check.Linearizable(w.Calls(), patience)
	if !result.Held {
		w.fail("I4", 0, "%s", result.Why)
	}
	return result
}
