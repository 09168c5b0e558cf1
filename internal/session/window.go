package session

import (
	"fmt"
	"slices"
	"time"

	"tagma/pbft/wire"
)

// hasRoom reports whether a new request that begins with this call may be sent: the window has a free number (C2), and
// not too many requests are in flight.
func (s *Session) hasRoom(first *Call) bool {
	return s.hasNumber() && (s.inFlight < s.cfg.Limits.InFlight || first.alone && s.inFlight < s.cfg.Limits.Alone)
}

// hasNumber reports whether the window has a free number.
func (s *Session) hasNumber() bool {
	return !s.expired && !s.choice.pending && s.next-s.acked < s.cfg.Limits.Window
}

// hasNumberAgain reports whether an at-least-once parcel may have a further number. If the window is full and the lowest
// request has timed out, the number of that request is freed. Such a request is not sent again, so otherwise its number
// might never become free.
func (s *Session) hasNumberAgain() bool {
	return s.hasNumber() || !s.expired && !s.choice.pending && s.open[s.acked].timedOut()
}

// timedOut reports whether a request only waits for late answers, because its operations are sent again under another
// number.
func (r *Request) timedOut() bool {
	return r != nil && r.Semantics == AtLeastOnce && r.frame != nil && r.place < 0 && r.answer == nil
}

// retry returns the place of the first parcel that may be sent under a further number; −1 if there is none.
func (s *Session) retry() int {
	if len(s.retries) == 0 || !s.hasNumberAgain() {
		return -1
	}
	return slices.IndexFunc(s.retries, func(p *parcel) bool { return p.beyond < s.acked })
}

// Sendable reports whether Next would return a request.
func (s *Session) Sendable() bool {
	return s.retry() >= 0 || len(s.line.calls) > 0 && s.hasRoom(s.line.calls[0])
}

// number gives a parcel the next number and returns the request.
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

// Next returns the next request, which has its number, for the caller to seal and launch. It returns nil if none may be
// sent now.
func (s *Session) Next(now time.Duration) *Request {
	s.now = now
	for i := s.retry(); i >= 0; i = s.retry() {
		p := s.retries[i]
		s.retries = slices.Delete(s.retries, i, i+1)
		if len(p.attempts) == 0 || p.Semantics == ExactlyOnce && p.abandoned() {
			continue // one of its attempts was answered meanwhile, or it was refused and no caller waits for it
		}
		if !s.hasNumber() {
			s.giveUp(s.open[s.acked]) // its parcel still lists it, because an answer may still come
			s.acknowledge()
		}
		return s.number(p)
	}
	if len(s.line.calls) == 0 || !s.hasRoom(s.line.calls[0]) {
		return nil
	}
	return s.number(newParcel(s.take()))
}

// giveUp forgets a request, so that its number counts as done.
func (s *Session) giveUp(r *Request) {
	s.due.remove(r)
	if s.open[r.id.T] == r { // and not a request of a newer session with the same number
		delete(s.open, r.id.T)
	}
}

// retire removes a parcel whose outcome is known: all its numbers count as done.
func (s *Session) retire(p *parcel) {
	for _, r := range p.attempts {
		s.giveUp(r)
	}
	p.attempts = nil
	s.unwait(p)
	s.acknowledge()
}

// unwait says that no caller waits for a parcel any more, so that it no longer counts as in flight.
func (s *Session) unwait(p *parcel) {
	if p.waited {
		p.waited = false
		s.inFlight--
	}
}

// acknowledge raises acked over all numbers that are done. That may make room in the window, or end an expired session.
func (s *Session) acknowledge() {
	for s.acked < s.next && (s.open[s.acked] == nil || s.open[s.acked].passed) {
		s.acked++
	}
	if s.expired && len(s.open) == 0 {
		s.renew()
	}
}

// Limits are the limits of cluster.toml that a request must keep to be accepted, and what the caller chose.
type Limits struct {
	Window     uint64 // requests under way in one session
	Ops        int    // operations in a request
	OpBytes    int    // bytes of one operation
	TotalBytes int    // bytes of an encoded request

	Pack     int // operations of different calls in one request; 1: calls are not packed
	InFlight int // requests for which somebody waits
	Alone    int // like InFlight, for requests that are never packed; the larger of the two applies
}

// Defaults of a session that packs. A few packed requests in flight keep the replicas busy, and meanwhile further
// operations are collected for the next ones. Requests that are never packed gain nothing by waiting; with a few dozen
// of them in flight, the replicas' batches are full.
const (
	defaultInFlight = 8
	defaultAlone    = 64
)

// Choose adds to a cluster's limits what the caller chose: how many operations share a request, and how many requests
// may be in flight. 0 stands for the defaults: as many operations as fit, and 8 requests, or the window if nothing is
// packed.
func (l Limits) Choose(pack, inFlight int) Limits {
	window := int(l.Window)
	l.Pack = l.Ops
	if pack > 0 {
		l.Pack = min(pack, l.Ops)
	}
	l.InFlight, l.Alone = min(defaultInFlight, window), min(defaultAlone, window)
	if l.Pack == 1 {
		l.InFlight = window
	}
	if inFlight > 0 {
		l.InFlight, l.Alone = min(inFlight, window), 0
	}
	return l
}

// line returns how many calls, and how many bytes, may be inside the line before submitters are blocked. That is as much
// as the next requests can carry when those in flight are answered. Both are 0 if nothing is packed; submitters then
// wait for the window.
func (l *Limits) line() (calls, bytes int) {
	if l.Pack == 1 {
		return 0, 0
	}
	return l.Pack * l.InFlight, l.TotalBytes * l.InFlight
}

func (l *Limits) check(ops [][]byte) error {
	if len(ops) == 0 {
		return ErrEmpty
	}
	if len(ops) > l.Ops {
		return fmt.Errorf("%w: %d operations in a request; send 1 to %d at once (max_ops)", ErrTooLarge, len(ops), l.Ops)
	}
	for i, op := range ops {
		if len(op) > l.OpBytes {
			return fmt.Errorf("%w: operation %d has %d bytes; at most %d are allowed (max_op_bytes)", ErrTooLarge, i, len(op), l.OpBytes)
		}
	}
	if size := (&wire.Request{Ops: ops}).Size(); size > l.TotalBytes {
		return fmt.Errorf("%w: the request has %d bytes; at most %d are allowed (max_batch_bytes); send fewer operations at once",
			ErrTooLarge, size, l.TotalBytes)
	}
	return nil
}

// requestBytes is the encoded size of a request without operations.
var requestBytes = (&wire.Request{}).Size()
