package client

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"tagma/internal/session"
	"tagma/pbft/wire"
	"tagma/statemachine"
)

// Result is the result of a request, as f+1 replicas agree.
type Result struct {
	Seq     uint64   // sequence number of the batch that executed it
	Outputs [][]byte // one for each operation, in order; a machine's own encoding
	Receipt []byte   // only if WithReceipt asked for it; Cluster.VerifyReceipt reads it
	Request RequestID
}

// outcome converts a session's result of a call.
func (c *Call) outcome(r session.Result) Result {
	return Result{Seq: r.Seq, Outputs: r.Outputs, Receipt: r.Receipt, Request: requestID(c.core.Settled())}
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
func (r Result) Err(i int) error {
	if i < 0 || i >= len(r.Outputs) {
		return fmt.Errorf("there is no output of operation %d; the result has %d outputs", i, len(r.Outputs))
	}
	return statemachine.Failure(r.Outputs[i])
}

// RequestID identifies a request, uniquely and for ever. Replicas log it.
type RequestID struct {
	Client  [32]byte // the client's public key
	Session uint64
	Number  uint64 // within the session, from 1; 0: the request has no number yet
}

// Name is session and number with a dot between them. It names the request among those of one client's key; ParseRequest
// reads it.
func (id RequestID) Name() string { return fmt.Sprintf("%d.%d", id.Session, id.Number) }

// ParseRequest reads the Name of a request. The key is not part of the name, so Client is zero.
func ParseRequest(name string) (RequestID, error) {
	session, number, ok := strings.Cut(name, ".")
	s, bad := strconv.ParseUint(session, 10, 64)
	n, worse := strconv.ParseUint(number, 10, 64)
	if id := (RequestID{Session: s, Number: n}); ok && bad == nil && worse == nil && n > 0 && id.Name() == name {
		return id, nil
	}
	return RequestID{}, fmt.Errorf("%.80q names no request; give session and number with a dot between them, such as 1790000000000000000.1", name)
}

// String returns the form in which replicas log it.
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
	// ExactlyOnce sends a request again until it is answered, always under the same number. Replicas execute a number once.
	ExactlyOnce = Semantics(session.ExactlyOnce)
	// AtMostOnce sends a request once. Without an answer, the request was executed once or not at all.
	AtMostOnce = Semantics(session.AtMostOnce)
	// AtLeastOnce sends the operation again as a new request, in a new session if necessary, until one of these
	// requests is answered. Several of them may be executed, so it is for operations that may be executed twice.
	AtLeastOnce = Semantics(session.AtLeastOnce)
	// BestEffort sends a request once and does not wait. The request is executed once or not at all, and the caller is
	// not told.
	BestEffort = Semantics(session.BestEffort)
)

// SemanticsNames lists what ParseSemantics takes.
func SemanticsNames() []string { return session.SemanticsNames() }

// ParseSemantics returns the semantics of this name.
func ParseSemantics(name string) (Semantics, error) {
	s, err := session.ParseSemantics(name)
	return Semantics(s), err
}

// String is the name that ParseSemantics takes.
func (s Semantics) String() string { return session.Semantics(s).String() }

// The errors that callers distinguish by errors.Is.
var (
	ErrUnknown = session.ErrUnknown // the request may or may not have been executed, and may still be
	// With ErrUnknown: the last answers of f+1 replicas were that they are overloaded.
	ErrBusy = session.ErrBusy
	// With ErrUnknown: enough replicas answered, but no f+1 of them alike; see their logs before you try again.
	ErrUnequal     = session.ErrUnequal
	ErrNotSent     = session.ErrNotSent     // the request was not and will not be executed
	ErrClosed      = session.ErrClosed      // the client was closed
	ErrExpired     = session.ErrExpired     // the request may have been executed before, and will not be any more
	ErrConflict    = session.ErrConflict    // another request was executed under this one's number
	ErrRefused     = session.ErrRefused     // the session has as many open requests as the cluster allows
	ErrTooLarge    = session.ErrTooLarge    // the request exceeds a limit of cluster.toml, and was not sent
	ErrEmpty       = session.ErrEmpty       // the request has no operation, and was not sent
	ErrNotRetained = session.ErrNotRetained // the replicas no longer keep the requested state
	ErrNotExecuted = session.ErrNotExecuted // the cluster has not reached the sequence number yet

	ErrNothingAttested = session.ErrNothingAttested // the replicas have nothing of the kind to attest, so far
	ErrReplyGone       = session.ErrReplyGone       // the replicas no longer hold the reply, so there is no receipt of it
	ErrNotStable       = session.ErrNotStable       // no stable checkpoint is as new as asked for
)

// UnknownError is an ErrUnknown with its circumstances.
type UnknownError struct {
	Request RequestID // the request whose outcome is unknown
	Busy    bool      // the last answers of f+1 replicas were that they are overloaded
	Unequal bool      // enough replicas answered, but no f+1 of them agree
	Said    string    // how long it has waited, and what each replica answered last; "" before it was sent
	Cause   error     // why the wait ended: the context's error, or ErrClosed
}

// Error describes the circumstances in one line.
func (e *UnknownError) Error() string { return e.inside().Error() }

// Unwrap makes errors.Is find ErrUnknown, the cause, and ErrBusy or ErrUnequal if they apply.
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

// NoReceiptError says that a request was executed, and that there is no receipt of it. The result comes with the error.
type NoReceiptError struct {
	Request RequestID
	Cause   error // the context's error, ErrClosed, or ErrReplyGone
}

// Error is one line.
func (e *NoReceiptError) Error() string {
	if e == nil {
		e = &NoReceiptError{}
	}
	return fmt.Sprintf("request %v was executed, but there is no receipt of it: %v", e.Request, e.Unwrap())
}

// Unwrap is the cause.
func (e *NoReceiptError) Unwrap() error {
	if e == nil || e.Cause == nil {
		return errNoCause
	}
	return e.Cause
}

// outside converts an error of package session to the exported one.
func outside(err error) error {
	var u *session.UnknownError
	if n := (*session.NoReceiptError)(nil); errors.As(err, &n) {
		return &NoReceiptError{Request: requestID(n.Request), Cause: n.Cause}
	}
	if errors.As(err, &u) {
		return &UnknownError{Request: requestID(u.Request), Busy: u.Busy, Unequal: u.Unequal, Said: u.Said, Cause: u.Cause}
	}
	return err
}
