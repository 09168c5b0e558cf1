package session

import (
	"fmt"
	"slices"
	"time"

	"tagma/pbft/wire"
	"tagma/statemachine"
)

// parcel is the content of one request: the operations of one call, or of several calls that were packed together.
type parcel struct {
	Kind
	calls []*Call
	ops   [][]byte
	id    wire.RequestID // ID of the last request that had this content
	// attempts are the requests with this content that may still be answered. There is only one, unless the semantics
	// are at-least-once.
	attempts []*Request
	tries    int      // number of requests made so far
	refused  int      // how many of them were refused
	beyond   uint64   // the next attempt must wait until the session has acknowledged a higher number than this
	waited   bool     // a caller waits for it, so it counts as in flight
	settled  *Request // the request whose outcome is believed; nil: no outcome is believed yet
	believed verdict  // that outcome
}

func newParcel(calls []*Call) *parcel {
	p := &parcel{Kind: calls[0].Kind, calls: calls, ops: calls[0].ops}
	for _, c := range calls[1:] {
		p.ops = append(p.ops[:len(p.ops):len(p.ops)], c.ops...)
	}
	for _, c := range calls {
		c.parcel = p
	}
	return p
}

// abandoned reports whether no caller waits for any of its calls any more.
func (p *parcel) abandoned() bool {
	return !slices.ContainsFunc(p.calls, func(c *Call) bool { return !c.abandoned })
}

// finish ends its calls with an error.
func (p *parcel) finish(err error) {
	for _, c := range p.calls {
		c.finish(Result{}, err)
	}
}

// Request is a parcel with its number.
type Request struct {
	*parcel
	id          wire.RequestID
	below       uint64 // the request acknowledges all replies to numbers below this one
	digest      wire.Digest
	frame       []byte // signed and encoded once, so that all transmissions are byte-identical; nil until launched
	votes       votes[verdict]
	kept        *wire.Reply // the reply of the replica that must send the results whole; other replies are only counted
	keptVerdict verdict
	answer      *wire.Reply   // the believed reply, while the request waits for its receipt
	receipt     *Attest       // the question for that receipt
	first       time.Duration // when it was first sent
	sentTo      int           // the only replica to which it was sent; −1: it was sent to all
	planned     time.Duration // when to act on it, without hints of overload or hedging
	// When to act on it; it may be later than planned after a hint of overload, or earlier in order to hedge.
	again         time.Duration
	transmissions int
	hedge         bool // the next action is to hedge
	wantsWhole    bool // f+1 replicas agree, but nobody has sent the results whole
	turnedAway    bool // it was sent only to one replica, which did not accept it, so it is sent once more
	inTurn        bool // it is in the session's list turned
	passed        bool // its number was acknowledged although it has no answer
	disputed      bool // the answers differed when it was last sent again
	place         int  // its index in deadlines; −1: not there
}

// Sealed is a request that is ready to be sent, or the reason why it is not.
type Sealed struct {
	Message *wire.Request
	Frame   []byte
	Err     error // why the key could not sign; nil: the request is ready
}

// Seal signs and encodes a request that has its number. It may be called on any goroutine at any time.
func (s *Session) Seal(r *Request) Sealed {
	m := &wire.Request{ID: r.id, AckedBelow: r.below, ReadOnly: r.ReadOnly, Ops: r.ops}
	var err error
	wire.SignRequest(s.cfg.Cluster, m, func(content []byte) (sig wire.Signature) {
		sig, err = s.cfg.Sign(content)
		return sig
	})
	if err != nil {
		return Sealed{Err: fmt.Errorf("sign the request: %w", err)}
	}
	return Sealed{Message: m, Frame: wire.Encode(m)}
}

// sent tells observers that the request was sent.
func (r *Request) sent(to int, hedged bool) {
	for _, c := range r.calls {
		if c.observer != nil {
			c.observer.Sent(to, r.tries, hedged)
		}
	}
}

// answered tells observers that a replica answered.
func (r *Request) answered(from int) {
	for _, c := range r.calls {
		if c.observer != nil {
			c.observer.Answered(from)
		}
	}
}

// Calls lists the calls that the request carries.
func (r *Request) Calls() []*Call { return r.calls }

// answeredBy reports whether a reply with the request's number is really about this request, and has the right number
// of results.
func (r *Request) answeredBy(m *wire.Reply) bool {
	switch {
	case r.frame == nil || m.Request != r.digest || m.Outcome == 0:
		return false
	case decided(m.Outcome) == statemachine.OutcomeExecuted && m.ResultDigest == nil:
		return len(m.Results) == len(r.ops)
	case decided(m.Outcome) != statemachine.OutcomeExecuted:
		return m.ResultDigest == nil
	}
	return true
}
