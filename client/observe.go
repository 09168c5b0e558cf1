package client

import (
	"context"
	"time"

	"tagma/internal/session"
)

// Observer is called back about the calls of a client, for metrics and traces. See WithObserver.
type Observer interface {
	// Start is called by the goroutine that makes a call, before anything is sent. What it returns is called back as the
	// call goes on; nil: nothing is.
	Start(ctx context.Context, call CallInfo) CallObserver
}

// CallObserver is called back about one call, in the order in which things happened, for all calls of a client by one
// goroutine at a time. A method that blocks holds up the outcomes of all of them, so none of them waits for the client.
type CallObserver interface {
	// Sent: the call's request went out.
	Sent(Transmission)
	// Answered: a replica's answer to it arrived, final or that it is overloaded. One replica proves nothing.
	Answered(replica int, at time.Time)
	// End is called last, and once: when the outcome is known, or when Do gave up waiting for it.
	End(CallEnd)
}

// CallInfo is what a call is for.
type CallInfo struct {
	CallOptions
	Time       time.Time // when it was made
	Machine    string
	Operations int
	Bytes      int    // of the operations together
	Past       bool   // a QueryAt, of the state after At; it has no Sent, and no Answered
	At         uint64 // sequence number
}

// Transmission is a request that went out.
type Transmission struct {
	Time    time.Time
	Request RequestID // other calls may travel in it too
	Replica int       // the one it went to; −1: all
	Attempt int       // requests under a number of their own so far, this one included
	Hedged  bool      // the answer was late, and all others are asked too
}

// CallEnd is what came of a call.
type CallEnd struct {
	Time          time.Time
	Seq           uint64    // of the batch it was executed in; 0: none
	Err           error     // as the caller has it; what a machine refuses is in the outputs
	Request       RequestID // the last one; zero if there was none
	Attempts      int       // requests under a number of their own
	Transmissions int
	Queued        time.Duration // from the call to the first transmission; 0 if there was none
	Latency       time.Duration // from the call to its end
}

// WithObserver has an observer called back about every call.
func WithObserver(o Observer) Option { return func(all *options) { all.observer = o } }

// watch is what is observed of one call, under the shell's lock but for its beginning.
type watch struct {
	CallObserver
	began         time.Time
	first         time.Time
	attempts      int
	transmissions int
	ended         bool
}

// begin tells an observer of a call; nil: nobody hears of it.
func (s *shell) begin(ctx context.Context, ops [][]byte, info CallInfo) *watch {
	info.Time, info.Machine, info.Operations = time.Now(), s.machine, len(ops)
	for _, op := range ops {
		info.Bytes += len(op)
	}
	if o := s.observer.Start(ctx, info); o != nil {
		return &watch{CallObserver: o, began: info.Time}
	}
	return nil
}

// end is what came of the call; false: that was told already.
func (w *watch) end(id RequestID, result Result, err error) (e CallEnd, first bool) {
	if w.ended {
		return e, false
	}
	w.ended = true
	e = CallEnd{
		Time: time.Now(), Seq: result.Seq, Err: err, Request: id, Attempts: w.attempts, Transmissions: w.transmissions,
	}
	e.Latency = e.Time.Sub(w.began)
	if !w.first.IsZero() {
		e.Queued = w.first.Sub(w.began)
	}
	return e, true
}

// Sent implements session.Observer.
func (c caller) Sent(to, attempt int, hedged bool) {
	w := c.watch
	if w == nil || w.ended {
		return
	}
	t := Transmission{Time: time.Now(), Request: requestID(c.core.ID()), Replica: to, Attempt: attempt, Hedged: hedged}
	if w.first.IsZero() {
		w.first = t.Time
	}
	w.attempts = max(w.attempts, attempt)
	w.transmissions++
	c.shell.events = append(c.shell.events, func() { w.Sent(t) })
}

// Answered implements session.Observer.
func (c caller) Answered(from int) {
	if w := c.watch; w != nil && !w.ended {
		at := time.Now()
		c.shell.events = append(c.shell.events, func() { w.Answered(from, at) })
	}
}

// Finished implements session.Caller. Whoever waits goes on when the observer knows.
func (c caller) Finished(result session.Result, err error) {
	c.result, c.err = Result(result), outside(err)
	if c.watch == nil {
		close(c.done)
		return
	}
	e, first := c.watch.end(requestID(c.core.ID()), c.result, c.err)
	c.shell.events = append(c.shell.events, func() {
		if first {
			c.watch.End(e)
		}
		close(c.done)
	})
}

// gaveUp tells that the caller has an outcome which the session does not end the call with. The lock is held.
func (c *Call) gaveUp(result Result, err error) {
	if c.watch == nil {
		return
	}
	id := RequestID{}
	if c.core != nil {
		id = requestID(c.core.ID())
	}
	if e, first := c.watch.end(id, result, err); first {
		c.shell.events = append(c.shell.events, func() { c.watch.End(e) })
	}
}

// unlock gives the lock back, and has observers called for what happened under it, unless another goroutine is at that: it
// goes on with what there is by then.
func (s *shell) unlock() {
	mine := len(s.events) > 0 && !s.telling
	s.telling = s.telling || mine
	s.mu.Unlock()
	for mine {
		s.mu.Lock()
		events := s.events
		s.events = nil
		mine = len(events) > 0
		s.telling = mine
		s.mu.Unlock()
		for _, tell := range events {
			tell()
		}
	}
}
