package client

import "time"

// idle is how long run sleeps when no request is under way.
const idle = time.Hour

// run sends again what is due, until the session is closed.
func (s *session) run() {
	timer := time.NewTimer(idle)
	defer timer.Stop()
	for {
		timer.Reset(s.retransmitDue())
		select {
		case <-timer.C:
		case <-s.wake:
		case <-s.stop:
			return
		}
	}
}

// retransmitDue broadcasts the requests whose time has come and returns how long there is nothing to do.
func (s *session) retransmitDue() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for len(s.due) > 0 && !s.due[0].again.After(now) {
		call := s.due[0]
		s.broadcast(call)
		call.transmissions++
		if call.abandoned {
			s.plan(call, now, s.pace.jitter(slowPace))
		} else {
			s.plan(call, now, s.pace.after(call.transmissions))
		}
		s.due.moved(call)
	}
	wait := idle
	if len(s.due) > 0 {
		wait = s.due[0].again.Sub(now)
	}
	s.planned = now.Add(wait)
	return wait
}

// transmitFirst sends a request to the primary alone; when it is not connected, to all at once, since the backups relay.
func (s *session) transmitFirst(call *Call) {
	if !s.send.Send(s.views.primary(), call.frame) {
		s.broadcast(call)
	}
	call.transmissions = 1
	s.plan(call, call.first, s.pace.after(1))
	s.due.add(call)
	if call.again.Before(s.planned) {
		select {
		case s.wake <- struct{}{}:
		default: // run is about to look anyway
		}
	}
}

func (s *session) broadcast(call *Call) {
	for to := range s.n {
		s.send.Send(to, call.frame) // whoever is not connected is reached by the next transmission
	}
}

func (s *session) plan(call *Call, now time.Time, wait time.Duration) {
	call.planned = now.Add(wait)
	call.again = call.planned
}

// backOff heeds the hint of an overloaded replica (C6). However often replicas say so, one transmission is put off by
// maxTimeout at most; and fewer than f+1 of them, who may all lie, by the ordinary patience.
func (s *session) backOff(call *Call, hint time.Duration) {
	limit := maxTimeout
	if call.votes.busy() < s.weak {
		limit = s.pace.timeout()
	}
	later := call.planned.Add(min(s.pace.jitter(min(hint, limit)), maxTimeout))
	if later.After(call.again) {
		call.again = later
		s.due.moved(call)
	}
}
