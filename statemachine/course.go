package statemachine

// course is the way through one batch, operation by operation. It knows where it is, so that it can go on behind an
// operation that ended the goroutine it ran on.
type course struct {
	s        *Service
	requests []Request
	replies  []Reply
	at       int      // the request that is under way, or the next one
	held     *session // of the request under way; nil between two
	results  [][]byte // of its operations so far
	room     int      // what their results may still take
	err      error    // of the storage; final

	spent map[[32]byte]int // units of cost in this batch, by client
	total int
}

func newCourse(s *Service, requests []Request) *course {
	c := &course{s: s, requests: requests, replies: make([]Reply, len(requests)), spent: make(map[[32]byte]int)}
	for i := range requests {
		c.spent[requests[i].Client] = 0
	}
	return c
}

// mayBegin reports whether one more request of a client is executed in this batch. Once the batch's budget is used up, only
// clients are who had less than an equal part of it: one who asks for much is refused, and nobody else. What a request will
// cost is not known before, so each client may go beyond its part once.
func (c *course) mayBegin(client [32]byte) bool {
	budget := c.s.limits.MaxBatchCost
	return budget == 0 || c.total < budget || c.spent[client] < budget/len(c.spent)
}

// run executes what is left of the batch. It works on a goroutine of its own: an application may end the one that it is
// called on (runtime.Goexit), and the executor's must not end with it. Such an operation fails as one that panics does.
func (c *course) run() error {
	for c.at < len(c.requests) && c.err == nil {
		if !apart(c.goOn) {
			c.s.report(&c.s.tx.reader, c.operation(), endedGoroutine{})
			c.add(c.s.conclude(nil, true, c.room))
		}
	}
	return c.err
}

// goOn works from where the course is to the end of the batch.
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

// operation is the one that is under way, or the next one.
func (c *course) operation() []byte { return c.requests[c.at].Ops[len(c.results)] }

// begin settles a request at its place in the batch, unless it is to be executed.
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
		outcome, known = OutcomeRefused, s.refuse(held, r)
	}
	reply.Outcome = outcome
	return held, known
}

// refuse uses up the number of a request that is not executed, so that no copy of it is executed later when there is room.
// Beyond the window it does not: those numbers have no end. Nor by the first rules.
func (s *Service) refuse(held *session, r *Request) (refusal cached) {
	if s.limits.Rules > 0 && held.inWindow(r.T, &s.limits) {
		refusal = cached{t: r.T, digest: r.Digest, seq: s.tx.seq}
		held.remember(refusal, &s.touched)
	}
	return refusal
}

// add takes the result of the operation under way.
func (c *course) add(result []byte, err error) {
	if c.err = err; err != nil {
		return
	}
	c.results = append(c.results, result)
	if Failure(result) == nil { // the constants are short and do not count
		c.room -= len(result)
	}
}

// finish answers the request under way and remembers the answer.
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

// endedGoroutine stands in a Panic for an operation that ended its goroutine.
type endedGoroutine struct{}

func (endedGoroutine) String() string { return "the operation ended its goroutine (runtime.Goexit)" }

// apart runs f on a goroutine of its own and reports whether f returned: it does not if something in it ends the goroutine.
// A panic of f is not recovered from and ends the process, as it would on the caller's.
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
