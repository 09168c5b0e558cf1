package session

import (
	"slices"
	"time"

	"tagma/pbft/wire"
)

// hasRoom reports whether a new request may go out that begins with the call: into the window (C2), and among those in
// flight.
func (s *Session) hasRoom(first *Call) bool {
	return s.hasNumber() && (s.inFlight < s.cfg.Limits.InFlight || first.alone && s.inFlight < s.cfg.Limits.Alone)
}

// hasNumber reports whether the window has a number left.
func (s *Session) hasNumber() bool {
	return !s.expired && !s.choice.pending && s.next-s.acked < s.cfg.Limits.Window
}

// hasNumberAgain reports whether what is sent at least once may have a further number. When the window is full, the lowest
// one makes way if it was not answered in time: it is not sent again, so nothing else might ever make room.
func (s *Session) hasNumberAgain() bool {
	return s.hasNumber() || !s.expired && !s.choice.pending && s.open[s.acked].timedOut()
}

// timedOut reports whether a request waits for answers only, because its operations go out under another number.
func (r *Request) timedOut() bool {
	return r != nil && r.Semantics == AtLeastOnce && r.frame != nil && r.place < 0
}

// retry finds the first parcel that may go out under a further number; −1: none may.
func (s *Session) retry() int {
	if len(s.retries) == 0 || !s.hasNumberAgain() {
		return -1
	}
	return slices.IndexFunc(s.retries, func(p *parcel) bool { return p.beyond < s.acked })
}

// Sendable reports whether something waits that may go out: Next would give it.
func (s *Session) Sendable() bool {
	return s.retry() >= 0 || len(s.line.calls) > 0 && s.hasRoom(s.line.calls[0])
}

// number gives a parcel the next number.
func (s *Session) number(p *parcel) *Request {
	r := &Request{
		parcel: p, id: wire.RequestID{Client: s.cfg.Client, Session: s.id, T: s.next},
		below: s.acked, votes: make(votes[verdict], s.cfg.Replicas), place: -1, sentTo: -1,
	}
	s.open[s.next] = r
	s.next++
	if p.tries == 0 {
		p.waited = true
		s.inFlight++
	}
	p.tries++
	p.id = r.id
	p.attempts = append(p.attempts, r)
	if len(p.attempts) > maxAttempts {
		s.giveUp(p.attempts[0])
		p.attempts = p.attempts[1:]
		s.acknowledge()
	}
	return r
}

// Next numbers what is to go out next, to be sealed and launched; nil if nothing may.
func (s *Session) Next(now time.Duration) *Request {
	s.now = now
	for i := s.retry(); i >= 0; i = s.retry() {
		p := s.retries[i]
		s.retries = slices.Delete(s.retries, i, i+1)
		if len(p.attempts) == 0 || p.Semantics == ExactlyOnce && p.abandoned() {
			continue // one of them was answered meanwhile, or it was refused and nobody waits
		}
		if !s.hasNumber() {
			s.giveUp(s.open[s.acked]) // its parcel still lists it: it was not answered
			s.acknowledge()
		}
		return s.number(p)
	}
	if len(s.line.calls) == 0 || !s.hasRoom(s.line.calls[0]) {
		return nil
	}
	return s.number(newParcel(s.take()))
}

// giveUp forgets a request, and that its number is not answered.
func (s *Session) giveUp(r *Request) {
	s.due.remove(r)
	if s.open[r.id.T] == r { // not a request of a newer session
		delete(s.open, r.id.T)
	}
}

// retire ends a parcel's way: its numbers are free.
func (s *Session) retire(p *parcel) {
	for _, r := range p.attempts {
		s.giveUp(r)
	}
	p.attempts = nil
	s.unwait(p)
	s.acknowledge()
}

// unwait notes that nobody waits for a parcel: it does not count as in flight any more.
func (s *Session) unwait(p *parcel) {
	if p.waited {
		p.waited = false
		s.inFlight--
	}
}

// acknowledge raises acked over what needs no answer any more. That may make room, or end the session's last duty.
func (s *Session) acknowledge() {
	for s.acked < s.next && (s.open[s.acked] == nil || s.open[s.acked].passed) {
		s.acked++
	}
	if s.expired && len(s.open) == 0 {
		s.renew()
	}
}
