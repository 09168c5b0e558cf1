package session

import (
	"slices"
	"time"

	"tagma/pbft/wire"
)

// How a session gets its number (C1). A clock alone does not do: after one that was ahead, or on a machine whose clock is
// behind those of others with the same key, it gives numbers that are expired already. So every replica answers the opening
// of a link with a hint of what it holds of the key, and a number is above what f+1 of them hold: one of these is correct,
// so that no liar can drive the numbers up. Hints of n−f are waited for, so that liars cannot hide what is held either.
const (
	// hintPatience is how long hints are waited for while f+1 replicas are connected: older ones give none.
	hintPatience = time.Second
	hintAgain    = 100 * time.Millisecond
	// numberSpread is how far above what is held a number may be, at random: other programs choose at the same time.
	numberSpread = 1 << 30
	// noClock is where the numbers begin that no clock gives and nobody need go above: a key whose owner opened one can be
	// used below it as long as its floor is.
	noClock = 1 << 63
)

// choice is how far a session is with its number.
type choice struct {
	pending bool             // no request has a number before this is over
	hints   []*wire.Attached // by replica; nil: none
	again   time.Duration    // when to ask for what is missing
	until   time.Duration    // when to go on without it; 0: nobody waits yet
}

func newChoice(n int) choice { return choice{pending: true, hints: make([]*wire.Attached, n)} }

// reached is what f+1 hints reach or exceed; 0 when there are fewer.
func (c *choice) reached(weak int, of func(*wire.Attached) wire.Session) wire.Session {
	var values []wire.Session
	for _, h := range c.hints {
		if h != nil {
			values = append(values, of(h))
		}
	}
	slices.Sort(values)
	if len(values) < weak {
		return 0
	}
	return values[len(values)-weak]
}

// highest is the highest number that was in use.
func highest(h *wire.Attached) wire.Session { return max(h.Highest, h.Floor) }

func floor(h *wire.Attached) wire.Session { return h.Floor }

// missing is how many hints are waited for.
func (s *Session) missing() (n int) {
	for _, h := range s.choice.hints {
		if h != nil {
			n++
		}
	}
	return s.cfg.Replicas - s.cfg.Weak + 1 - n
}

// hinted takes a replica's hint: its last one counts. Where nothing is numbered yet the number follows it. Where nothing is
// open, and f+1 replicas say that the session is expired, a fresh one begins, and no caller hears of it.
func (s *Session) hinted(from int, h *wire.Attached) {
	if h.Session != s.id {
		return
	}
	c := &s.choice
	c.hints[from] = h
	switch {
	case s.next == 1:
		if s.missing() <= 0 {
			c.pending = false
		}
		if !c.pending {
			s.rise()
		}
	case len(s.open) == 0 && c.reached(s.cfg.Weak, floor) >= s.id:
		s.renew()
	}
}

// rise takes a number above what is held, if this one is not.
func (s *Session) rise() {
	held, expired := s.choice.reached(s.cfg.Weak, highest), s.choice.reached(s.cfg.Weak, floor)
	if held >= noClock {
		held = expired
	}
	if s.id > held || held >= noClock {
		return
	}
	s.id = s.cfg.Fresh(held + 1 + wire.Session(s.cfg.Random.Int64N(numberSpread)))
	s.cfg.Host.Open(s.Opening())
}

// choosing reports whether somebody waits for a number that is not chosen yet.
func (s *Session) choosing() bool { return s.choice.pending && len(s.line.calls)+len(s.retries) > 0 }

// choose goes on with the choice while somebody waits for a number: it asks those again who gave no hint, and ends the wait
// when patience is over. Where too few are connected to answer a request it could not be sent anyway.
func (s *Session) choose() {
	if !s.choosing() {
		return
	}
	c := &s.choice
	patience := s.cfg.HintPatience
	if patience == 0 {
		patience = hintPatience
	}
	if c.until == 0 {
		c.again, c.until = s.now+hintAgain, s.now+patience
	}
	if s.now < c.again {
		return
	}
	c.again = s.now + hintAgain
	reached, opening := 0, s.Opening()
	for to, h := range c.hints {
		if h != nil || s.cfg.Host.Send(to, opening) {
			reached++
		}
	}
	switch {
	case reached < s.cfg.Weak:
		c.until = s.now + patience
	case s.now >= c.until:
		c.pending = false
		s.rise()
	}
}

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
// primary alone, so the others would have nowhere to send what they say of it. They answer with new hints.
func (s *Session) renew() {
	s.expired = false
	s.id = s.cfg.Fresh(s.id + 1)
	s.next, s.acked = 1, 1
	for _, p := range s.retries {
		p.beyond = 0
	}
	s.choice = newChoice(s.cfg.Replicas)
	s.cfg.Host.Open(s.Opening())
	s.choose()
}
