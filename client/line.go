package client

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
)

// line holds the calls that wait for a request to carry them, first come, first served. The first ones are inside: their
// submitters have gone on. The others' submitters wait until they are.
type line struct {
	calls  []*Call
	inside int // calls
	bytes  int // of those inside
}

// errLineFull is why a best-effort operation was not even kept for sending.
var errLineFull = errors.New("too many requests are under way")

func notSent(why error) error { return fmt.Errorf("%w: %w", ErrNotSent, why) }

// submit takes in operations. They go out at once when nothing is under way or they are not packed; what else comes while
// something is gathers for a moment, so that operations that are asked for together share a request.
func (s *session) submit(ctx context.Context, ops [][]byte, o callOptions) (*Call, error) {
	if err := s.limits.check(ops); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, notSent(err)
	}
	call := newCall(s, ops, o)
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, notSent(ErrClosed)
	}
	if len(s.line.calls) == 0 && s.hasRoom(call) && (s.inFlight == 0 || s.limits.pack == 1 || call.alone) {
		r := s.number(newParcel([]*Call{call}))
		s.mu.Unlock()
		s.launch(r)
		return call, nil
	}
	s.line.calls = append(s.line.calls, call)
	s.letIn()
	waits := s.line.inside < len(s.line.calls)
	if waits && o.semantics == BestEffort {
		s.withdraw(call)
		s.mu.Unlock()
		return nil, notSent(errLineFull)
	}
	entered := make(chan struct{})
	if waits {
		call.entered = entered
	}
	s.nudge()
	s.mu.Unlock()
	if !waits {
		return call, nil
	}
	return s.await(ctx, call, entered)
}

// await holds a submitter until its call is inside.
func (s *session) await(ctx context.Context, call *Call, entered <-chan struct{}) (*Call, error) {
	select {
	case <-entered:
		return call, nil
	case <-call.done:
		if errors.Is(call.err, ErrNotSent) {
			return nil, call.err
		}
		return call, nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.withdraw(call) {
		return nil, notSent(ctx.Err())
	}
	return call, nil
}

// letIn lets calls inside while there is room.
func (s *session) letIn() {
	l := &s.line
	for l.inside < len(l.calls) {
		c := l.calls[l.inside]
		if l.inside >= s.limits.line || l.inside > 0 && l.bytes+c.size > s.limits.lineBytes {
			return
		}
		l.inside++
		l.bytes += c.size
		c.enter()
	}
}

func (c *Call) enter() {
	if c.entered != nil {
		close(c.entered)
		c.entered = nil
	}
}

// withdraw takes a call out of the line and reports whether it was there.
func (s *session) withdraw(call *Call) bool {
	i := slices.Index(s.line.calls, call)
	if i < 0 {
		return false
	}
	s.line.calls = slices.Delete(s.line.calls, i, i+1)
	s.left(i, call)
	s.letIn()
	return true
}

// left accounts for a call that stood at place i.
func (s *session) left(i int, call *Call) {
	if i < s.line.inside {
		s.line.inside--
		s.line.bytes -= call.size
	}
}

// jumpIn puts a call at the head of the line.
func (s *session) jumpIn(call *Call) {
	s.line.calls = slices.Insert(s.line.calls, 0, call)
	s.line.inside++
	s.line.bytes += call.size
}

// take removes from the line what the next request carries: the first call, and of those behind it what is of its kind
// and fits.
func (s *session) take() []*Call {
	first := s.line.calls[0]
	size, most := requestBytes+first.size, s.limits.mostBytes()
	taken, rest := []*Call{first}, s.line.calls[:0]
	inside := s.line.inside
	s.left(0, first)
	for i, c := range s.line.calls[1:] {
		if first.alone || len(taken) >= s.limits.pack || size >= most {
			rest = append(rest, s.line.calls[i+1:]...)
			break
		}
		if c.alone || c.kind != first.kind || size+c.size > most {
			rest = append(rest, c)
			continue
		}
		taken = append(taken, c)
		size += c.size
		if i+1 < inside {
			s.left(0, c)
		}
	}
	clear(s.line.calls[len(rest):])
	s.line.calls = rest
	for _, c := range taken {
		c.enter()
	}
	s.letIn()
	return taken
}

// sendWaiting sends what waits as far as there is room. Callers that were answered a moment ago are let to ask again
// first, so that what they ask for is packed too.
func (s *session) sendWaiting() {
	s.mu.Lock()
	pending := s.sendable()
	s.mu.Unlock()
	if pending && s.limits.pack > 1 {
		runtime.Gosched()
	}
	for pending {
		r := s.numberNext()
		if pending = r != nil; pending {
			s.launch(r)
		}
	}
}
