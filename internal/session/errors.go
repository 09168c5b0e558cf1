package session

import (
	"errors"
	"fmt"
	"time"

	"tagma/pbft/wire"
	"tagma/statemachine"
)

// The errors that callers distinguish by errors.Is.
var (
	// ErrUnknown says that the request may or may not have been executed, and may still be. An exactly-once request is
	// still sent in the background, at a slow pace. To find out, read what the operation would have changed.
	ErrUnknown = errors.New("outcome unknown")
	// ErrBusy says that the last answers of f+1 replicas were that they are overloaded, when the caller's time ran out.
	// It comes with ErrUnknown, because another replica may have accepted the request.
	ErrBusy = errors.New("the cluster is overloaded")
	// ErrUnequal says that at least n−f replicas answered, and that no f+1 of the answers were equal, also after the
	// request was sent again. So the machine is not deterministic, or more than f replicas lie. It comes with
	// ErrUnknown: the request was executed somewhere, with an unknown result. The client does not ask again.
	ErrUnequal = errors.New("replicas answer differently")
	// ErrNotSent says that the request was never sent: it was not and will not be executed.
	ErrNotSent = errors.New("not sent")
	// ErrClosed says that the client was closed.
	ErrClosed = errors.New("client closed")
	// ErrExpired says that the cluster does not hold this session any more. The request will not be executed, but it
	// may have been executed before. The next call is sent in a new session, without action by the caller.
	ErrExpired = errors.New("session expired")
	// ErrConflict says that another request was executed under this one's number. That happens if two programs use the
	// same session, which they can only if they have the same key and read the same time from their clocks. This request
	// was not executed.
	ErrConflict = errors.New("request number already used")
	// ErrRefused says that the session has as many unacknowledged requests or cached reply bytes as the cluster allows,
	// or that the client's requests used up its part of what a batch may cost. This request was not executed and will
	// not be, because its number is used up. The session sends refused operations again under other numbers, so callers
	// get this error only if they were refused again and again, or are sent only once.
	ErrRefused = errors.New("session limit or budget reached")
	// ErrTooLarge says that the request exceeds a limit of cluster.toml, and was not sent.
	ErrTooLarge = errors.New("request too large")
	// ErrEmpty says that the request has no operation, and was not sent. errors.Is also finds ErrTooLarge in it, which
	// earlier versions returned.
	ErrEmpty error = emptyError{}
)

type emptyError struct{}

func (emptyError) Error() string        { return "a request of no operations; give at least one" }
func (emptyError) Is(target error) bool { return target == ErrTooLarge }

// errPassing is the reason why the outcome of a refused request can be unknown.
var errPassing = errors.New("it was refused, which no replica records, and a copy of it may still be ordered and executed")

// errOthers is the reason why the outcome of an operation that was sent under several numbers can be unknown.
var errOthers = errors.New("this number was not executed, and others that it went out under are not answered")

// UnknownError is an ErrUnknown with its circumstances.
type UnknownError struct {
	Request wire.RequestID // the request whose outcome is unknown
	Busy    bool           // the last answers of f+1 replicas were that they are overloaded
	Unequal bool           // enough replicas answered, but no f+1 of them agree
	Said    string         // how long it has waited, and what each replica said last; "" before it was sent
	Cause   error          // why the wait ended: the context's error, or ErrClosed
}

// Error describes the circumstances in one line.
func (e *UnknownError) Error() string {
	if e.Request.T == 0 {
		return fmt.Sprintf("%v: %v before the operation was sent; it still waits and may be executed", ErrUnknown, e.Cause)
	}
	if e.Unequal {
		return fmt.Sprintf("request %d: %v: %v; %s; the machine is not deterministic, or too many replicas are faulty",
			e.Request.T, ErrUnknown, ErrUnequal, e.Said)
	}
	if errors.Is(e.Cause, errPassing) || errors.Is(e.Cause, errOthers) {
		return fmt.Sprintf("request %d: %v: %v", e.Request.T, ErrUnknown, e.Cause)
	}
	s := fmt.Sprintf("request %d: %v: %v before f+1 replicas answered; it may still be executed", e.Request.T, ErrUnknown, e.Cause)
	if e.Said != "" {
		s += "; " + e.Said
	}
	if e.Busy {
		s += " (" + ErrBusy.Error() + "; send less or later)"
	}
	return s
}

