package client

import (
	"context"

	"tagma/internal/session"
)

// Call is one or more operations under way. Its methods may be used by several goroutines.
type Call struct {
	shell   *shell
	core    *session.Call
	done    chan struct{}
	entered chan struct{} // made, and closed, while the submitter waits in line

	result Result // these two are written before done is closed
	err    error
}

// Done is closed when the outcome is known, or the client was closed.
func (c *Call) Done() <-chan struct{} { return c.done }

// ID is the identity of the request that the operations went out with, which replicas log. It is zero until then.
func (c *Call) ID() RequestID {
	c.shell.mu.Lock()
	defer c.shell.mu.Unlock()
	return requestID(c.core.ID())
}

// Wait returns the outcome. When ctx ends first it returns an *UnknownError, and the call stays under way: Wait may be
// called again.
func (c *Call) Wait(ctx context.Context) (Result, error) {
	select {
	case <-c.done:
		return c.result, c.err
	default:
	}
	select {
	case <-c.done:
		return c.result, c.err
	case <-ctx.Done():
		c.shell.mu.Lock()
		defer c.shell.mu.Unlock()
		result, err := c.shell.core.Unknown(c.core, ctx.Err())
		return Result(result), outside(err)
	}
}

// caller is how the session tells of a call, with the shell's mutex held.
type caller struct{ *Call }

func (c caller) Entered() { close(c.entered) }

func (c caller) Finished(result session.Result, err error) {
	c.result, c.err = Result(result), outside(err)
	close(c.done)
}
