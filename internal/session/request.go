package session

import (
	"fmt"
	"slices"
	"time"

	"tagma/pbft/wire"
	"tagma/statemachine"
)

// parcel is what travels in one request: the operations of one call, or those of several that waited together.
type parcel struct {
	Kind
	calls []*Call
	ops   [][]byte
	id    wire.RequestID // of the last attempt
	// attempts are the requests that carry it and may still be answered: one, unless it is sent at least once.
	attempts []*Request
	tries    int    // attempts made so far
	refused  int    // of them
	beyond   uint64 // what must be acknowledged, and more, before another one
	waited   bool   // somebody waits for it: it counts as in flight
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

// abandoned reports whether nobody waits for any of its operations.
func (p *parcel) abandoned() bool {
	return !slices.ContainsFunc(p.calls, func(c *Call) bool { return !c.abandoned })
}

// finish ends its calls with an error.
func (p *parcel) finish(err error) {
	for _, c := range p.calls {
		c.finish(Result{}, err)
	}
}

// Request is a parcel under a number.
type Request struct {
	*parcel
	id            wire.RequestID
	below         uint64 // what it acknowledges
	digest        wire.Digest
	frame         []byte // signed and encoded once: every transmission is byte-identical; nil until launched
	votes         votes[verdict]
	kept          *wire.Reply // whole, of the replica that is to send it so; the others' are believed or dropped at once
	keptVerdict   verdict
	first         time.Duration // transmission
	sentTo        int           // the replica that alone was sent it; −1: all were
	planned       time.Duration // when to act on it again
	again         time.Duration // the same, put off by hints of overload, or earlier
	transmissions int
	hedge         bool // to act is to hedge
	wantsWhole    bool // f+1 replicas agree, and the results are missing
	turnedAway    bool // the one replica that it was sent to did not take it: it goes out once more
	passed        bool // acknowledged past, though not answered
	disputed      bool // when it was sent again, replicas had answered differently
	place         int  // in deadlines; −1: not there
}

// Sealed is a request as it goes out, or why it cannot.
type Sealed struct {
	Message *wire.Request
	Frame   []byte
	Err     error // the key cannot be used now
}

// Seal signs and encodes a request that has its number. It may be called at any time, beside anything else.
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

// sent tells observers that it went out.
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

// Calls lists what a request carries.
func (r *Request) Calls() []*Call { return r.calls }

// answeredBy reports whether a reply with the request's number is about it, and has as many results.
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