// Unwrap makes errors.Is find ErrUnknown, the cause, and ErrBusy or ErrUnequal if they apply.
func (e *UnknownError) Unwrap() []error {
	errs := []error{ErrUnknown, e.Cause}
	if e.Busy {
		errs = append(errs, ErrBusy)
	}
	if e.Unequal {
		errs = append(errs, ErrUnequal)
	}
	return errs
}

// outcomeError is the caller's error for a final outcome on which f+1 replicas agree.
func (s *Session) outcomeError(r *Request, reply *wire.Reply) error {
	t := reply.ID.T
	o := decided(reply.Outcome)
	if r.tries > r.refused+1 && (o == statemachine.OutcomeConflict || o == statemachine.OutcomeRefused) {
		// This number of the at-least-once operation was not executed, but another of its numbers may have been.
		return s.unknown(r, errOthers)
	}
	switch o {
	case statemachine.OutcomeExecuted:
		return nil
	case statemachine.OutcomeConflict:
		return fmt.Errorf("request %d: %w by another program with this key and session; give every program a key of its own", t, ErrConflict)
	case statemachine.OutcomeExpired:
		if t == 1 {
			return fmt.Errorf("request 1: %w: sessions of this key have higher numbers, as when this machine's clock is behind; what is asked for next goes out under a higher one", ErrExpired)
		}
		return fmt.Errorf("request %d: %w: newer sessions of this key pushed it out; it may have been executed before, so look before you send it again", t, ErrExpired)
	case statemachine.OutcomeRefused:
		// No replica recorded the refusal, so a primary with a copy may still order the request when there is room for
		// it.
		if reply.Seq == 0 {
			return s.unknown(r, errPassing)
		}
		return fmt.Errorf("request %d: %w; it is not executed; send again when other requests were answered%s", t, ErrRefused, s.oldest(r))
	default:
		return fmt.Errorf("request %d: the replicas answered with outcome %d, which this version does not know; update the client", t, o)
	}
}

// unknown returns the error for a request whose outcome is unknown.
func (s *Session) unknown(r *Request, cause error) *UnknownError {
	e := &UnknownError{Request: r.id, Busy: busy(r.votes) >= s.cfg.Weak, Cause: cause}
	if r.frame != nil {
		e.Said = s.waits(r)
	}
	return e
}

// waits returns a text that says how long a request has waited, and what each replica answered last.
func (s *Session) waits(r *Request) string {
	return fmt.Sprintf("after %v: %s", (s.now - r.first).Round(time.Millisecond), said(r.votes))
}

// oldest describes the open request with the lowest number, unless that is r. The session acknowledges only the numbers
// below it. So if the window is full, or cached replies fill their room, all other requests wait for this one.
func (s *Session) oldest(r *Request) string {
	if o := s.open[s.acked]; o != nil && o != r && o.frame != nil {
		return fmt.Sprintf("; the oldest open request is %d, %s", o.id.T, s.waits(o))
	}
	return ""
}

// NotSent is the error for a caller that stopped waiting before its operations were sent; it includes the reason.
func (s *Session) NotSent(why error) error {
	switch {
	case s.choice.pending:
		return fmt.Errorf("%w: %w: too few replicas are connected for a session to begin", ErrNotSent, why)
	case !s.expired && !s.hasNumber():
		return fmt.Errorf("%w: %w: the window is full%s", ErrNotSent, why, s.oldest(nil))
	}
	return notSent(why)
}
