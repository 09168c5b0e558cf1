package session

import (
	"container/heap"
	"fmt"
	"time"
)

// wholeGrace is how long the session waits at least for whole results, after f+1 replicas have sent the results' digest
// (C5).
const wholeGrace = 5 * time.Millisecond

// errSilence is the reason why the outcome of a request that is sent only once can be unknown.
var errSilence = fmt.Errorf("it is not sent again, and %v are over", lostAfter)

// Launch sends a sealed request. If the request could not be signed, its calls end and its number can be used again.
func (s *Session) Launch(now time.Duration, r *Request, sealed Sealed) {
	s.now = now
	if s.closed {
		if r.tries > 1 {
			s.finishUnknown(r, ErrClosed) // the operation was sent under an earlier number, perhaps in an earlier session
		} else {
			r.finish(notSent(ErrClosed))
		}
		return
	}
	if s.open[r.id.T] != r {
		return // given up meanwhile
	}
	if sealed.Err != nil {
		if r.tries > r.refused+1 { // at-least-once: another number was sent
			s.finishUnknown(r, sealed.Err)
		} else {
			r.finish(notSent(sealed.Err))
		}
		s.retire(r.parcel)
		return
	}
	r.digest, r.frame, r.first = sealed.Message.Digest(), sealed.Frame, now
	s.transmitFirst(r)
}

// transmitFirst sends a request to the primary alone. If the primary is not connected, or did not answer an earlier
// attempt, it sends the request to all, since backups relay it.
func (s *Session) transmitFirst(r *Request) {
	r.transmissions = 1
	s.hedger.sent()
	if primary := s.views.primary(); r.tries == 1 && s.cfg.Host.Send(primary, r.frame) {
		r.sentTo = primary
		r.sent(primary, false)
	} else {
		s.broadcast(r)
	}
	if r.Semantics.sentOnce() {
		r.planned = r.first + passAfter
		s.schedule(r, r.planned)
		return
	}
	r.planned = r.first + s.pace.after(r.tries)
	at := r.planned
	if wait, ok := s.hedger.after(&s.pace); ok && r.sentTo >= 0 && r.first+wait < at {
		r.hedge, at = true, r.first+wait
	}
	s.schedule(r, at)
}

func (s *Session) broadcast(r *Request) {
	for to := range s.cfg.Replicas {
		s.cfg.Host.Send(to, r.frame) // a replica that is not connected gets the next transmission
	}
	r.sent(-1, false)
}

// schedule sets the time at which to act on a request.
func (s *Session) schedule(r *Request, at time.Duration) {
	r.again = at
	if r.place < 0 {
		s.due.add(r)
	} else {
		s.due.moved(r)
	}
}

// act does what is due for a request, and then schedules it again or removes it from the queue.
func (s *Session) act(r *Request) {
	switch {
	case r.hedge:
		r.hedge = false
		if s.hedger.spend(s.now, &s.pace) {
			s.hedgeNow(r)
		}
		s.schedule(r, r.planned)
	case r.turnedAway && s.now < r.planned:
		r.turnedAway = false
		s.broadcast(r)
		s.schedule(r, r.planned)
	case r.Semantics.sentOnce() && (r.Semantics == BestEffort || s.expired || s.now-r.first >= lostAfter):
		s.lose(r)
	case r.Semantics.sentOnce() && !r.wantsWhole:
		r.passed = true
		s.unwait(r.parcel)
		s.schedule(r, r.first+lostAfter)
		s.acknowledge()
	case (r.disputed || r.Semantics == AtLeastOnce && r.tries > 1) && s.disagrees(r):
		s.endUnequal(r)
	case r.Semantics == AtLeastOnce && !r.wantsWhole:
		s.due.remove(r)
		s.retries = append(s.retries, r.parcel)
		// The session is ending, so it must not wait for the answer to a request that would now be sent again.
		if s.expired {
			s.giveUp(r)
			s.acknowledge()
		}
	default:
		s.retransmit(r)
	}
}

