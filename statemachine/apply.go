package statemachine

import "fmt"

// Apply executes the batch that follows the last one and returns one reply per request, in order. The operations of a
// request are executed in order. An operation that fails has no effect, and the other operations of its request still
// count (see Failure).
//
// An error comes from the storage or from the machine's Init, or is a *VersionError. After it the state in memory is
// undefined and the process must stop (D6); every further call returns the same error. A gap in the sequence numbers is
// the caller's mistake, and Apply panics (I8).
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
		reader: reader{
			above: &s.layers, base: s.base, seq: b.Seq, time: now, key: s.tx.key,
			known: s.version, administrators: s.administrators, cluster: s.limits.Cluster,
			mayPass: s.limits.MaxPassedKeys, maySpend: s.limits.MaxRequestCost, gaps: &s.gaps,
		},
		writes: s.layers.changes,
		limits: &s.limits,
		verify: s.verify,
	}
	c := newCourse(s, b.Requests)
	err := error(nil)
	if !null && !s.begun {
		err = s.beginState()
		s.begun = err == nil
	}
	if err == nil && !null && s.timed != nil {
		err = s.tick()
	}
	if err == nil {
		err = c.run()
	}
	if err == nil {
		s.tx.known = 0
		err = s.askDue(&s.tx.reader)
	}
	if err != nil {
		s.failed = fmt.Errorf("execute batch %d: %w", b.Seq, err)
		return nil, s.failed
	}
	version := s.version
	if s.upgraded {
		s.upgraded = false
		if version, err = versionAt(&s.layers, s.base, s.limits.FirstVersion); err != nil {
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
	s.executed, s.time, s.version, s.unwritten = b.Seq, now, version, append(s.unwritten, set)
	return c.replies, nil
}
