package statemachine

import (
	"fmt"
	"slices"
)

// Attester is a Machine that can vouch for facts of its state to somebody who is not its client: another cluster, or a
// third party. Each replica signs the statement on demand, outside the order, and enough equal ones make a certificate
// (package statemachine/attest).
type Attester interface {
	Machine
	// Attest returns what the machine vouches for when it is asked by op, a statement made with attest.Machine; it is
	// false if there is nothing to vouch for in the state of r, which need not be for ever. It is called at any time,
	// concurrently with queries and with Apply, on the newest executed state. Replicas are at different states when they
	// are asked, so a statement must not contain anything that later batches change, such as Seq or Time: only what is
	// decided once.
	Attest(r Reader, op []byte) (statement []byte, ok bool)
}

// Attest asks the machine to vouch for something in the newest executed state. It is false if the machine is no Attester
// or has nothing to say, which includes a panic. It ends at the machine's next read once stop is closed.
func (s *Service) Attest(stop <-chan struct{}, op []byte) (statement []byte, ok bool, err error) {
	a, is := as[Attester](s.machine)
	if !is {
		return nil, false, nil
	}
	s.mu.RLock()
	executed, flushed, unwritten := s.executed, s.flushed, s.unwritten
	s.mu.RUnlock()
	view, err := s.view(flushed)
	if err != nil {
		return nil, false, fmt.Errorf("attest at sequence number %d: %w", executed, err)
	}
	defer view.Close()
	r := reader{above: unwritten, base: view, seq: executed, first: s.limits.FirstVersion, stop: stop}
	said, err := s.answer(&r, op, func(r Reader, op []byte) (result []byte) {
		result, ok = a.Attest(r, op)
		return result
	})
	if err != nil {
		return nil, false, fmt.Errorf("attest at sequence number %d: %w", executed, err)
	}
	return said, ok && len(said) > 0 && Failure(said) == nil, nil
}

// Cached returns the reply to a request by its number alone, for a receipt. Without an outcome the request was not
// executed so far. With OutcomeExpired the reply is gone: the client acknowledged it, or the session has expired.
func (s *Service) Cached(client [32]byte, session, t uint64) Reply {
	s.mu.RLock()
	defer s.mu.RUnlock()
	reply := Reply{Client: client, Session: session, T: t}
	c := s.clients[client]
	if c == nil {
		return reply
	}
	held := c.find(session)
	switch {
	case held == nil && session <= c.floor, held != nil && t < held.acked:
		reply.Outcome = OutcomeExpired
		return reply
	case held == nil:
		return reply
	}
	if i, found := slices.BinarySearchFunc(held.replies, t, compareCached); found {
		known := held.replies[i]
		reply.Request, reply.Seq, reply.Results = known.digest, known.seq, known.results
		reply.Outcome, _ = held.settled(t, known.digest)
	}
	return reply
}
