package session

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// line holds the calls that are not in a request yet, in the order in which they were submitted. A bounded number of
// calls at its front are inside the line. The submitter of such a call may continue; the submitter of any other call is
// blocked until that call is inside, too.
type line struct {
	calls  []*Call
	inside int // how many calls are inside
	bytes  int // bytes of the calls inside
}

// errLineFull is the reason why a best-effort operation was not accepted.
var errLineFull = errors.New("too many requests are under way")

func notSent(why error) error { return fmt.Errorf("%w: %w", ErrNotSent, why) }

// Submit accepts a call. If no request is in flight, or calls are not packed, it returns a request at once, which the
// caller must seal and launch. Otherwise the call waits in line, so that it can share a request with other calls. If the
// line is full, the submitter must wait until Entered is called. The error, if any, is an ErrNotSent.
func (s *Session) Submit(now time.Duration, call *Call) (r *Request, waits bool, err error) {
	s.now = now
	if s.closed {
		return nil, false, notSent(ErrClosed)
	}
	if len(s.line.calls) == 0 && s.hasRoom(call) && (s.inFlight == 0 || s.cfg.Limits.Pack == 1 || call.alone) {
		return s.number(newParcel([]*Call{call})), false, nil
	}
	s.line.calls = append(s.line.calls, call)
	s.choose()
	s.letIn()
	call.waits = s.line.inside < len(s.line.calls)
	if call.waits && call.Semantics == BestEffort {
		s.withdraw(call)
		return nil, false, notSent(errLineFull)
	}
	return nil, call.waits, nil
}

// Withdraw removes a call that no request carries yet, and reports whether it did.
func (s *Session) Withdraw(now time.Duration, call *Call) bool {
	s.now = now
	return s.withdraw(call)
}

// letIn moves calls inside the line while there is room.
func (s *Session) letIn() {
	l := &s.line
	calls, bytes := s.cfg.Limits.line()
	if s.choice.pending { // these calls only wait until the session has a number, so their submitters need not be blocked
		calls, bytes = max(calls, s.cfg.Limits.InFlight), max(bytes, s.cfg.Limits.TotalBytes*s.cfg.Limits.InFlight)
	}
	for l.inside < len(l.calls) {
		c := l.calls[l.inside]
		if l.inside >= calls || l.inside > 0 && l.bytes+c.size > bytes {
			return
		}
		l.inside++
		l.bytes += c.size
		c.enter()
	}
}

func (c *Call) enter() {
	if c.waits {
		c.waits = false
		c.by.Entered()
	}
}

// withdraw removes a call from the line and reports whether it was there.
func (s *Session) withdraw(call *Call) bool {
	i := slices.Index(s.line.calls, call)
	if i < 0 {
		return false
	}
	s.line.calls = slices.Delete(s.line.calls, i, i+1)
	s.left(i, call)
	s.letIn()
	return true
}

// left updates the counts after the call at place i was removed.
func (s *Session) left(i int, call *Call) {
	if i < s.line.inside {
		s.line.inside--
		s.line.bytes -= call.size
	}
}

// jumpIn puts a call at the front of the line.
func (s *Session) jumpIn(call *Call) {
	s.line.calls = slices.Insert(s.line.calls, 0, call)
	s.line.inside++
	s.line.bytes += call.size
}

// take removes the calls of the next request from the line: the first call, and later ones that have the same kind and
// fit into the request.
func (s *Session) take() []*Call {
	first := s.line.calls[0]
	size, most := requestBytes+first.size, s.cfg.Limits.TotalBytes
	taken, rest := []*Call{first}, s.line.calls[:0]
	inside := s.line.inside
	s.left(0, first)
	for i, c := range s.line.calls[1:] {
		if first.alone || len(taken) >= s.cfg.Limits.Pack || size >= most {
			rest = append(rest, s.line.calls[i+1:]...)
			break
		}
		if c.alone || c.Kind != first.Kind || size+c.size > most {
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
