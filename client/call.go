package client

import (
	"context"
	"time"

	"tagma/pbft"
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

// Call is a request under way. Its methods may be used by several goroutines.
type Call struct {
	session *session
	done    chan struct{}
	result  Result // these two are written before done is closed
	err     error

	// The session's mutex guards what follows.
	id            pbft.RequestID
	digest        pbft.Digest
	ops           int
	frame         []byte // signed and encoded once: every transmission is byte-identical; nil until signed
	votes         votes
	first         time.Time // transmission
	planned       time.Time // when to send it again
	again         time.Time // the same, put off by hints of overload
	transmissions int
	abandoned     bool // nobody waits for it
	place         int  // in deadlines; −1: not there
}

// Done is closed when the outcome is known, or the client was closed.
func (c *Call) Done() <-chan struct{} { return c.done }

// ID is the request's identity, which replicas log.
func (c *Call) ID() pbft.RequestID { return c.id }

// answeredBy reports whether a reply with the call's number is about the call's request, and has as many results.
func (c *Call) answeredBy(m *pbft.Reply) bool {
	switch {
	case c.frame == nil || m.Request != c.digest || m.Outcome == 0:
		return false
	case m.Outcome == pbft.OutcomeExecuted:
		return len(m.Results) == c.ops
	}
	return true
}

// Wait returns the outcome. When ctx ends first it returns an *UnknownError, and the request stays under way: Wait may
// be called again.
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
		return c.session.unknown(c, ctx.Err())
	}
}
