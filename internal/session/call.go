package session

import (
	"fmt"
	"slices"
	"time"

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

// Observer is a Caller that hears of each transmission and each answer, too.
type Observer interface {
	Sent(to, attempt int, hedged bool) // to −1: to all
	Answered(from int)
}

// Call is one or more operations under way.
type Call struct {
	Kind
	ops      [][]byte
	size     int // of the operations in a request
	by       Caller
	observer Observer // nil: nobody observes it

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
	c := &Call{
		Kind: k, ops: ops, size: (&wire.Request{Ops: ops}).Size() - requestBytes, by: by,
		alone: len(ops) != 1, // nothing between its operations, and no other's results that could crowd out its own
	}
	c.observer, _ = by.(Observer)
	return c, nil
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

// Semantics is how often an operation may be executed when messages are lost (C7). docs/semantics.md has the cases.
type Semantics uint8

// The semantics that a caller can choose.
const (
	// ExactlyOnce sends a request again until it is answered, always under one number, which is executed once.
	ExactlyOnce Semantics = iota
	// AtMostOnce sends a request once. Without an answer it was executed once or not at all.
	AtMostOnce
	// AtLeastOnce sends the operation again as a new request, in a new session if it must, until one of them is
	// answered. Others of them may have been executed too: it is for operations that may run twice.
	AtLeastOnce
	// BestEffort sends a request once and waits for nothing. It is executed once or not at all, and nobody is told.
	BestEffort
)

var semanticsNames = [...]string{"exactly-once", "at-most-once", "at-least-once", "best-effort"}

// SemanticsNames lists what ParseSemantics takes.
func SemanticsNames() []string { return slices.Clone(semanticsNames[:]) }

// String is the name that ParseSemantics takes.
func (s Semantics) String() string {
	if int(s) < len(semanticsNames) {
		return semanticsNames[s]
	}
	return fmt.Sprintf("semantics %d", uint8(s))
}

// Check reports semantics that there are not.
func (s Semantics) Check() error {
	if int(s) < len(semanticsNames) {
		return nil
	}
	return fmt.Errorf("there are no %v; choose exactly-once, at-most-once, at-least-once or best-effort", s)
}

// ParseSemantics reads a name.
func ParseSemantics(name string) (Semantics, error) {
	for i, known := range semanticsNames {
		if name == known {
			return Semantics(i), nil
		}
	}
	return 0, fmt.Errorf("no semantics are called %q; choose exactly-once, at-most-once, at-least-once or best-effort", name)
}

// sentOnce tells that a request is never sent a second time to have it executed.
func (s Semantics) sentOnce() bool { return s == AtMostOnce || s == BestEffort }

// What bounds a request that is sent once.
const (
	// passAfter is when a session acknowledges past its number. Whoever waits for it still may be answered; but where it
	// was not executed by then, it will not be any more.
	passAfter = maxTimeout
	// lostAfter is when its call ends, if nobody gave it up before.
	lostAfter = 30 * time.Second
)

// maxAttempts is how many numbers an at-least-once operation holds at most. The oldest is given up for a further one.
const maxAttempts = 4
