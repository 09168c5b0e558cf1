package client

import (
	"context"
	"time"

	"tagma/internal/session"
)

// Observer is told about the calls of a client, for metrics and traces. See WithObserver.
type Observer interface {
	// Start is called on the goroutine that makes a call, before anything is sent. It returns the observer of this
	// call, or nil if the call is not to be observed.
	Start(ctx context.Context, call CallInfo) CallObserver
}

// CallObserver is told about one call, in the order in which things happened. For all calls of a client, only one goroutine
// at a time calls these methods. A method that blocks delays the outcomes of all calls, so it must not wait for the client.
type CallObserver interface {
	// Sent says that the call's request was sent.
	Sent(Transmission)
	// Answered says that an answer of a replica arrived, either final or that the replica is overloaded. A single
	// replica's answer proves nothing.
	Answered(replica int, at time.Time)
	// End is called last and once: when the outcome is known, or when Do stops waiting for it.
	End(CallEnd)
}

// CallInfo describes a call.
type CallInfo struct {
	CallOptions
	Time       time.Time // when it was made
	Machine    string
	Operations int
	Bytes      int    // of all operations together
	Past       bool   // a QueryAt, of the state after At; Sent and Answered are not called for it
	At         uint64 // sequence number
}

// Transmission is one sending of a request.
type Transmission struct {
	Time    time.Time
	Request RequestID // may carry other calls too
	Replica int       // the replica to which it was sent; −1: to all
	Attempt int       // how many requests with different numbers the call has had, including this one
	Hedged  bool      // the answer was late, so the other replicas are asked too
}

// CallEnd is the outcome of a call.
type CallEnd struct {
	Time          time.Time
	Seq           uint64    // sequence number of the batch in which it was executed; 0: none
	Err           error     // as returned to the caller; a machine's refusals are in the outputs instead
	Request       RequestID // the last request; zero if there was none
	Attempts      int       // how many requests with different numbers
	Transmissions int
	Queued        time.Duration // from the call to the first transmission; 0 if there was none
	Latency       time.Duration // from the call to its end

	// Vouched are the replicas whose equal answers made the outcome believed, at least f+1. Differed are those that
	// had given another answer by then. Both are empty if no answer was believed, and for a QueryAt.
	Vouched, Differed []int
}

// WithObserver sets an observer for all calls of the client.
func WithObserver(o Observer) Option { return func(all *options) { all.observer = o } }

// watch is what an observer has been told of one call. The shell's lock guards it, except while it is made.
type watch struct {
	CallObserver
	began         time.Time
	first         time.Time
	attempts      int
	transmissions int
	ended         bool
}

// begin tells the observer about a call; nil if the call is not observed.
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

// end describes the outcome of the call. It returns false if the observer already has it.
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

// Finished implements session.Caller. The call's waiters continue only after the observer was told.
func (c caller) Finished(result session.Result, err error) {
	c.result, c.err = c.outcome(result), outside(err)
	if c.watch == nil {
		close(c.done)
		return
	}
	e, first := c.watch.end(requestID(c.core.ID()), c.result, c.err)
	e.Vouched, e.Differed = c.core.Vouched()
	c.shell.events = append(c.shell.events, func() {
		if first {
			c.watch.End(e)
		}
		close(c.done)
	})
}

// gaveUp tells the observer the outcome for a caller that stops waiting, although the session has not ended the call.
// The lock must be held.
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

// unlock releases the lock, and then tells observers what happened while the lock was held. If another goroutine is
// already calling observers, that goroutine makes these calls, too.
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
