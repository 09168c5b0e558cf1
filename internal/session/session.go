package session

import (
	"math/rand/v2"
	"slices"
	"time"

	"tagma/pbft/wire"
)

// Config is what a session is made of.
type Config struct {
	Cluster  wire.Digest
	Replicas int
	Weak     int // f+1 of them
	Limits   Limits

	Client wire.PublicKey
	Sign   func([]byte) (wire.Signature, error) // an error: the key cannot be used now
	ID     wire.Session                         // the first one, if it is not expired
	// Fresh is another number that is not below above: the clock's, if that is so.
	Fresh func(above wire.Session) wire.Session

	Host      Host
	Random    *rand.Rand // spreads retransmissions
	NoHedging bool
	// HintPatience is how long replicas that are connected may take to say which number is free (C1); 0: a second.
	HintPatience time.Duration
	Settled      func(Settlement) // hears of every outcome that is believed; nil: nobody does
}

// Host does what a session decides. The session calls it within its own methods, which it must not call from there.
type Host interface {
	// Send queues a frame for a replica without blocking and reports whether it was taken.
	Send(to int, frame []byte) bool
	// Open queues a frame for every replica: now, or as the first when its link comes up (again).
	Open(frame []byte)
}

// Session numbers, signs and follows the requests of one (client key, session number) (C1, C2), and of a fresh number when
// that has expired. Its methods are for one goroutine at a time, Seal, Prepare and Hear excepted. The time is counted from
// any beginning, and never goes back. After every event the caller seals and launches what Next gives, and calls Due when
// it is the time that Wake gives.
//
//   - Numbers are used in order from 1. A number in open is not answered yet; acked is the lowest of those that are not
//     passed, or next.
//   - Before the first request of a number the replicas say which numbers are free: choice, in number.go.
//   - next < acked + window, since the replicas refuse more. So it is the answers that make room, whatever the callers
//     do: an exactly-once request whose caller gave up stays in open, or its number could never be acknowledged.
type Session struct {
	cfg Config
	now time.Duration

	closed   bool
	expired  bool // nothing new goes out before a new session begins
	id       wire.Session
	choice   choice // of id
	next     uint64 // number of the next request
	acked    uint64
	open     map[uint64]*Request
	inFlight int       // parcels that somebody waits for
	retries  []*parcel // to go out under another number (C7)
	line     line
	due      deadlines
	pace     pace
	hedger   hedger
	views    *viewHints
	queries  queries
}

// New begins a session. Replicas must be told where its replies go, as by Host.Open: Opening is what to tell them.
func New(cfg Config) *Session {
	return &Session{
		cfg: cfg, id: cfg.ID, choice: newChoice(cfg.Replicas), next: 1, acked: 1,
		open:   make(map[uint64]*Request),
		pace:   pace{random: cfg.Random},
		hedger: hedger{off: cfg.NoHedging, saved: 1},
		views:  newViewHints(cfg.Replicas, cfg.Weak),
	}
}

// Opening is the frame that tells a replica where the session's replies go.
func (s *Session) Opening() []byte { return wire.Encode(&wire.Attach{Session: s.id}) }

// ID is the number of the session.
func (s *Session) ID() wire.Session { return s.id }

// Idle reports whether the session owes nothing and is owed nothing.
func (s *Session) Idle() bool {
	return len(s.open)+len(s.retries)+len(s.line.calls)+len(s.due)+len(s.queries.open) == 0
}

// Waiting counts the calls in line, which no request carries yet.
func (s *Session) Waiting() int { return len(s.line.calls) }

// Primary is the replica that is believed to order requests.
func (s *Session) Primary() int { return s.views.primary() }

// never is a time that does not come.
const never = time.Duration(1<<63 - 1)

// Wake is when Due is to be called, now if Next has something; false: not before another event.
func (s *Session) Wake() (at time.Duration, ok bool) {
	if s.Sendable() {
		return s.now, true
	}
	at = s.queries.wake()
	if s.choosing() && s.choice.until > 0 {
		at = min(at, s.choice.again)
	}
	if len(s.due) > 0 {
		at = min(at, s.due[0].again)
	}
	return at, at != never
}

// Due acts on what has come due.
func (s *Session) Due(now time.Duration) {
	s.now = now
	for len(s.due) > 0 && s.due[0].again <= now {
		s.act(s.due[0])
	}
	s.choose()
	s.askAgain()
}

// Close ends every call. Nothing is sent any more.
func (s *Session) Close() {
	if s.closed {
		return
	}
	s.closed = true
	for _, r := range s.inOrder() {
		if r.frame != nil { // else its launch is still at work, and will see closed
			s.finishUnknown(r, ErrClosed)
		}
	}
	for _, r := range s.due { // at-least-once ones may be between two sessions
		s.finishUnknown(r, ErrClosed)
	}
	for _, p := range s.retries {
		if len(p.attempts) > 0 {
			s.finishUnknown(p.attempts[0], ErrClosed)
		}
	}
	for _, c := range s.line.calls {
		c.finish(Result{}, notSent(ErrClosed))
	}
	s.closeQueries()
	clear(s.open)
	s.due, s.retries, s.line = nil, nil, line{}
}

// inOrder lists what is open by number.
func (s *Session) inOrder() []*Request {
	all := make([]*Request, 0, len(s.open))
	for _, r := range s.open {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b *Request) int { return int(a.id.T) - int(b.id.T) })
	return all
}

// BestEffort lists who asked for best-effort operations that are not answered: a program that ends gives them a moment.
func (s *Session) BestEffort() (callers []Caller) {
	for _, r := range s.inOrder() {
		if r.Semantics == BestEffort {
			for _, c := range r.calls {
				callers = append(callers, c.by)
			}
		}
	}
	for _, c := range s.line.calls {
		if c.Semantics == BestEffort {
			callers = append(callers, c.by)
		}
	}
	return callers
}
