package client

import (
	"context"
	"errors"
	"slices"
	"time"

	"tagma/pbft"
	"tagma/statemachine"
)

func (s *session) replied(from int, reply *pbft.Reply) {
	if reply.ID.Client != s.client {
		return
	}
	said := judge(reply)

	s.mu.Lock()
	defer s.mu.Unlock()
	if reply.ID.Session != s.id {
		return
	}
	s.views.heard(from, reply.View)
	r := s.open[reply.ID.T]
	if r == nil || !r.answeredBy(reply) {
		return
	}
	r.votes[from] = said
	if reply.Outcome == pbft.OutcomeBusy {
		s.backOff(r, time.Duration(reply.RetryAfterMillis)*time.Millisecond)
		return
	}
	whole := reply.ResultDigest == nil
	if whole && from == int(pbft.WholeReplier(r.digest, s.n)) {
		r.kept, r.keptVerdict = reply, said
	}
	agreed, ok := r.votes.agreed(s.weak)
	switch {
	case !ok:
	case whole && said == agreed:
		s.settle(r, reply)
	case r.kept != nil && r.keptVerdict == agreed:
		s.settle(r, r.kept)
	default:
		s.askForWhole(r)
	}
}

// settle ends a request with a reply that f+1 replicas gave (C4).
func (s *session) settle(r *request, reply *pbft.Reply) {
	if r.waited {
		took := time.Since(r.first)
		s.pace.answered(took)
		s.hedger.answered(took)
	}
	if reply.Outcome == pbft.OutcomeExpired && !r.passed {
		s.expire()
		if r.semantics == AtLeastOnce {
			s.acknowledge()
			return
		}
	}
	s.deliver(r, reply)
	s.retire(r.parcel)
}

// deliver gives each call its part of the reply. An operation whose result had no room beside those of other calls has
// changed nothing, so it may go out once more by itself.
func (s *session) deliver(r *request, reply *pbft.Reply) {
	if err := outcomeError(reply.ID.T, reply.Outcome); err != nil {
		r.finish(err)
		return
	}
	crowded := len(r.calls) > 1
	rest := reply.Results
	for _, c := range slices.Backward(r.calls) {
		from := len(rest) - len(c.ops)
		outputs := rest[from:]
		rest = rest[:from:from]
		if crowded && !c.abandoned && errors.Is(statemachine.Failure(outputs[0]), statemachine.ErrTooLarge) {
			c.alone, c.parcel = true, nil
			s.jumpIn(c)
			continue
		}
		c.finish(Result{Seq: uint64(reply.Seq), Outputs: outputs}, nil)
	}
}

// do submits and waits. When ctx ends, the call is given up.
func (s *session) do(ctx context.Context, ops [][]byte, o callOptions) (Result, error) {
	call, err := s.submit(ctx, ops, o)
	if err != nil || o.semantics == BestEffort {
		return Result{}, err
	}
	result, err := call.Wait(ctx)
	if errors.Is(err, ErrUnknown) {
		return s.abandon(ctx, call, err)
	}
	return result, err
}

// abandon notes that nobody waits for a call any more, and returns its outcome as far as it is known: cause is what is
// said if it is not. One that still waits in line is not sent. What a number is still owed is done at a slow pace; other
// semantics than exactly-once owe nothing.
func (s *session) abandon(ctx context.Context, call *Call, cause error) (Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if call.finished {
		return call.result, call.err
	}
	call.abandoned = true
	p := call.parcel
	switch {
	case p == nil:
		s.withdraw(call)
		call.finish(Result{}, notSent(ctx.Err()))
		return call.result, call.err
	case !p.abandoned():
	case p.semantics == ExactlyOnce:
		s.unwait(p)
		s.nudge()
	default:
		p.finish(cause)
		s.retire(p)
	}
	return Result{}, cause
}

// unknown is the error of a caller who stops waiting, unless the outcome came in the meantime.
func (s *session) unknown(call *Call, cause error) (Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if call.finished {
		return call.result, call.err
	}
	unknown := &UnknownError{Request: call.id(), Cause: cause}
	if p := call.parcel; p != nil && len(p.attempts) > 0 {
		unknown.Busy = p.attempts[len(p.attempts)-1].votes.busy() >= s.weak
	}
	return Result{}, unknown
}

// finishUnknown ends the calls of a request whose outcome nobody will tell.
func (r *request) finishUnknown(cause error, weak int) {
	r.finish(&UnknownError{Request: r.id, Busy: r.votes.busy() >= weak, Cause: cause})
}

// lose ends a request that was sent once and not answered.
func (s *session) lose(r *request) {
	r.finishUnknown(errSilence, s.weak)
	s.retire(r.parcel)
}
