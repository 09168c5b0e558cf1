package statemachine

import "fmt"

// Apply executes the batch that follows the last one and returns one reply per request, in order. The operations of a
// request are executed in order, each for itself: one that fails keeps nothing, the others stand (see Failure).
//
// An error is a failure of the storage, after which the state in memory is undefined and the process must stop (D6);
// every further call returns it again. A gap in the sequence numbers is the caller's mistake and panics (I8).
func (s *Service) Apply(b Batch) ([]Reply, error) {
	if s.failed != nil {
		return nil, s.failed
	}
	if b.Seq != s.executed+1 {
		panic(fmt.Sprintf("statemachine: batch %d applied after batch %d", b.Seq, s.executed))
	}
	null := len(b.Requests) == 0 && b.Time == 0
	now := s.time
	if !null {
		now = max(now, b.Time)
	}
	s.layers.changes.beginBatch(b.Seq)
	s.touched.seq = b.Seq
	s.tx = txn{
		reader: reader{above: &s.layers, base: s.base, seq: b.Seq, time: now, key: s.tx.key, mayPass: s.limits.MaxPassedKeys},
		writes: s.layers.changes,
		limits: &s.limits,
	}
	replies := make([]Reply, len(b.Requests))
	for i := range b.Requests {
		if err := s.request(&b.Requests[i], &replies[i]); err != nil {
			s.failed = fmt.Errorf("execute batch %d: %w", b.Seq, err)
			return nil, s.failed
		}
	}
	set := WriteSet{Seq: b.Seq}
	if !null {
		set.Writes = s.takeWrites(now)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.executed, s.time, s.unwritten = b.Seq, now, append(s.unwritten, set)
	return replies, nil
}

// request settles one request at its place in the batch.
func (s *Service) request(r *Request, reply *Reply) error {
	*reply = Reply{Client: r.Client, Session: r.Session, T: r.T, Request: r.Digest}
	held, known := s.admit(r, reply)
	if reply.Outcome != 0 {
		reply.Seq, reply.Results = known.seq, known.results
		return nil
	}
	results := make([][]byte, len(r.Ops))
	room := s.limits.MaxResultBytes
	s.tx.passed = 0
	for i, op := range r.Ops {
		result, err := s.operation(op, r.ReadOnly, room)
		if err != nil {
			return err
		}
		results[i] = result
		if Failure(result) == nil { // the constants are short and do not count
			room -= len(result)
		}
	}
	reply.Outcome, reply.Seq, reply.Results = OutcomeExecuted, s.tx.seq, results
	s.mu.Lock()
	defer s.mu.Unlock()
	held.remember(cached{t: r.T, digest: r.Digest, seq: s.tx.seq, results: results}, &s.touched)
	return nil
}

// admit brings the request's session up to date and decides what becomes of the request, unless it is to be executed.
// A request that is not executed still opens its session and acknowledges: its client signed both.
func (s *Service) admit(r *Request, reply *Reply) (*session, cached) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.clients[r.Client]
	if c == nil {
		c = &client{key: r.Client}
		s.clients[r.Client] = c
	}
	held := c.open(r.Session, &s.limits, &s.touched)
	if held == nil {
		reply.Outcome = OutcomeExpired
		return nil, cached{}
	}
	held.acknowledge(r.AckedBelow, &s.touched)
	outcome, known := held.settled(r.T, r.Digest)
	if outcome == 0 && !held.admits(r.T, &s.limits) {
		outcome = OutcomeRefused
	}
	reply.Outcome = outcome
	return held, known
}
