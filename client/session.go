package client

import (
	"math/rand/v2"
	"sync"
	"time"

	"tagma/pbft"
)

// sessionConfig is what a session is made of.
type sessionConfig struct {
	cluster pbft.Digest
	n, weak int // replicas, and f+1 of them
	limits  limits
	client  pbft.PublicKey
	sign    func([]byte) [64]byte
	id      pbft.Session        // the first one
	fresh   func() pbft.Session // higher than every one before
	send    transport

	semantics Semantics // of calls that do not choose
	noHedging bool
}

// session numbers, signs and follows the requests of one (client key, session number) (C1, C2), and of a fresh number when
// that has expired. One goroutine, run, serves all its timers and sends what had to wait.
//
//   - Numbers are used in order from 1. A number in open is not answered yet; acked is the lowest of those that are not
//     passed, or next.
//   - next < acked + window, since the replicas refuse more. So it is the answers that make room, whatever the callers
//     do: an exactly-once request whose caller gave up stays in open, or its number could never be acknowledged.
type session struct {
	sessionConfig
	wake chan struct{} // tells run of a deadline that is earlier than it knows, or of something to send
	stop chan struct{}
	past *queries

	mu       sync.Mutex
	closed   bool
	expired  bool   // nothing new goes out before a new session begins
	next     uint64 // number of the next request
	acked    uint64
	open     map[uint64]*request
	inFlight int       // parcels that somebody waits for
	retries  []*parcel // to go out under another number (C7)
	line     line
	due      deadlines
	planned  time.Time // when run wakes up by itself
	pace     pace
	hedger   hedger
	views    *viewHints
}

func newSession(cfg sessionConfig) *session {
	stop := make(chan struct{})
	return &session{
		sessionConfig: cfg,
		wake:          make(chan struct{}, 1),
		stop:          stop,
		past:          newQueries(&cfg, stop),
		next:          1,
		acked:         1,
		open:          make(map[uint64]*request),
		pace:          pace{random: rand.New(rand.NewPCG(uint64(cfg.id), 0))},
		hedger:        hedger{off: cfg.noHedging, saved: 1},
		views:         newViewHints(cfg.n, cfg.weak),
	}
}

// FromReplica takes a frame that arrived over the link of a replica, which is all that authenticates it.
func (s *session) FromReplica(from int, frame []byte) {
	message, err := pbft.Decode(frame)
	if err != nil || from < 0 || from >= s.n {
		return
	}
	switch m := message.(type) {
	case *pbft.Reply:
		s.replied(from, m)
	case *pbft.QueryReply:
		s.past.heard(from, m)
	default: // nothing else is meant for a session
	}
}

// close ends every call. Nothing is sent any more.
func (s *session) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.closed = true
	close(s.stop)
	for _, r := range s.open {
		if r.frame != nil { // else its launch is still at work, and will see closed
			r.finishUnknown(ErrClosed, s.weak)
		}
	}
	for _, r := range s.due { // at-least-once ones may be between two sessions
		r.finishUnknown(ErrClosed, s.weak)
	}
	for _, p := range s.retries {
		if len(p.attempts) > 0 {
			p.attempts[0].finishUnknown(ErrClosed, s.weak)
		}
	}
	for _, c := range s.line.calls {
		c.finish(Result{}, notSent(ErrClosed))
	}
	clear(s.open)
	s.due, s.retries, s.line = nil, nil, line{}
}

// linger waits a moment for the answers to best-effort requests.
func (s *session) linger(most time.Duration) {
	s.mu.Lock()
	var sent []*Call
	for _, r := range s.open {
		if r.semantics == BestEffort {
			sent = append(sent, r.calls...)
		}
	}
	for _, c := range s.line.calls {
		if c.kind.semantics == BestEffort {
			sent = append(sent, c)
		}
	}
	s.mu.Unlock()
	enough := time.After(most)
	for _, c := range sent {
		select {
		case <-c.done:
		case <-enough:
			return
		}
	}
}
