package session

import (
	"crypto/sha256"
	"errors"
	"slices"
	"time"

	"tagma/pbft/wire"
	"tagma/statemachine"
)

// Word is the content of a replica's frame, ready for Receive.
type Word struct {
	reply  *wire.Reply
	said   verdict
	query  *wire.QueryReply
	hint   *wire.Attached
	result [sha256.Size]byte // of query
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
	default: // no other message is meant for a session
		return Word{}, false
	}
}

// Receive takes what arrived over a replica's link. Only the link authenticates it.
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
	}
}

func (s *Session) replied(from int, reply *wire.Reply, said verdict) {
	if reply.ID.Client != s.cfg.Client || reply.ID.Session != s.id {
		return
	}
	s.views.heard(from, reply.View)
	r := s.open[reply.ID.T]
	if r == nil || !r.answeredBy(reply) {
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
	s.deliver(r, reply)
	s.retire(r.parcel)
	s.another()
}

// mostRefused is how often refused operations are sent again.
const mostRefused = 8

// askAnew sends operations again under another number when theirs was refused for ever. The refusal came because the
// session's unacknowledged replies filled their cache, so it sends them once the session acknowledges more than this
// request did.
func (s *Session) askAnew(r *Request, at wire.Seq) bool {
	p := r.parcel
	if at == 0 || r.Semantics.sentOnce() || p.abandoned() || p.refused == mostRefused {
		return false
	}
	for _, attempt := range p.attempts { // else it would wait for an answer to its own lost request
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

// deliver gives each call its part of the reply. An operation whose result had no room beside those of other calls
// changed nothing, so it may be sent once more in a request of its own.
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

// Abandon notes that nobody waits for a call any more, and returns its outcome as far as it is known; why is what ended
// the wait. A call that is still in line is not sent. A request that was sent exactly-once is still repeated at a slow
// pace until it is answered, since the session cannot pass its number; a request of other semantics ends here.
func (s *Session) Abandon(now time.Duration, call *Call, why error) (Result, error) {
	s.now = now
	if call.finished {
		return call.result, call.err
	}
	_, cause := s.Unknown(call, why)
	call.abandoned = true
	p := call.parcel
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

// Unknown is the error for a caller that stops waiting for now, unless the outcome came in the meantime.
func (s *Session) Unknown(call *Call, why error) (Result, error) {
	if call.finished {
		return call.result, call.err
	}
	if p := call.parcel; p != nil && len(p.attempts) > 0 {
		return Result{}, s.unknown(p.attempts[len(p.attempts)-1], why)
	}
	return Result{}, &UnknownError{Request: call.ID(), Cause: why}
}

// finishUnknown ends the calls of a request whose outcome will stay unknown.
func (s *Session) finishUnknown(r *Request, cause error) {
	r.finish(s.unknown(r, cause))
}

// disagrees reports whether enough replicas answered a request without f+1 answers alike. Among n−f final answers, f+1
// are from correct replicas and must be equal. The end of a session may make them differ for a moment, so the request
// is sent again before this counts.
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

// endUnequal ends a request that replicas answer differently. Its number is freed, so that the window can move on.
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
