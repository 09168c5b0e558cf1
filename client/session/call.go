package session

import (
	"fmt"

	"tagma/pbft/wire"
	"tagma/statemachine"
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

// Err is why operation i did not do what was asked for, nil if the machine says nothing of that kind: a
// *statemachine.Refusal of the application, or an error of package statemachine for one that panicked or met a limit.
func (r Result) Err(i int) error { return statemachine.Failure(r.Outputs[i]) }

// Kind is what operations of one request have in common.
type Kind struct {
	ReadOnly  bool // no operation modifies the state
	Semantics Semantics
}

// Caller hears of a call. The session tells it within its own methods, which it must not call from there.
type Caller interface {
	Entered()               // it need not wait before it submits more; not told if Submit already found room
	Finished(Result, error) // the outcome, once
}

// Call is one or more operations under way.
type Call struct {
	Kind
	ops  [][]byte
	size int // of the operations in a request
	by   Caller

	parcel    *parcel // nil while it waits in line
	alone     bool    // it goes into a request of its own
	waits     bool    // its caller is to hear when it is inside
	abandoned bool    // nobody waits for it
	finished  bool
	result    Result
	err       error
}

// Prepare makes a call of operations, unless no replica would take them. It may be called at any time.
func (s *Session) Prepare(ops [][]byte, k Kind, by Caller) (*Call, error) {
	if err := s.cfg.Limits.check(ops); err != nil {
		return nil, err
	}
	if err := k.Semantics.Check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotSent, err)
	}
	return &Call{
		Kind: k, ops: ops, size: (&wire.Request{Ops: ops}).Size() - requestBytes, by: by,
		alone: len(ops) != 1, // nothing between its operations, and no other's results that could crowd out its own
	}, nil
}

// Caller is who was to hear of it.
func (c *Call) Caller() Caller { return c.by }

// ID is the identity of the request that the operations went out with, which replicas log. It is zero until then.
func (c *Call) ID() wire.RequestID {
	if c.parcel == nil {
		return wire.RequestID{}
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
	c.by.Finished(result, err)
}
