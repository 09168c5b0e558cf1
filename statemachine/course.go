package statemachine

// course executes one batch, operation by operation. It records how far it is, so that another goroutine can continue
// after an operation that ended the goroutine on which it ran.
type course struct {
	s        *Service
	requests []Request
	replies  []Reply
	at       int      // index of the request that is being executed, or of the next one
	held     *session // session of the request that is being executed; nil between two requests
	results  [][]byte // results of that request's operations so far
	room     int      // bytes that its further results may take
	err      error    // error of the storage; final

	spent map[[32]byte]int // by client: units of cost in this batch
	total int
}

func newCourse(s *Service, requests []Request) *course {
	c := &course{s: s, requests: requests, replies: make([]Reply, len(requests)), spent: make(map[[32]byte]int)}
	for i := range requests {
		c.spent[requests[i].Client] = 0
	}
	return c
}

// mayBegin reports whether one more request of a client is executed in this batch. Once the batch's budget is used up,
// requests are executed only for clients that have used less than an equal part of it; so a client that sends much is
// refused, and the others are not. The cost of a request is not known in advance, so each client may exceed its part by
// one request.
func (c *course) mayBegin(client [32]byte) bool {
	budget := c.s.limits.MaxBatchCost
	return budget == 0 || c.total < budget || c.spent[client] < budget/len(c.spent)
}

// run executes the rest of the batch on a goroutine of its own, because an application may end the goroutine that calls
// it (runtime.Goexit), and the executor's must not end. An operation that does so fails like one that panics.
func (c *course) run() error {
	for c.at < len(c.requests) && c.err == nil {
		if !apart(c.goOn) {
			c.s.report(&c.s.tx.reader, c.operation(), endedGoroutine{})
			c.add(c.s.conclude(nil, true, c.room))
		}
	}
	return c.err
}

// goOn executes from the current position to the end of the batch.
func (c *course) goOn() {
	for ; c.at < len(c.requests); c.at++ {
		r, reply := &c.requests[c.at], &c.replies[c.at]
		if c.held == nil && !c.begin(r, reply) {
			continue
		}
		for len(c.results) < len(r.Ops) {
			if c.add(c.s.operation(c.operation(), r.ReadOnly, c.room)); c.err != nil {
				return
			}
		}
		c.finish(r, reply)
	}
}

// operation is the operation that is being executed, or the next one.
func (c *course) operation() []byte { return c.requests[c.at].Ops[len(c.results)] }

// begin prepares a request for execution. If the request is not to be executed, it fills in the reply and returns false.
func (c *course) begin(r *Request, reply *Reply) bool {
	*reply = Reply{Client: r.Client, Session: r.Session, T: r.T, Request: r.Digest}
	held, known := c.s.admit(r, reply)
	if reply.Outcome != 0 {
		reply.Seq, reply.Results = known.seq, known.results
		return false
	}
	if c.s.refused[r.Digest] {
		c.held, c.s.tx.spent = held, 0
		for range r.Ops {
			c.results = append(c.results, []byte(ResultUnwanted))
		}
		c.finish(r, reply)
		return false
	}
	if !c.mayBegin(r.Client) {
		c.s.mu.Lock()
		defer c.s.mu.Unlock()
		reply.Outcome, reply.Seq = OutcomeRefused, c.s.refuse(held, r).seq
		return false
	}
	c.held, c.results, c.room = held, make([][]byte, 0, len(r.Ops)), c.s.limits.MaxResultBytes
	c.s.tx.passed, c.s.tx.spent, c.s.tx.client = 0, 0, r.Client
	c.s.underWay.Store(r)
	return true
}

// admit updates the request's session and decides whether the request is executed; if not, it sets the outcome. A
// request that is not executed still opens its session and acknowledges replies, since its client signed both.
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
		outcome, known = OutcomeRefused, s.refuse(held, r)
	}
	reply.Outcome = outcome
	return held, known
}

// refuse records that the number of a refused request is used up, so that no copy of the request is executed later when
// there is room. It records nothing for numbers beyond the window, because there is no limit to these, nor in clusters
// that began with rules 0.
func (s *Service) refuse(held *session, r *Request) (refusal cached) {
	if s.limits.Rules > 0 && held.inWindow(r.T, &s.limits) {
		refusal = cached{t: r.T, digest: r.Digest, seq: s.tx.seq}
		held.remember(refusal, &s.touched)
	}
	return refusal
}

// add records the result of the operation that was being executed.
func (c *course) add(result []byte, err error) {
	if c.err = err; err != nil {
		return
	}
	c.results = append(c.results, result)
	if Failure(result) == nil { // constant results are short and do not count
		c.room -= len(result)
	}
}

// finish fills in the reply of the executed request and caches it.
func (c *course) finish(r *Request, reply *Reply) {
	s := c.s
	s.underWay.Store(nil)
	reply.Cost = uint64(s.tx.spent)
	c.spent[r.Client] += s.tx.spent
	c.total += s.tx.spent
	reply.Outcome, reply.Seq, reply.Results = OutcomeExecuted, s.tx.seq, c.results
	s.mu.Lock()
	defer s.mu.Unlock()
	c.held.remember(cached{t: r.T, digest: r.Digest, seq: s.tx.seq, results: c.results}, &s.touched)
	c.held, c.results = nil, nil
}

// endedGoroutine is the Value of the Panic reported for an operation that ended its goroutine.
type endedGoroutine struct{}

func (endedGoroutine) String() string { return "the operation ended its goroutine (runtime.Goexit)" }

// apart runs f on a goroutine of its own and reports whether f returned; it does not return if something in it ends the
// goroutine. A panic of f is not recovered and ends the process, as it would on the caller's goroutine.
func apart(f func()) bool {
	returned := make(chan bool, 1)
	go func() {
		ok := false
		defer func() { returned <- ok }()
		f()
		ok = true
	}()
	return <-returned
}
