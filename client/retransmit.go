package client

import (
	"fmt"
	"time"

	"tagma/pbft"
)

// idle is how long run sleeps when no request is under way.
const idle = time.Hour

// wholeGrace is how long whole results are waited for, at least, when f+1 replicas have told their digest (C5).
const wholeGrace = 5 * time.Millisecond

// errSilence is why the outcome of a request that is sent once is not known.
var errSilence = fmt.Errorf("it is not sent again, and %v are over", lostAfter)

// run sends again what is due, and what waits in line, until the session is closed.
func (s *session) run() {
	timer := time.NewTimer(idle)
	defer timer.Stop()
	for {
		timer.Reset(s.serveDue())
		s.sendWaiting()
		select {
		case <-timer.C:
		case <-s.wake:
		case <-s.stop:
			return
		}
	}
}

func (s *session) wakeUp() {
	select {
	case s.wake <- struct{}{}:
	default: // run is about to look anyway
	}
}

// launch signs a request that has its number and sends it.
func (s *session) launch(r *request) {
	m := &pbft.Request{ID: r.id, AckedBelow: r.below, ReadOnly: r.readOnly, Ops: r.ops}
	pbft.SignRequest(s.cluster, m, func(b []byte) pbft.Signature { return s.sign(b) })
	frame := pbft.Encode(m)

	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		if r.tries > 1 {
			r.finishUnknown(ErrClosed, s.weak) // an earlier number went out, perhaps in a session before
		} else {
			r.finish(notSent(ErrClosed))
		}
		return
	}
	if s.open[r.id.T] != r {
		return // given up meanwhile
	}
	r.digest, r.frame, r.first = m.Digest(), frame, time.Now()
	s.transmitFirst(r)
}

// transmitFirst sends a request to the primary alone; when it is not connected, or did not answer an earlier attempt, to
// all at once, since the backups relay.
func (s *session) transmitFirst(r *request) {
	r.transmissions = 1
	s.hedger.sent()
	if primary := s.views.primary(); r.tries == 1 && s.send.Send(primary, r.frame) {
		r.sentTo = primary
	} else {
		s.broadcast(r)
	}
	if r.semantics.sentOnce() {
		r.planned = r.first.Add(passAfter)
		s.schedule(r, r.planned)
		return
	}
	r.planned = r.first.Add(s.pace.after(r.tries))
	at := r.planned
	if wait, ok := s.hedger.after(&s.pace); ok && r.sentTo >= 0 && r.first.Add(wait).Before(at) {
		r.hedge, at = true, r.first.Add(wait)
	}
	s.schedule(r, at)
}

func (s *session) broadcast(r *request) {
	for to := range s.n {
		s.send.Send(to, r.frame) // whoever is not connected is reached by the next transmission
	}
}

// schedule has run look at a request at a time.
func (s *session) schedule(r *request, at time.Time) {
	r.again = at
	if r.place < 0 {
		s.due.add(r)
	} else {
		s.due.moved(r)
	}
	if at.Before(s.planned) {
		s.wakeUp()
	}
}

// serveDue acts on the requests whose time has come and returns how long there is nothing to do.
func (s *session) serveDue() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for len(s.due) > 0 && !s.due[0].again.After(now) {
		s.act(s.due[0], now)
	}
	wait := idle
	if len(s.due) > 0 {
		wait = s.due[0].again.Sub(now)
	}
	s.planned = now.Add(wait)
	return wait
}

// act does what is due for a request, and takes it out of the queue or puts it off.
func (s *session) act(r *request, now time.Time) {
	switch {
	case r.hedge:
		r.hedge = false
		if s.hedger.spend(now, &s.pace) {
			s.hedgeNow(r)
		}
		s.schedule(r, r.planned)
	case r.semantics.sentOnce() && (r.semantics == BestEffort || s.expired || now.Sub(r.first) >= lostAfter):
		s.lose(r)
	case r.semantics.sentOnce() && !r.wantsWhole:
		r.passed = true
		s.unwait(r.parcel)
		s.schedule(r, r.first.Add(lostAfter))
		s.acknowledge()
	case r.semantics == AtLeastOnce && !r.wantsWhole:
		s.due.remove(r)
		s.retries = append(s.retries, r.parcel)
		if s.expired { // it was on its way out when the session ended, which must not wait for its answer
			s.giveUp(r)
			s.acknowledge()
		}
	default:
		s.retransmit(r, now)
	}
}

func (s *session) retransmit(r *request, now time.Time) {
	s.broadcast(r)
	r.transmissions++
	wait := s.pace.after(r.transmissions)
	if r.abandoned() {
		wait = s.pace.jitter(slowPace)
	}
	r.planned = now.Add(wait)
	s.schedule(r, r.planned)
}

// hedgeNow sends a request to those that were not sent it.
func (s *session) hedgeNow(r *request) {
	for to := range s.n {
		if to != r.sentTo {
			s.send.Send(to, r.frame)
		}
	}
}

// askForWhole has a request sent to all when f+1 replicas agree on results that nobody has sent whole: soon, and at once
// when there is nobody left to wait for. It will not be executed again, whatever its semantics: it was.
func (s *session) askForWhole(r *request) {
	if r.wantsWhole {
		return
	}
	r.wantsWhole, r.hedge = true, false
	at := time.Now()
	if r.kept == nil && r.transmissions == 1 {
		at = at.Add(max(s.pace.mean, wholeGrace))
	}
	if r.place < 0 || at.Before(r.again) {
		s.schedule(r, at)
	}
}

// backOff heeds the hint of an overloaded replica (C6). However often replicas say so, one transmission is put off by
// maxTimeout at most; and fewer than f+1 of them, who may all lie, by the ordinary patience.
func (s *session) backOff(r *request, hint time.Duration) {
	limit := s.pace.timeout()
	if r.votes.busy() >= s.weak {
		limit = maxTimeout
		s.hedger.busy(time.Now())
	}
	if r.place < 0 || r.semantics.sentOnce() {
		return
	}
	if r.hedge {
		r.hedge, r.again = false, r.planned
	}
	later := r.planned.Add(min(s.pace.jitter(min(hint, limit)), maxTimeout))
	if later.Before(r.again) {
		later = r.again
	}
	s.schedule(r, later)
}
