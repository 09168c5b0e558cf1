package client

import (
	"maps"
	"slices"
	"time"

	"tagma/pbft"
)

// expire notes that the replicas hold this session no more: newer ones of its key pushed it out (C1). What is open under
// it is asked for once more, to learn the same or an outcome that was on its way; then a new session begins.
func (s *session) expire() {
	s.expired = true
	now := time.Now()
	for _, t := range slices.Sorted(maps.Keys(s.open)) {
		r := s.open[t]
		switch {
		case r == nil || r.frame == nil: // gone with an earlier one; or on its way out, to come back as expired
		case r.semantics == AtLeastOnce:
			s.putOff(r, now)
		case r.semantics.sentOnce():
			if r.passed {
				s.lose(r)
			}
		default:
			r.hedge = false
			s.schedule(r, now)
		}
	}
}

// putOff takes an at-least-once parcel out of the session that has expired; the next one carries it on after a while.
func (s *session) putOff(r *request, now time.Time) {
	for _, attempt := range r.attempts {
		s.giveUp(attempt)
	}
	r.attempts = append(r.attempts[:0], r)
	r.wantsWhole, r.hedge = false, false
	r.planned = now.Add(s.pace.after(r.tries))
	s.schedule(r, r.planned)
}

// renew begins a new session. Replicas are told where its replies go, now or when their links come up: a request goes to the
// primary alone, so the others would have nowhere to send what they say of it.
func (s *session) renew() {
	s.expired = false
	s.id = s.fresh()
	s.next, s.acked = 1, 1
	s.send.Open(pbft.Encode(&pbft.Attach{Session: s.id}))
}
