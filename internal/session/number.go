package session

import (
	"slices"
	"time"

	"tagma/pbft/wire"
)

// How a session gets its number (C1). The clock alone is not enough. If a program's clock was once ahead, or another
// machine with the same key has a clock that is ahead, replicas hold sessions with high numbers, and the numbers of a
// correct clock have expired already. So when a link opens, every replica sends a hint about the sessions of the key
// that it holds. The session takes a number above what f+1 of the hints say. One of these replicas is correct, so liars
// cannot make the numbers rise. The session waits for n−f hints, so that liars cannot hide which sessions the others
// hold.
const (
	// hintPatience is how long the session waits for hints while f+1 replicas are connected. Older replicas send none.
	hintPatience = time.Second
	hintAgain    = 100 * time.Millisecond
	// numberSpread bounds the random distance from the held numbers: other programs may choose a number at the same time.
	numberSpread = 1 << 30
	// noClock is the lowest of the session numbers that no clock gives. A session with such a number is ignored when
	// another session chooses its number: lower numbers can be used as long as the floor is below noClock.
	noClock = 1 << 63
)

// choice is the state of the choice of the session's number.
type choice struct {
	pending bool             // no request has a number before the choice is over
	hints   []*wire.Attached // the last hint of each replica; nil: none has arrived
	again   time.Duration    // when to ask again for missing hints
	until   time.Duration    // when to continue without the missing hints; 0: no caller waits yet
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

// missing is how many hints the session still waits for. If the client believes a single replica, it waits for the hints
// of all: an operation of an earlier session may so far have been executed at only one replica (F3).
func (s *Session) missing() int { return s.cfg.Replicas - s.cfg.Weak + 1 - s.hinting() }

// hinted takes a replica's hint, which replaces its earlier one. If no request has a number yet, the session's number
// follows the hints. If no request is open and f+1 replicas say that the session has expired, a new session begins, and
// no caller gets an error.
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

// rise makes the session's number larger than those that replicas hold, if it is not yet.
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

// choosing reports whether a caller waits for the session's number to be chosen.
func (s *Session) choosing() bool { return s.choice.pending && len(s.line.calls)+len(s.retries) > 0 }

// choose continues the choice while a caller waits for the number. It asks replicas that gave no hint again, and ends
// the wait when patience is over. If too few replicas are connected to answer a request, it waits on, since no request
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

// expire notes that the replicas no longer hold this session, because newer sessions of its key displaced it (C1). Each
// open request is sent once more. Its answer says that the session has expired, or an answer from before arrives. When
// no request is open, a new session begins.
func (s *Session) expire() {
	s.expired = true
	for _, r := range s.inOrder() {
		switch {
		case r.answer != nil: // only its receipt is missing
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

// putOff removes an at-least-once parcel from the expired session. The next session will send it again after a while.
func (s *Session) putOff(r *Request) {
	for _, attempt := range r.attempts {
		s.giveUp(attempt)
	}
	r.attempts = append(r.attempts[:0], r)
	r.beyond = 0 // the number that it had to wait for was one of this session
	r.wantsWhole, r.hedge = false, false
	r.planned = s.now + s.pace.after(r.tries)
	s.schedule(r, r.planned)
}

// renew begins a new session. It is announced to all replicas, at once or when their links come up. Without the
// announcement, only the primary would know over which link to reply, because a request is sent only to the primary.
// They answer with new hints.
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
