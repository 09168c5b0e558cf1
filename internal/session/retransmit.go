package session

import (
	"container/heap"
	"fmt"
	"time"
)

// wholeGrace is how long whole results are waited for, at least, when f+1 replicas have told their digest (C5).
const wholeGrace = 5 * time.Millisecond

// errSilence is why the outcome of a request that is sent once is not known.
var errSilence = fmt.Errorf("it is not sent again, and %v are over", lostAfter)

// Launch sends a request that was sealed. One that could not be signed ends, and its number is free.
func (s *Session) Launch(now time.Duration, r *Request, sealed Sealed) {
	s.now = now
	if s.closed {
		if r.tries > 1 {
			s.finishUnknown(r, ErrClosed) // an earlier number went out, perhaps in a session before
		} else {
			r.finish(notSent(ErrClosed))
		}
		return
	}
	if s.open[r.id.T] != r {
		return // given up meanwhile
	}
	if sealed.Err != nil {
		if r.tries > r.refused+1 { // at-least-once: another number went out
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

// transmitFirst sends a request to the primary alone; when it is not connected, or did not answer an earlier attempt, to
// all at once, since the backups relay.
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
		s.cfg.Host.Send(to, r.frame) // whoever is not connected is reached by the next transmission
	}
	r.sent(-1, false)
}

// schedule has a request acted on at a time.
func (s *Session) schedule(r *Request, at time.Duration) {
	r.again = at
	if r.place < 0 {
		s.due.add(r)
	} else {
		s.due.moved(r)
	}
}

// act does what is due for a request, and takes it out of the queue or puts it off.
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
		if s.expired { // it was on its way out when the session ended, which must not wait for its answer
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

// hedgeNow sends a request to those that were not sent it.
func (s *Session) hedgeNow(r *Request) {
	for to := range s.cfg.Replicas {
		if to != r.sentTo {
			s.cfg.Host.Send(to, r.frame)
		}
	}
	r.sent(-1, true)
}

// askForWhole has a request sent to all when f+1 replicas agree on results that nobody has sent whole: soon, and at once
// when there is nobody left to wait for. It will not be executed again, whatever its semantics: it was.
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

// backOff puts the next transmission off by the hint of an overloaded replica (C6): by maxTimeout at most, however many
// hints come, and by the ordinary timeout at most while fewer than f+1 replicas gave one, since these may all lie.
func (s *Session) backOff(r *Request, from int, hint time.Duration) {
	limit := s.pace.timeout()
	if busy(r.votes) >= s.cfg.Weak {
		limit = maxTimeout
		s.hedger.busy(s.now)
	}
	if r.Semantics.sentOnce() && r.place >= 0 && r.sentTo == from && !r.passed { // it went to one, who did not take it
		r.sentTo, r.turnedAway = -1, true
		s.schedule(r, min(s.now+s.pace.jitter(min(hint, limit)), r.planned))
	}
	if r.place < 0 || r.Semantics.sentOnce() {
		return
	}
	if r.hedge {
		r.hedge, r.again = false, r.planned
	}
	s.schedule(r, max(r.again, r.planned+min(s.pace.jitter(min(hint, limit)), maxTimeout)))
}

// deadlines is a heap of the requests under way, the next one to be sent again first.
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
