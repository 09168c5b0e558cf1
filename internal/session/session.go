package session

import (
	"math/rand/v2"
	"slices"
	"time"

	"tagma/internal/proof"
	"tagma/pbft/wire"
	"tagma/statemachine/attest"
)

// Config is what a session needs.
type Config struct {
	Cluster  wire.Digest
	Replicas int
	Weak     int // f+1
	// how many replicas answer if as many are silent as the cluster masks; 0: n−f
	Remaining int
	Limits    Limits
	// Protocol has the members whose signatures the session verifies in certificates and proofs, and Holds verifies them.
	// Both may be missing if the session is never asked for either.
	Protocol *wire.Config
	Holds    func([]wire.Claim) bool

	Client wire.PublicKey
	Sign   func([]byte) (wire.Signature, error) // the error says that the key cannot sign now
	ID     wire.Session                         // number of the first session, unless that has expired
	// Fresh returns another session number. It takes the number from the clock, unless that is below above; then the
	// result is above.
	Fresh func(above wire.Session) wire.Session

	Host      Host
	Random    *rand.Rand // for jitter of retransmissions
	NoHedging bool
	// HintPatience is how long connected replicas may take to say which session numbers are free (C1); 0: a second.
	HintPatience time.Duration
	Settled      func(Settlement) // told about every outcome that is believed; may be nil
}

// Host sends what a session decides to send. The session calls it within its own methods, so it must not call the
// session.
type Host interface {
	// Send queues a frame for a replica without blocking, and reports whether the frame was queued.
	Send(to int, frame []byte) bool
	// Open queues a frame for every replica. If the link of a replica is up, the frame is queued at once. It is also the
	// first frame whenever the link comes up again.
	Open(frame []byte)
}

func (c *Config) remaining() int {
	if c.Remaining > 0 {
		return c.Remaining
	}
	return c.Replicas - c.Weak + 1
}

// Session numbers, signs and follows the requests of one (client key, session number) (C1, C2), and takes a fresh
// session number when that one has expired. Only one goroutine at a time may call its methods, except Seal, Prepare and
// Hear. Times are counted from any starting point and must never go back. After every event the caller must seal and
// launch what Next returns, and must call Due at the time that Wake returns.
//
//   - Numbers are used in order from 1. The numbers in open are not answered yet; acked is the lowest number that is neither
//     answered nor passed, or next if there is none.
//   - Before the first request of a session, the replicas say which session numbers are free: choice, in number.go.
//   - next < acked + window, since replicas refuse more. So only answers make room, whatever callers do: an exactly-once
//     request whose caller gave up stays in open, because its number must not be acknowledged before it is answered.
type Session struct {
	cfg Config
	now time.Duration

	closed   bool
	expired  bool // nothing new is sent before a new session begins
	id       wire.Session
	choice   choice // how the number id is chosen
	next     uint64 // number of the next request
	acked    uint64
	open     map[uint64]*Request
	inFlight int        // parcels for which somebody waits
	retries  []*parcel  // parcels to send again under another number (C7)
	turned   []*Request // requests that f+1 replicas are too busy for, the longest waiting first
	line     line
	due      deadlines
	pace     pace
	hedger   hedger
	views    *viewHints
	queries  queries
	watches  watches

	members    attest.Members // of Protocol
	certifying certifying
	proving    proving
}

// New begins a session. The caller must tell the replicas over which links to reply, for example by Host.Open with the
// frame that Opening returns.
func New(cfg Config) *Session {
	s := &Session{
		cfg: cfg, id: cfg.ID, choice: newChoice(cfg.Replicas), next: 1, acked: 1,
		open:   make(map[uint64]*Request),
		pace:   pace{random: cfg.Random},
		hedger: hedger{off: cfg.NoHedging, saved: 1},
		views:  newViewHints(cfg.Replicas, cfg.Weak),
	}
	if cfg.Protocol != nil {
		s.members = proof.Members(cfg.Protocol)
	}
	return s
}

// Opening returns the frame that announces the session to a replica, which then sends the session's replies over this
// link.
func (s *Session) Opening() []byte { return wire.Encode(&wire.Attach{Session: s.id}) }

// ID is the number of the session.
func (s *Session) ID() wire.Session { return s.id }

// Idle reports whether nothing is under way in the session.
func (s *Session) Idle() bool {
	return len(s.open)+len(s.retries)+len(s.line.calls)+len(s.due)+len(s.queries.open)+len(s.certifying.open)+len(s.proving.open) == 0
}

// Waiting returns how many calls wait in line, without a request.
func (s *Session) Waiting() int { return len(s.line.calls) }

// Primary returns the replica that the session believes to be the primary.
func (s *Session) Primary() int { return s.views.primary() }

// never is a time that is never reached.
const never = time.Duration(1<<63 - 1)

// Wake returns the time at which Due must be called. That is now if Next would return a request. It returns false if
// there is nothing to do before another event.
func (s *Session) Wake() (at time.Duration, ok bool) {
	if s.Sendable() {
		return s.now, true
	}
	at = min(s.queries.wake(), s.certifying.wake(), s.proving.wake())
	if len(s.watches.open) > 0 {
		at = min(at, s.watches.next)
	}
	if s.choosing() && s.choice.until > 0 {
		at = min(at, s.choice.again)
	}
	if len(s.due) > 0 {
		at = min(at, s.due[0].again)
	}
	return at, at != never
}

// Due does everything that is due now.
func (s *Session) Due(now time.Duration) {
	s.now = now
	for len(s.due) > 0 && s.due[0].again <= now {
		s.act(s.due[0])
	}
	s.choose()
	s.askAgain()
	s.dueWatches()
	s.certifyAgain()
	s.proveAgain()
}

// Close ends every call. Nothing is sent any more.
func (s *Session) Close() {
	if s.closed {
		return
	}
	s.closed = true
	for _, r := range s.inOrder() {
		switch {
		case r.answer != nil:
			s.finishHeld(r, nil, &NoReceiptError{r.id, ErrClosed})
		case r.frame != nil: // a request without a frame will still be launched, and Launch finds the session closed
			s.finishUnknown(r, ErrClosed)
		default:
		}
	}
	for _, r := range s.due { // at-least-once requests that no session has sent again yet
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
	s.closeWatches()
	s.certifying.close()
	s.proving.close()
	clear(s.open)
	s.due, s.retries, s.line = nil, nil, line{}
}

// inOrder lists the open requests by number.
func (s *Session) inOrder() []*Request {
	all := make([]*Request, 0, len(s.open))
	for _, r := range s.open {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b *Request) int { return int(a.id.T) - int(b.id.T) })
	return all
}

// BestEffort returns the callers of best-effort operations that are not answered. A program that ends can wait a moment
// for them.
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
