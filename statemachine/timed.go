package statemachine

// Due returns the agreed time at which a batch should be ordered although no request arrives, in nanoseconds since the Unix
// epoch; 0 if there is none (see Timed). It may be called from any goroutine. Replicas differ in when they learn of it, so
// nothing that is replicated depends on it.
func (s *Service) Due() int64 { return s.due.Load() }

// tick executes Tick of the machine at the beginning of a batch. An error comes from the storage.
func (s *Service) tick() error {
	s.tx.begin()
	failed := true
	apart(func() {
		defer func() {
			if p := recover(); p != nil {
				s.report(&s.tx.reader, nil, p)
			}
		}()
		s.timed.Tick(&s.tx)
		failed = false
	})
	if s.tx.err == nil && (failed || s.tx.overLimit) {
		s.gaps.cutAll(s.tx.writes.rollback())
	}
	s.tx.begun, s.tx.passed, s.tx.spent = 0, 0, 0 // the first operation of the batch has Index 0
	return s.tx.err
}

// askDue asks the machine when a batch should be ordered for it. An error comes from the storage.
func (s *Service) askDue(r *reader) error {
	if s.timed == nil {
		return nil
	}
	at := int64(0)
	r.passed, r.spent, r.overLimit = 0, 0, false
	apart(func() {
		defer func() {
			if p := recover(); p != nil {
				at = 0
				s.report(r, nil, p)
			}
		}()
		at = s.timed.Due(r)
	})
	if at > 0 {
		at = max(at, r.time+int64(MinTickInterval))
	}
	s.due.Store(max(at, 0))
	return r.err
}