func (s *Session) retransmit(r *Request) {
	r.disputed = s.disagrees(r)
	s.broadcast(r)
	r.transmissions++
	wait := s.pace.after(r.transmissions)
	if r.abandoned() {
		wait = s.pace.jitter(slowPace)
	}
	r.planned = s.now + wait
	s.schedule(r, r.planned)
}

// hedgeNow sends a request to the replicas to which it was not sent yet.
func (s *Session) hedgeNow(r *Request) {
	for to := range s.cfg.Replicas {
		if to != r.sentTo {
			s.cfg.Host.Send(to, r.frame)
		}
	}
	r.sent(-1, true)
}

// askForWhole has a request sent to all replicas when f+1 of them agree on results that nobody has sent whole. It is
// sent after wholeGrace, or at once if all replicas have answered. This is allowed for all semantics: the request was
// executed already, so it is not executed again.
func (s *Session) askForWhole(r *Request) {
	if r.wantsWhole {
		return
	}
	r.wantsWhole, r.hedge = true, false
	at := s.now
	if r.kept == nil && r.transmissions == 1 {
		at += max(s.pace.mean, wholeGrace)
	}
	if r.place < 0 || at < r.again {
		s.schedule(r, at)
	}
}

// backOff postpones the next transmission because an overloaded replica asked for that (C6). However many such hints
// come, it postpones by at most maxTimeout. While fewer than f+1 replicas have sent a hint, all of them may be liars, so
// it then postpones by at most the ordinary timeout.
func (s *Session) backOff(r *Request, from int, hint time.Duration) {
	limit := s.pace.timeout()
	if busy(r.votes) >= s.cfg.Weak {
		limit = maxTimeout
		s.hedger.busy(s.now)
	}
	// It was sent to only one replica, which did not accept it.
	if r.Semantics.sentOnce() && r.place >= 0 && r.sentTo == from && !r.passed {
		r.sentTo, r.turnedAway = -1, true
		s.schedule(r, min(s.now+s.pace.jitter(min(hint, limit)), r.planned))
	}
	if r.place < 0 || r.Semantics.sentOnce() {
		return
	}
	if r.hedge {
		r.hedge, r.again = false, r.planned
	}
	if limit == maxTimeout && !r.inTurn {
		r.inTurn, s.turned = true, append(s.turned, r)
	}
	s.schedule(r, max(r.again, r.planned+min(s.pace.jitter(min(hint, limit)), maxTimeout)))
}

// another sends a request again that f+1 replicas did not accept because they were overloaded. It chooses the one that
// has waited longest. It is called when any answer arrives, because that shows that there is room for another request
// (C6). Without this, after an outage the next transmissions would be maxTimeout away, although the cluster serves
// again. One answer causes one transmission, so that an overload does not grow.
func (s *Session) another() {
	for len(s.turned) > 0 {
		r := s.turned[0]
		s.turned[0], s.turned = nil, s.turned[1:]
		r.inTurn = false
		if s.open[r.id.T] == r && r.place >= 0 && !r.abandoned() && busy(r.votes) >= s.cfg.Weak {
			s.schedule(r, s.now)
			return
		}
	}
}

// deadlines is a heap of the requests under way; the one to act on next comes first.
type deadlines []*Request

func (d deadlines) Len() int           { return len(d) }
func (d deadlines) Less(i, j int) bool { return d[i].again < d[j].again }
func (d deadlines) Swap(i, j int) {
	d[i], d[j] = d[j], d[i]
	d[i].place, d[j].place = i, j
}

// Push implements heap.Interface.
func (d *deadlines) Push(x any) {
	c := x.(*Request)
	c.place = len(*d)
	*d = append(*d, c)
}

// Pop implements heap.Interface.
func (d *deadlines) Pop() any {
	last := len(*d) - 1
	c := (*d)[last]
	(*d)[last] = nil
	*d = (*d)[:last]
	c.place = -1
	return c
}

func (d *deadlines) add(c *Request)   { heap.Push(d, c) }
func (d *deadlines) moved(c *Request) { heap.Fix(d, c.place) }

func (d *deadlines) remove(c *Request) {
	if c.place >= 0 {
		heap.Remove(d, c.place)
	}
}
