package session

import (
	"errors"
	"fmt"

	"tagma/pbft/wire"
)

// What callers tell apart with errors.Is.
var (
	// ErrUnknown says that the request may or may not have been executed, now or later. An exactly-once request goes on
	// being sent in the background, at a slow pace; to know, read what the operation would have changed.
	ErrUnknown = errors.New("outcome unknown")
	// ErrBusy says that when the caller's time ran out f+1 replicas had last answered that they are overloaded. It comes
	// with ErrUnknown: one of the others may have taken the request.
	ErrBusy = errors.New("the cluster is overloaded")
	// ErrNotSent says that the request never left: it was not and will not be executed.
	ErrNotSent = errors.New("not sent")
	// ErrClosed says that the client was closed.
	ErrClosed = errors.New("client closed")
	// ErrExpired says that the cluster no longer holds this session. The request will not be executed any more, but it
	// may have been before. What is asked for next goes out in a new session by itself.
	ErrExpired = errors.New("session expired")
	// ErrConflict says that another request was executed under this one's number: two programs use one session, which
	// takes one key and one clock reading. This request was not executed.
	ErrConflict = errors.New("request number already used")
	// ErrRefused says that the session holds as many unacknowledged requests or cached reply bytes as the cluster allows.
	// This request was not executed, and will not be once a later one of the session was.
	ErrRefused = errors.New("session limit reached")
	// ErrTooLarge says that the request exceeds a limit of cluster.toml. It was not sent.
	ErrTooLarge = errors.New("request too large")
)

// UnknownError is an ErrUnknown with its circumstances.
type UnknownError struct {
	Request wire.RequestID // whose outcome is not known
	Busy    bool           // f+1 replicas last said that they are overloaded
	Cause   error          // why the wait ended: the context's error, or ErrClosed
}

// Error says it all in one line.
func (e *UnknownError) Error() string {
	if e.Request.T == 0 {
		return fmt.Sprintf("%v: %v before the operation was sent; it still waits and may be executed", ErrUnknown, e.Cause)
	}
	s := fmt.Sprintf("request %d: %v: %v before f+1 replicas answered; it may still be executed", e.Request.T, ErrUnknown, e.Cause)
	if e.Busy {
		s += " (" + ErrBusy.Error() + "; send less or later)"
	}
	return s
}

// Unwrap makes errors.Is find ErrUnknown, the cause, and ErrBusy when it applies.
func (e *UnknownError) Unwrap() []error {
	errs := []error{ErrUnknown, e.Cause}
	if e.Busy {
		errs = append(errs, ErrBusy)
	}
	return errs
}

// outcomeError is what a caller is told about a final outcome that f+1 replicas vouch for.
func outcomeError(t uint64, o wire.Outcome) error {
	switch o {
	case wire.OutcomeExecuted:
		return nil
	case wire.OutcomeConflict:
		return fmt.Errorf("request %d: %w by another program with this key and session; give every program a key of its own", t, ErrConflict)
	case wire.OutcomeExpired:
		return fmt.Errorf("request %d: %w: newer sessions of this key pushed it out, or the clock went back; it may have been executed before, so look before you send it again", t, ErrExpired)
	case wire.OutcomeRefused:
		return fmt.Errorf("request %d: %w; send again when other requests were answered", t, ErrRefused)
	default:
		return fmt.Errorf("request %d: the replicas answered with outcome %d, which this version does not know; update the client", t, o)
	}
}
