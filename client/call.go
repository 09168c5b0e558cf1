package client

import (
	"context"

	"tagma/internal/session"
)

// Call is one or more operations under way. Its methods may be used by several goroutines.
type Call struct {
	shell   *shell    // nil: of another Interface
	id      RequestID // then
	core    *session.Call
	done    chan struct{}
	entered chan struct{} // made, and closed, while the submitter waits in line
	watch   *watch        // nil: nobody observes it

	result Result // these two are written before done is closed
	err    error
}

// NewCall is a call for an [Interface] of one's own. Finish ends it with its outcome; only the first time counts.
func NewCall(id RequestID) (call *Call, finish func(Result, error)) {
	c := &Call{id: id, done: make(chan struct{})}
	once := make(chan struct{}, 1)
	return c, func(result Result, err error) {
		select {
		case once <- struct{}{}:
			c.result, c.err = result, err
			close(c.done)
		default:
		}
	}
}

// over is closed.
var over = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// Done is closed when the outcome is known, or the client was closed.
func (c *Call) Done() <-chan struct{} {
	if c == nil || c.done == nil {
		return over
	}
	return c.done
}

// ID is the identity of the request that the operations went out with, which replicas log. It is zero until then.
func (c *Call) ID() RequestID {
	switch {
	case c == nil:
		return RequestID{}
	case c.shell == nil:
		return c.id
	}
	c.shell.mu.Lock()
	defer c.shell.mu.Unlock()
	return requestID(c.core.ID())
}

// Wait returns the outcome. When ctx ends first it returns an *UnknownError, and the call stays under way: Wait may be
// called again.
func (c *Call) Wait(ctx context.Context) (Result, error) {
	switch {
	case c == nil || c.done == nil:
		return Result{}, errNoCall
	case ctx == nil:
		return Result{}, errNoContext
	}
	select {
	case <-c.done:
		return c.result, c.err
	default:
	}
	select {
	case <-c.done:
		return c.result, c.err
	case <-ctx.Done():
	}
	if c.shell == nil {
		return Result{}, &UnknownError{Request: c.id, Cause: ctx.Err()}
	}
	c.shell.mu.Lock()
	defer c.shell.mu.Unlock()
	result, err := c.shell.core.Unknown(c.core, ctx.Err())
	return Result(result), outside(err)
}

// caller is how the session tells of a call, with the shell's mutex held.
type caller struct{ *Call }

func (c caller) Entered() { close(c.entered) }
