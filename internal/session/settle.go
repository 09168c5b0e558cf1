package session

import (
	"crypto/sha256"
	"errors"
	"slices"
	"time"

	"tagma/pbft/wire"
	"tagma/statemachine"
)

// Word is a decoded frame of a replica, ready for Receive.
type Word struct {
	reply  *wire.Reply
	said   verdict
	query  *wire.QueryReply
	hint   *wire.Attached
	result [sha256.Size]byte // of query

	changes     *wire.Changes
	progress    *wire.Progress
	attestation *wire.Attestation
	proof       *wire.Proof
}

// Hear decodes a frame. It does the slow part of the work, and may be called on any goroutine at any time.
func Hear(frame []byte) (Word, bool) {
	message, err := wire.Decode(frame)
	if err != nil {
		return Word{}, false
	}
	return HearMessage(message)
}

// HearMessage is Hear for a decoded message.
func HearMessage(message wire.Message) (Word, bool) {
	switch m := message.(type) {
	case *wire.Reply:
		return Word{reply: m, said: judge(m)}, true
	case *wire.QueryReply:
		return Word{query: m, result: sha256.Sum256(m.Result)}, true
	case *wire.Attached:
		return Word{hint: m}, true
	case *wire.Changes:
		if m.Check() != nil {
			return Word{}, false
		}
		hearChanges(m)
		return Word{changes: m}, true
	case *wire.Progress:
		return Word{progress: m}, true
	case *wire.Attestation:
		return Word{attestation: m}, true
	case *wire.Proof:
		return Word{proof: m}, true
	default: // no other message is meant for a session
		return Word{}, false
	}
}

// Receive processes what arrived over a replica's link. Only the link authenticates the replica.
func (s *Session) Receive(now time.Duration, from int, w Word) {
	s.now = now
	switch {
	case from < 0 || from >= s.cfg.Replicas:
	case w.reply != nil:
		s.replied(from, w.reply, w.said)
	case w.query != nil:
		s.heard(from, w.query, w.result)
	case w.hint != nil:
		s.hinted(from, w.hint)
		s.attached(from)
	case w.changes != nil:
		s.changed(from, w.changes)
	case w.progress != nil:
		s.progressed(from, w.progress)
	case w.attestation != nil:
		s.attested(from, w.attestation)
	case w.proof != nil:
		s.proven(from, w.proof)
	}
}

func (s *Session) replied(from int, reply *wire.Reply, said verdict) {
	if reply.ID.Client != s.cfg.Client || reply.ID.Session != s.id {
		return
	}
	s.views.heard(from, reply.View)
	r := s.open[reply.ID.T]
	if r == nil || r.answer != nil || !r.answeredBy(reply) {
		return
	}
	r.votes[from] = said
	r.answered(from)
	if reply.Outcome.Busy() {
		s.backOff(r, from, time.Duration(reply.RetryAfterMillis)*time.Millisecond)
		return
	}
	whole := reply.ResultDigest == nil
	if whole && from == int(wire.WholeReplier(r.digest, s.cfg.Replicas)) {
		r.kept, r.keptVerdict = reply, said
	}
	agreed, ok := r.votes.agreed(s.cfg.Weak, verdict.final)
	switch {
	case !ok:
	case whole && said == agreed:
		s.settle(r, reply, agreed)
	case r.kept != nil && r.keptVerdict == agreed:
		s.settle(r, r.kept, agreed)
	default:
		s.askForWhole(r)
	}
}

// settle ends a request with a reply on which f+1 replicas agree (C4).
func (s *Session) settle(r *Request, reply *wire.Reply, agreed verdict) {
	s.tellSettled(r, agreed)
	r.parcel.settled, r.believed = r, agreed
	if r.waited {
		took := s.now - r.first
		s.pace.answered(took)
		s.hedger.answered(took)
	}
	if decided(reply.Outcome) == statemachine.OutcomeExpired && !r.passed {
		s.expire()
		if r.Semantics == AtLeastOnce {
			s.acknowledge()
			return
		}
	}
	if decided(reply.Outcome) == statemachine.OutcomeRefused && s.askAnew(r, reply.Seq) {
		return
	}
	if r.Receipt != NoReceipt && decided(reply.Outcome) == statemachine.OutcomeExecuted {
		s.collect(r, reply)
		return
	}
	s.deliver(r, reply)
	s.retire(r.parcel)
	s.another()
}

