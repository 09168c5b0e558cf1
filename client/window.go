package client

import (
	"context"
	"slices"

	"tagma/pbft"
)

// admission is a caller waiting for room in the window (C2).
type admission struct {
	call    *Call
	decided chan struct{} // closed when call has its number, or the session was closed
}

// admit gives the call a number, waiting for room if need be, and returns what the session acknowledges by now.
func (s *session) admit(ctx context.Context, call *Call) (ackedBelow uint64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return 0, ErrClosed
	case s.hasRoom(): // so nobody waits: release admits all it can
		s.number(call)
		return s.acked, nil
	}
	a := &admission{call: call, decided: make(chan struct{})}
	s.waiting = append(s.waiting, a)
	s.mu.Unlock()
	select {
	case <-a.decided:
	case <-ctx.Done():
	}
	s.mu.Lock()
	if s.closed {
		return 0, ErrClosed
	}
	if err := ctx.Err(); err != nil {
		s.withdraw(a)
		return 0, err
	}
	return s.acked, nil
}

func (s *session) hasRoom() bool { return s.next-s.acked < s.limits.window }

func (s *session) number(call *Call) {
	call.id = pbft.RequestID{Client: s.client, Session: s.id, T: s.next}
	s.open[s.next] = call
	s.next++
}

// withdraw takes back an admission. A number that it has already stays unused.
func (s *session) withdraw(a *admission) {
	if a.call.id.T != 0 {
		s.release(a.call)
		return
	}
	s.waiting = slices.DeleteFunc(s.waiting, func(other *admission) bool { return other == a })
}

// release gives up a call's number, acknowledges as far as that allows, and admits who waited for it.
func (s *session) release(call *Call) {
	delete(s.open, call.id.T)
	for s.acked < s.next && s.open[s.acked] == nil {
		s.acked++
	}
	for len(s.waiting) > 0 && s.hasRoom() {
		first := s.waiting[0]
		s.waiting[0] = nil
		s.waiting = s.waiting[1:]
		s.number(first.call)
		close(first.decided)
	}
}
