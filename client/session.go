package client

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"tagma/pbft"
)

// sessionConfig is what a session is made of.
type sessionConfig struct {
	cluster pbft.Digest
	epoch   uint64
	n, weak int // replicas, and f+1 of them
	limits  limits
	client  pbft.PublicKey
	sign    func([]byte) [64]byte
	id      pbft.Session
	send    transport
}

// session numbers, signs and follows the requests of one (client key, session number) (C1, C2). One goroutine, run,
// serves all its timers.
//
//   - Numbers are used in order from 1. A number in open is not answered yet; acked is the lowest of those, or next.
//   - next < acked + window, since the replicas refuse more. So it is the answers that make room, whatever the callers
//     do: a request whose caller gave up stays in open, or its number could never be acknowledged.
type session struct {
	sessionConfig
	wake chan struct{} // tells run of a deadline that is earlier than it knows
	stop chan struct{}
	past *queries

	mu      sync.Mutex
	closed  bool
	next    uint64 // number of the next request
	acked   uint64
	open    map[uint64]*Call
	waiting []*admission // for room in the window, first come, first served
	due     deadlines
	planned time.Time // when run wakes up by itself
	pace    pace
	views   *viewHints
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
		open:          make(map[uint64]*Call),
		pace:          pace{random: rand.New(rand.NewPCG(uint64(cfg.id), 0))},
		views:         newViewHints(cfg.n, cfg.weak),
	}
}

// submit sends a request as soon as the window has room for it.
func (s *session) submit(ctx context.Context, ops [][]byte, readOnly bool) (*Call, error) {
	if err := s.limits.check(ops); err != nil {
		return nil, err
	}
	call := &Call{session: s, done: make(chan struct{}), ops: len(ops), votes: make(votes, s.n), place: -1}
	below, err := s.admit(ctx, call)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotSent, err)
	}
	request := &pbft.Request{ID: call.id, AckedBelow: below, ReadOnly: readOnly, Ops: ops}
	pbft.SignRequest(s.cluster, s.epoch, request, func(b []byte) pbft.Signature { return s.sign(b) })
	frame := pbft.Encode(request)

	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, fmt.Errorf("%w: %w", ErrNotSent, ErrClosed)
	}
	call.digest, call.frame, call.first = request.Digest(), frame, time.Now()
	s.transmitFirst(call)
	return call, nil
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

func (s *session) replied(from int, reply *pbft.Reply) {
	if reply.ID.Client != s.client || reply.ID.Session != s.id {
		return
	}
	verdict := judge(reply)

	s.mu.Lock()
	defer s.mu.Unlock()
	s.views.heard(from, reply.View)
	call := s.open[reply.ID.T]
	if call == nil || !call.answeredBy(reply) {
		return
	}
	agreeing := call.votes.cast(from, verdict)
	switch {
	case reply.Outcome == pbft.OutcomeBusy:
		s.backOff(call, time.Duration(reply.RetryAfterMillis)*time.Millisecond)
	case agreeing >= s.weak:
		s.settle(call, reply)
	}
}

// settle ends a call with a reply that f+1 replicas gave (C4).
func (s *session) settle(call *Call, reply *pbft.Reply) {
	if !call.abandoned {
		s.pace.answered(time.Since(call.first))
	}
	if call.err = outcomeError(reply.ID.T, reply.Outcome); call.err == nil {
		call.result = Result{Seq: uint64(reply.Seq), Outputs: reply.Results}
	}
	close(call.done)
	s.due.remove(call)
	s.release(call)
}

// unknown is the error of a caller who stops waiting, unless the outcome came in the meantime.
func (s *session) unknown(call *Call, cause error) (Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-call.done:
		return call.result, call.err
	default:
		return Result{}, s.unknownError(call, cause)
	}
}

func (s *session) unknownError(call *Call, cause error) error {
	return &UnknownError{Request: call.id, Busy: call.votes.busy() >= s.weak, Cause: cause}
}

// abandon slows the retransmission of a call that nobody waits for any more.
func (s *session) abandon(call *Call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	call.abandoned = true
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
	for _, call := range s.open {
		if call.frame != nil { // else its submit is still at work, and will see closed
			call.err = s.unknownError(call, ErrClosed)
			close(call.done)
		}
	}
	clear(s.open)
	s.due = nil
	for _, a := range s.waiting {
		close(a.decided)
	}
	s.waiting = nil
}