// mostRefused is how often operations that were refused are sent again.
const mostRefused = 8

// askAnew sends operations again under another number, because the number that they had was refused and cannot be used
// again. They were refused because unacknowledged replies of the session filled the replicas' cache. So askAnew waits
// until the session acknowledges a higher number than the refused request did.
func (s *Session) askAnew(r *Request, at wire.Seq) bool {
	p := r.parcel
	if at == 0 || r.Semantics.sentOnce() || p.abandoned() || p.refused == mostRefused {
		return false
	}
	for _, attempt := range p.attempts { // otherwise the operation would wait for an answer to its own lost request
		s.giveUp(attempt)
	}
	p.attempts = append(p.attempts[:0], r)
	p.refused++
	p.beyond = r.below
	if !slices.Contains(s.retries, p) {
		s.retries = append(s.retries, p)
	}
	s.acknowledge()
	return true
}

// deliver gives each call its part of the reply. If there was no room for the result of an operation beside those of
// other calls, the operation changed nothing. So it may be sent once more in a request of its own.
func (s *Session) deliver(r *Request, reply *wire.Reply) {
	if err := s.outcomeError(r, reply); err != nil {
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

// Abandon says that the caller of a call does not wait any more, because of why. It returns the outcome of the call as
// far as it is known. A call that is still in line is not sent. A request that was sent exactly-once is still repeated
// at a slow pace until it is answered, since the session cannot pass its number; a request of other semantics ends here.
func (s *Session) Abandon(now time.Duration, call *Call, why error) (Result, error) {
	s.now = now
	if call.finished {
		return call.result, call.err
	}
	p := call.parcel
	if p != nil && p.settled != nil && p.settled.answer != nil {
		s.finishHeld(p.settled, nil, &NoReceiptError{p.settled.id, why})
		return call.result, call.err
	}
	_, cause := s.Unknown(call, why)
	call.abandoned = true
	switch {
	case p == nil:
		s.withdraw(call)
		call.finish(Result{}, s.NotSent(why))
		return call.result, call.err
	case !p.abandoned():
	case p.Semantics == ExactlyOnce:
		s.unwait(p)
	default:
		p.finish(cause)
		s.retire(p)
	}
	return Result{}, cause
}

// Unknown returns the error for a caller that stops waiting for now, unless the outcome is known.
func (s *Session) Unknown(call *Call, why error) (Result, error) {
	if call.finished {
		return call.result, call.err
	}
	if p := call.parcel; p != nil && len(p.attempts) > 0 {
		return Result{}, s.unknown(p.attempts[len(p.attempts)-1], why)
	}
	return Result{}, &UnknownError{Request: call.ID(), Cause: why}
}

// finishUnknown ends the calls of a request whose outcome will remain unknown.
func (s *Session) finishUnknown(r *Request, cause error) {
	r.finish(s.unknown(r, cause))
}

// disagrees reports whether n−f replicas have answered a request finally, but no f+1 of the answers are equal. At least
// f+1 of these replicas are correct, and their answers should be equal. When a session expires, the answers of correct
// replicas can differ for a moment. So the request must have been sent again before this counts.
func (s *Session) disagrees(r *Request) bool {
	final := 0
	for _, v := range r.votes {
		if v.final() {
			final++
		}
	}
	_, agreed := r.votes.agreed(s.cfg.Weak, verdict.final)
	return final >= s.cfg.remaining() && !agreed
}

// endUnequal ends a request that replicas answer differently. Its number counts as done, so that the window can move on.
func (s *Session) endUnequal(r *Request) {
	e := s.unknown(r, ErrUnequal)
	e.Unequal = true
	r.finish(e)
	s.retire(r.parcel)
}

// lose ends a request that was sent once and not answered.
func (s *Session) lose(r *Request) {
	if s.disagrees(r) {
		s.endUnequal(r)
		return
	}
	s.finishUnknown(r, errSilence)
	s.retire(r.parcel)
}
