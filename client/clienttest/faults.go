package clienttest

import (
	"context"
	"fmt"

	"tagma/client"
)

// Fault is a way in which a call fails. Each fault is an error that a client of a real cluster may return. It also
// decides whether the operation is executed, which the error does not always tell.
type Fault int

// The faults.
const (
	none            Fault = iota
	NotSent               // ErrNotSent: not executed
	Unknown               // ErrUnknown: the request was lost and is not executed
	UnknownExecuted       // ErrUnknown: the answer was lost, but the request is executed
	Busy                  // ErrBusy and ErrUnknown: not executed
	BusyExecuted          // ErrBusy and ErrUnknown: executed
	Unequal               // ErrUnequal and ErrUnknown: executed, and the replicas' answers differ
	Expired               // ErrExpired: not executed
	ExpiredExecuted       // ErrExpired: executed
	Refused               // ErrRefused: not executed
	Conflict              // ErrConflict: not executed
)

type fault struct {
	matches func(op []byte) bool
	Fault
}

// Inject makes later calls fail: each fault ends one call, in order, among the calls with a matching operation; nil
// matches every call. Faults of several Injects are used in the order in which they were injected.
func (c *Client) Inject(matches func(op []byte) bool, faults ...Fault) {
	c.with(func(s *shared) {
		for _, f := range faults {
			s.faults = append(s.faults, fault{matches, f})
		}
	})
}

// Injected is how many injected faults were not used yet.
func (c *Client) Injected() (n int) {
	c.with(func(s *shared) { n = len(s.faults) })
	return n
}

// next removes and returns the fault for a call.
func (s *shared) next(ops [][]byte) Fault {
	for i, f := range s.faults {
		for _, op := range ops {
			if f.matches == nil || f.matches(op) {
				s.faults = append(s.faults[:i:i], s.faults[i+1:]...)
				return f.Fault
			}
		}
	}
	return none
}

// executes reports whether the operation is executed in spite of the fault.
func (f Fault) executes() bool {
	switch f {
	case none, UnknownExecuted, BusyExecuted, Unequal, ExpiredExecuted:
		return true
	}
	return false
}

// err is the error that the caller receives.
func (f Fault) err(id client.RequestID) error {
	unknown := &client.UnknownError{Request: id, Said: "replica 0, 1, 2, 3 said nothing", Cause: context.DeadlineExceeded}
	switch f {
	case none:
		return nil
	case NotSent:
		return notSent(context.DeadlineExceeded)
	case Unknown, UnknownExecuted:
		return unknown
	case Busy, BusyExecuted:
		unknown.Busy = true
		return unknown
	case Unequal:
		unknown.Unequal, unknown.Cause = true, client.ErrUnequal
		return unknown
	case Expired, ExpiredExecuted:
		return fmt.Errorf("request %d: %w: newer sessions of this key pushed it out", id.Number, client.ErrExpired)
	case Refused:
		return fmt.Errorf("request %d: %w; it is not executed", id.Number, client.ErrRefused)
	case Conflict:
		return fmt.Errorf("request %d: %w", id.Number, client.ErrConflict)
	}
	return fmt.Errorf("clienttest: there is no fault %d", f)
}
