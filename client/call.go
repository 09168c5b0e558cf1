package client

import (
	"context"

	"tagma/internal/session"
)

// Call is one or more submitted operations. Its methods may be used by several goroutines.
type Call struct {
	shell   *shell    // nil: the call belongs to another implementation of Interface
	id      RequestID // only if shell is nil
	core    *session.Call
	done    chan struct{}
	entered chan struct{} // exists while the submitter waits in line; closed when the submitter may continue
	watch   *watch        // nil: the call has no observer

	result Result // result and err are written before done is closed
	err    error
}

// NewCall makes a call for your own implementation of [Interface]. The returned function finish ends the call with
// its outcome; only its first call counts.
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

// over is a closed channel.
var over = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// Done is closed when the outcome is known or the client was closed.
func (c *Call) Done() <-chan struct{} {
	if c == nil || c.done == nil {
		return over
	}
	return c.done
}

// ID identifies the request in which the operations were sent, as replicas log it. It is zero until then.
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

// Wait returns the outcome. If ctx ends first it returns an *UnknownError and the call continues: Wait may be called again.
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
	return c.outcome(result), outside(err)
}

// caller is the session's Caller for a call. The shell's mutex is held when its methods are called.
type caller struct{ *Call }

func (c caller) Entered() { close(c.entered) }
