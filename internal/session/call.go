package session

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"tagma/pbft/wire"
	"tagma/statemachine"
)

// Result is what f+1 replicas agree that a request did.
type Result struct {
	Seq     uint64   // sequence number of the batch that executed it
	Outputs [][]byte // one for each operation, in order; a machine's own encoding
	Receipt []byte   // if the call asked for one, and there is no *NoReceiptError; package proof reads it
}

// Output is the first operation's output.
func (r Result) Output() []byte {
	if len(r.Outputs) == 0 {
		return nil
	}
	return r.Outputs[0]
}

// Err returns why operation i did not do what was asked for, or nil if its output is not such a reason: a
// *statemachine.Refusal by the application, or an error of package statemachine if the operation panicked or exceeded a
// limit.
func (r Result) Err(i int) error { return statemachine.Failure(r.Outputs[i]) }

// Kind is what all operations of one request have in common.
type Kind struct {
	ReadOnly  bool // no operation modifies the state
	Semantics Semantics
	Receipt   Receipts
}

// Caller is told what happens to a call. The session calls it within its own methods, so it must not call the session.
type Caller interface {
	// The call has a place in the line, so the caller may submit more; not called if Submit found a place at once.
	Entered()
	Finished(Result, error) // the outcome; called once
}

// Observer is a Caller that is also told of each transmission and each answer.
type Observer interface {
	Sent(to, attempt int, hedged bool) // to −1: to all replicas
	Answered(from int)
}

// Call is one or more operations that were submitted together.
type Call struct {
	Kind
	ops      [][]byte
	size     int // size of the operations in an encoded request
	by       Caller
	observer Observer // nil: nobody observes it

	parcel    *parcel // nil while the call waits in line
	alone     bool    // the call is sent in a request of its own
	waits     bool    // its caller must be told when the call has a place in the line
	abandoned bool    // no caller waits for it any more
	finished  bool
	result    Result
	err       error
}

// Prepare makes a call of operations, unless they exceed what replicas accept. It may be called on any goroutine.
func (s *Session) Prepare(ops [][]byte, k Kind, by Caller) (*Call, error) {
	if err := s.cfg.Limits.check(ops); err != nil {
		return nil, err
	}
	if err := k.Semantics.Check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotSent, err)
	}
	if k.Receipt != NoReceipt && k.Semantics == BestEffort {
		return nil, notSent(errNoAnswer)
	}
	c := &Call{
		Kind: k, ops: ops, size: (&wire.Request{Ops: ops}).Size() - requestBytes, by: by,
		// No other operation may come between its operations, results of other calls must not use up its room, and a
		// receipt shows no operation of other calls.
		alone: len(ops) != 1 || k.Receipt != NoReceipt,
	}
	c.observer, _ = by.(Observer)
	return c, nil
}

var errNoAnswer = errors.New("a best-effort operation has no answer, so it has no receipt; choose other semantics")

// Caller returns the Caller of the call.
func (c *Call) Caller() Caller { return c.by }

// ID identifies the request in which the operations were sent, as replicas log it. It is zero until then.
func (c *Call) ID() wire.RequestID {
	if c.parcel == nil {
		return wire.RequestID{}
	}
	return c.parcel.id
}

// Settled identifies the request whose outcome is believed: of several that carried the operations the one that was
// answered. Without an outcome it is the ID.
func (c *Call) Settled() wire.RequestID {
	if c.parcel != nil && c.parcel.settled != nil {
		return c.parcel.settled.id
	}
	return c.ID()
}

// Vouched returns two lists, as they were when an answer was first believed (C4): the replicas that had given this
// answer, and those that had given another final answer. Both are empty as long as no answer is believed.
func (c *Call) Vouched() (agree, differ []int) {
	if c.parcel == nil || c.parcel.settled == nil {
		return nil, nil
	}
	for id, v := range c.parcel.settled.votes {
		switch {
		case v == c.parcel.believed:
			agree = append(agree, id)
		case v.final():
			differ = append(differ, id)
		}
	}
	return agree, differ
}

// finish ends the call with an outcome. Only the first call counts.
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
	// ExactlyOnce sends a request again until it is answered, always under the same number. Replicas execute a number once.
	ExactlyOnce Semantics = iota
	// AtMostOnce sends a request once. Without an answer, the request was executed once or not at all.
	AtMostOnce
	// AtLeastOnce sends the operation again as a new request, in a new session if necessary, until one of these
	// requests is answered. Several of them may be executed, so it is for operations that may be executed twice.
	AtLeastOnce
	// BestEffort sends a request once and does not wait. The request is executed once or not at all, and the caller is
	// not told.
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

// Check returns an error for a value that is none of the semantics.
func (s Semantics) Check() error {
	if int(s) < len(semanticsNames) {
		return nil
	}
	return fmt.Errorf("there are no %v; choose exactly-once, at-most-once, at-least-once or best-effort", s)
}

// ParseSemantics returns the semantics of this name.
func ParseSemantics(name string) (Semantics, error) {
	for i, known := range semanticsNames {
		if name == known {
			return Semantics(i), nil
		}
	}
	return 0, fmt.Errorf("no semantics are called %q; choose exactly-once, at-most-once, at-least-once or best-effort", name)
}

// sentOnce reports whether a request of these semantics is sent only once in order to be executed.
func (s Semantics) sentOnce() bool { return s == AtMostOnce || s == BestEffort }

// Bounds of a request that is sent once.
const (
	// passAfter is how long after sending the request the session acknowledges its number, although it has no answer. A
	// caller that still waits may get an answer, but a request that was not executed by then never will be.
	passAfter = maxTimeout
	// lostAfter is how long after sending the request its call ends with an unknown outcome, if the caller has not given
	// up before.
	lostAfter = 30 * time.Second
)

// maxAttempts is how many numbers an at-least-once operation may have open. When it needs a further number, the session
// stops waiting for the oldest one.
const maxAttempts = 4
