package client

import (
	"encoding/hex"
	"errors"
	"fmt"

	"tagma/internal/session"
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
func (r Result) Err(i int) error {
	if i < 0 || i >= len(r.Outputs) {
		return fmt.Errorf("there is no output of operation %d; the result has %d outputs", i, len(r.Outputs))
	}
	return statemachine.Failure(r.Outputs[i])
}

// RequestID names a request for ever. Replicas log it.
type RequestID struct {
	Client  [32]byte // the client's public key
	Session uint64
	Number  uint64 // within the session, from 1; 0: the request has none yet
}

// String is the form in which replicas log it.
func (id RequestID) String() string {
	return fmt.Sprintf("%s/%d/%d", hex.EncodeToString(id.Client[:4]), id.Session, id.Number)
}

func requestID(id wire.RequestID) RequestID {
	return RequestID{Client: id.Client, Session: uint64(id.Session), Number: id.T}
}

// Semantics is how often an operation may be executed when messages are lost. docs/semantics.md has the cases.
type Semantics uint8

// The semantics that a caller can choose.
const (
	// ExactlyOnce sends a request again until it is answered, always under one number, which is executed once.
	ExactlyOnce = Semantics(session.ExactlyOnce)
	// AtMostOnce sends a request once. Without an answer it was executed once or not at all.
	AtMostOnce = Semantics(session.AtMostOnce)
	// AtLeastOnce sends the operation again as a new request, in a new session if it must, until one of them is
	// answered. Others of them may have been executed too: it is for operations that may run twice.
	AtLeastOnce = Semantics(session.AtLeastOnce)
	// BestEffort sends a request once and waits for nothing. It is executed once or not at all, and nobody is told.
	BestEffort = Semantics(session.BestEffort)
)

// SemanticsNames lists what ParseSemantics takes.
func SemanticsNames() []string { return session.SemanticsNames() }

// ParseSemantics reads a name.
func ParseSemantics(name string) (Semantics, error) {
	s, err := session.ParseSemantics(name)
	return Semantics(s), err
}

// String is the name that ParseSemantics takes.
func (s Semantics) String() string { return session.Semantics(s).String() }

// What callers tell apart with errors.Is.
var (
	ErrUnknown     = session.ErrUnknown     // it may or may not have been executed, now or later
	ErrBusy        = session.ErrBusy        // with ErrUnknown: f+1 replicas last said that they are overloaded
	ErrUnequal     = session.ErrUnequal     // with ErrUnknown: no f+1 replicas agree, though enough answered: see their logs before trying again
	ErrNotSent     = session.ErrNotSent     // it was not and will not be executed
	ErrClosed      = session.ErrClosed      // the client was closed
	ErrExpired     = session.ErrExpired     // it may have been executed, and will not be any more
	ErrConflict    = session.ErrConflict    // another request was executed under its number
	ErrRefused     = session.ErrRefused     // the session holds as much as the cluster allows
	ErrTooLarge    = session.ErrTooLarge    // it exceeds a limit of cluster.toml, and was not sent
	ErrEmpty       = session.ErrEmpty       // it has no operation, and was not sent
	ErrNotRetained = session.ErrNotRetained // the replicas have given up the state that it asks for
	ErrNotExecuted = session.ErrNotExecuted // the cluster has not come to the sequence number yet
)

// UnknownError is an ErrUnknown with its circumstances.
type UnknownError struct {
	Request RequestID // whose outcome is not known
	Busy    bool      // f+1 replicas last said that they are overloaded
	Unequal bool      // no f+1 replicas agree, though enough answered
	Said    string    // how long it has waited, and what each replica said last; "" before it was sent
	Cause   error     // why the wait ended: the context's error, or ErrClosed
}

// Error says it all in one line.
func (e *UnknownError) Error() string { return e.inside().Error() }

// Unwrap makes errors.Is find ErrUnknown, the cause, and ErrBusy and ErrUnequal where they apply.
func (e *UnknownError) Unwrap() []error { return e.inside().Unwrap() }

func (e *UnknownError) inside() *session.UnknownError {
	if e == nil {
		e = &UnknownError{}
	}
	id := wire.RequestID{Client: e.Request.Client, Session: wire.Session(e.Request.Session), T: e.Request.Number}
	cause := e.Cause
	if cause == nil {
		cause = errNoCause
	}
	return &session.UnknownError{Request: id, Busy: e.Busy, Unequal: e.Unequal, Said: e.Said, Cause: cause}
}

var errNoCause = errors.New("the wait ended")

// outside is a session's error as callers have it.
func outside(err error) error {
	var u *session.UnknownError
	if errors.As(err, &u) {
		return &UnknownError{Request: requestID(u.Request), Busy: u.Busy, Unequal: u.Unequal, Said: u.Said, Cause: u.Cause}
	}
	return err
}
