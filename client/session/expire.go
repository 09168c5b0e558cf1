package session

// expire notes that the replicas hold this session no more: newer ones of its key pushed it out (C1). What is open under
// it is asked for once more, to learn the same or an outcome that was on its way; then a new session begins.
func (s *Session) expire() {
	s.expired = true
	for _, r := range s.inOrder() {
		switch {
		case s.open[r.id.T] != r || r.frame == nil: // gone with an earlier one; or on its way out, to come back as expired
		case r.Semantics == AtLeastOnce:
			s.putOff(r)
		case r.Semantics.sentOnce():
			if r.passed {
				s.lose(r)
			}
		default:
			r.hedge = false
			s.schedule(r, s.now)
		}
	}
}

// putOff takes an at-least-once parcel out of the session that has expired; the next one carries it on after a while.
func (s *Session) putOff(r *Request) {
	for _, attempt := range r.attempts {
		s.giveUp(attempt)
	}
	r.attempts = append(r.attempts[:0], r)
	r.wantsWhole, r.hedge = false, false
	r.planned = s.now + s.pace.after(r.tries)
	s.schedule(r, r.planned)
}

// renew begins a new session. Replicas are told where its replies go, now or when their links come up: a request goes to the
// primary alone, so the others would have nowhere to send what they say of it.
func (s *Session) renew() {
	s.expired = false
	s.id = s.cfg.Fresh()
	s.next, s.acked = 1, 1
	s.cfg.Host.Open(s.Opening())
}
