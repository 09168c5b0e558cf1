package client

import (
	"context"

	"tagma/pbft"
)

// Result is what f+1 replicas say that a request did.
type Result struct {
	Seq     uint64   // sequence number of the batch it was executed in
	Outputs [][]byte // one for each operation, in order; a machine's own encoding
}

// Output is the first operation's output.
func (r Result) Output() []byte {
	if len(r.Outputs) == 0 {
		return nil
	}
	return r.Outputs[0]
}

// Call is one or more operations under way. Its methods may be used by several goroutines.
type Call struct {
	session *session
	kind    kind
	ops     [][]byte
	size    int // of the operations in a request
	done    chan struct{}
	result  Result // these two are written before done is closed
	err     error

	// The session's mutex guards what follows.
	parcel    *parcel       // nil while it waits in line
	entered   chan struct{} // closed when its submitter need not wait any more; nil if it does not
	alone     bool          // it goes into a request of its own
	abandoned bool          // nobody waits for it
	finished  bool          // done is closed
}

// kind is what operations of one request have in common.
type kind struct {
	readOnly  bool
	semantics Semantics
}

func newCall(s *session, ops [][]byte, o callOptions) *Call {
	return &Call{
		session: s, kind: kind(o), ops: ops, size: (&pbft.Request{Ops: ops}).Size() - requestBytes, done: make(chan struct{}),
		alone: len(ops) != 1, // nothing between its operations, and no other's results that could crowd out its own
	}
}

// Done is closed when the outcome is known, or the client was closed.
func (c *Call) Done() <-chan struct{} { return c.done }

// ID is the identity of the request that the operations went out with, which replicas log. It is zero until then.
func (c *Call) ID() pbft.RequestID {
	c.session.mu.Lock()
	defer c.session.mu.Unlock()
	return c.id()
}

func (c *Call) id() pbft.RequestID {
	if c.parcel == nil {
		return pbft.RequestID{}
	}
	return c.parcel.id
}

// finish ends the call. Only the first time counts.
func (c *Call) finish(result Result, err error) {
	if c.finished {
		return
	}
	c.finished = true
	c.result, c.err = result, err
	close(c.done)
}

// Wait returns the outcome. When ctx ends first it returns an *UnknownError, and the call stays under way: Wait may be
// called again.
func (c *Call) Wait(ctx context.Context) (Result, error) {
	select {
	case <-c.done:
		return c.result, c.err
	default:
	}
	select {
	case <-c.done:
		return c.result, c.err
	case <-ctx.Done():
		return c.session.unknown(c, ctx.Err())
	}
}
