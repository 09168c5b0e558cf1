package session

import (
	"slices"
	"time"

	"tagma/pbft/wire"
)

// How a session gets its number (C1). A clock alone is not enough: after a clock that was ahead, or beside other
// machines with the same key whose clocks are ahead, it gives numbers that have already expired. So every replica
// answers the opening of a link with a hint about the sessions that it holds of the key. The session's number is above
// what f+1 of the hints say. One of those replicas is correct, so liars cannot drive the numbers up. The session waits
// for n−f hints, so that liars cannot hide what is held either.
const (
	// hintPatience is how long the session waits for hints while f+1 replicas are connected. Older replicas give none.
	hintPatience = time.Second
	hintAgain    = 100 * time.Millisecond
	// numberSpread bounds the random distance from the held numbers: other programs may choose a number at the same time.
	numberSpread = 1 << 30
	// noClock is the lowest of the numbers that no clock gives. Other sessions need not go above them: if the owner of
	// a key opened one, numbers below it can be used as long as the floor is below noClock.
	noClock = 1 << 63
)

// choice says how far the session is with choosing its number.
type choice struct {
	pending bool             // no request has a number before the choice is over
	hints   []*wire.Attached // by replica; nil: no hint yet
	again   time.Duration    // when to ask again for missing hints
	until   time.Duration    // when to go on without them; 0: nobody waits yet
}

func newChoice(n int) choice { return choice{pending: true, hints: make([]*wire.Attached, n)} }

// reached is the highest value that f+1 hints reach or exceed; 0 if there are fewer hints.
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

// highest is the highest session number that was in use.
func highest(h *wire.Attached) wire.Session { return max(h.Highest, h.Floor) }

func floor(h *wire.Attached) wire.Session { return h.Floor }

// hinting is how many replicas have given a hint.
func (s *Session) hinting() (n int) {
	for _, h := range s.choice.hints {
		if h != nil {
			n++
		}
	}
	return n
}

// missing is how many hints the session still waits for. Where one replica convinces a client it waits for all of them: an
// operation of an earlier session may have been executed at one replica only, so far (F3).
func (s *Session) missing() int { return s.cfg.Replicas - s.cfg.Weak + 1 - s.hinting() }

// hinted takes a replica's hint, which replaces its earlier one. If no request has a number yet, the session's number
// follows the hints. If no request is open and f+1 replicas say that the session has expired, a new session begins
// without any caller being told.
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

// rise raises the session's number above those held, if it is not above them yet.
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

// choose continues the choice while somebody waits for a number. It asks replicas that gave no hint again, and ends the
// wait when patience is over. If too few replicas are connected to answer a request, it waits on, since no request
// could be sent anyway.
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
	case s.now >= c.until, s.cfg.HintPatience == 0 && s.hinting() >= s.cfg.remaining(): // the others may be dead
		c.pending = false
		s.rise()
	}
}

// expire notes that the replicas no longer hold this session, because newer sessions of its key displaced it (C1). Open
// requests are sent once more, which yields either the same answer or an outcome that was on its way; then a new
// session begins.
func (s *Session) expire() {
	s.expired = true
	for _, r := range s.inOrder() {
		switch {
		case s.open[r.id.T] != r || r.frame == nil: // dropped with an earlier one; or about to be sent, which will show that it has expired
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

// putOff removes an at-least-once parcel from the expired session; the next session sends it again after a while.
func (s *Session) putOff(r *Request) {
	for _, attempt := range r.attempts {
		s.giveUp(attempt)
	}
	r.attempts = append(r.attempts[:0], r)
	r.beyond = 0 // an earlier refusal was of a number of this session
	r.wantsWhole, r.hedge = false, false
	r.planned = s.now + s.pace.after(r.tries)
	s.schedule(r, r.planned)
}

// renew begins a new session. All replicas are told where its replies go, at once or when their links come up: a request
// goes to the primary alone, so the others would otherwise have nowhere to send their replies. They answer with new hints.
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
