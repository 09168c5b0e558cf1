package pbft

import (
	"slices"
	"time"

	"tagma/pbft/wire"
)

// pending is a request that waits to be ordered.
type pending struct {
	req        *wire.Request
	owner      *clientQueue
	relayer    int // the replica that relayed it, or fromClient
	arrived    time.Duration
	relayedAt  time.Duration
	queued     bool // waits for a proposal of ours; false while a pre-prepare holds it
	ordered    bool // handed to execution; no longer timed
	prev, next *pending
}

const fromClient = -1

// clientQueue holds one client's requests. Clients take turns (C6).
type clientQueue struct {
	fifo   []*pending
	held   amount // requests of this client in the pool
	queued int    // of them, waiting for a proposal; fifo may list others too
	inTurn bool   // listed in pool.turns
}

// pool holds the requests that are known and not executed: by name, so that a re-sent request is recognised whatever
// its digest (C3); by age, so that the oldest one is timed (T1); and by client, so that each gets its share (C6).
type pool struct {
	byID           map[wire.RequestID]*pending
	clients        map[wire.PublicKey]*clientQueue
	turns          []*clientQueue // clients with queued requests, next one first
	oldest, newest *pending       // not ordered yet, by arrival
	all            amount
	direct         amount   // not ordered, from the clients' own links
	relayed        []amount // not ordered, by relaying replica
	queued         int
	queuedBytes    int
	load
}

func newPool(replicas int) *pool {
	return &pool{
		byID:    make(map[wire.RequestID]*pending),
		clients: make(map[wire.PublicKey]*clientQueue),
		relayed: make([]amount, replicas),
	}
}

// add takes in a request that is not held yet.
func (p *pool) add(req *wire.Request, relayer int, now time.Duration) *pending {
	owner := p.clients[req.ID.Client]
	if owner == nil {
		owner = &clientQueue{}
		p.clients[req.ID.Client] = owner
	}
	e := &pending{req: req, owner: owner, relayer: relayer, arrived: now, prev: p.newest}
	if p.newest == nil {
		p.oldest = e
	} else {
		p.newest.next = e
	}
	p.newest = e
	p.byID[req.ID] = e
	p.all.add(req)
	owner.held.add(req)
	p.waiting(e).add(req)
	p.enqueue(e)
	return e
}

// waiting is the counter that a not yet ordered request counts in.
func (p *pool) waiting(e *pending) *amount {
	if e.relayer == fromClient {
		return &p.direct
	}
	return &p.relayed[e.relayer]
}

func (p *pool) enqueue(e *pending) {
	e.queued = true
	e.owner.fifo = append(e.owner.fifo, e)
	e.owner.queued++
	p.queued++
	p.queuedBytes += e.req.Size()
	if !e.owner.inTurn {
		e.owner.inTurn = true
		p.turns = append(p.turns, e.owner)
	}
	p.compact(e.owner)
}

// slack is how many stale entries a list may have besides as many as it has live ones.
const slack = 16

// compact drops what no longer waits from lists that are mostly stale. Only a primary takes from them; without this they
// would grow for ever at a backup.
func (p *pool) compact(q *clientQueue) {
	if len(q.fifo) > 2*q.queued+slack {
		q.fifo = slices.DeleteFunc(q.fifo, func(e *pending) bool { return !e.queued })
	}
	if len(p.turns) > 2*p.queued+slack { // every client that is listed rightly has a queued request
		p.turns = slices.DeleteFunc(p.turns, func(q *clientQueue) bool {
			q.inTurn = q.queued > 0
			return !q.inTurn
		})
	}
}

func (p *pool) unqueue(e *pending) {
	if e.queued {
		e.queued = false
		e.owner.queued--
		p.queued--
		p.queuedBytes -= e.req.Size()
	}
}

// take removes requests for one batch from the queues and leaves them in the pool. Clients take turns, one request each,
// for as many rounds as there would be if everybody filled an equal part: with others waiting, a client that has much does
// not make the batch long for those who have little (C6).
func (p *pool) take(maxRequests, maxBytes int) []*wire.Request {
	var batch []*wire.Request
	bytes := 0
	for rounds := max(1, maxRequests/max(1, len(p.turns))); rounds > 0; rounds-- {
		for left := len(p.turns); left > 0 && len(batch) < maxRequests; left-- {
			e := p.turns[0].front()
			if e != nil {
				if bytes += e.req.Size(); bytes > maxBytes && len(batch) > 0 {
					return batch
				}
				batch = append(batch, e.req)
			}
			p.endTurn(e)
		}
	}
	return batch
}

// endTurn takes the request of the client whose turn it was, if it had one, and puts the client last, or out of the turns
// when it has nothing more.
func (p *pool) endTurn(e *pending) {
	owner := p.turns[0]
	p.turns = p.turns[1:]
	if e != nil {
		owner.fifo = owner.fifo[1:]
		p.unqueue(e)
	}
	if owner.front() == nil {
		owner.inTurn, owner.fifo = false, nil
		return
	}
	p.turns = append(p.turns, owner)
}

// front is the client's first request that still waits for a proposal.
func (q *clientQueue) front() *pending {
	for len(q.fifo) > 0 && !q.fifo[0].queued {
		q.fifo = q.fifo[1:]
	}
	if len(q.fifo) == 0 {
		return nil
	}
	return q.fifo[0]
}

// markProposed notes that a pre-prepare holds these requests, so that they are not proposed again.
func (p *pool) markProposed(b *wire.Body) {
	for _, req := range b.Requests {
		if e := p.byID[req.ID]; e != nil {
			p.unqueue(e)
		}
	}
}

// markOrdered notes that these requests were handed to execution: their timers end.
func (p *pool) markOrdered(b *wire.Body) {
	for _, req := range b.Requests {
		if e := p.byID[req.ID]; e != nil && !e.ordered {
			p.unqueue(e)
			p.unlink(e)
		}
	}
}

// unlink ends the timing of a request.
func (p *pool) unlink(e *pending) {
	e.ordered = true
	p.waiting(e).remove(e.req)
	if e.prev == nil {
		p.oldest = e.next
	} else {
		e.prev.next = e.next
	}
	if e.next == nil {
		p.newest = e.prev
	} else {
		e.next.prev = e.prev
	}
	e.prev, e.next = nil, nil
}

// remove forgets a request that was executed.
func (p *pool) remove(id wire.RequestID) {
	e := p.byID[id]
	if e == nil {
		return
	}
	p.unqueue(e)
	if !e.ordered {
		p.unlink(e)
	}
	delete(p.byID, id)
	p.all.remove(e.req)
	if e.owner.held.remove(e.req); e.owner.held.requests == 0 {
		e.owner.fifo = nil // the entry in turns, if any, is skipped by take
		delete(p.clients, id.Client)
	}
}

// requeue makes every request that is not ordered wait for a proposal again: what the last view held of them is void.
func (p *pool) requeue() {
	for _, q := range p.turns { // also those all of whose requests are ordered: their next one needs a turn again
		q.inTurn = false
	}
	for e := p.oldest; e != nil; e = e.next {
		e.owner.fifo, e.owner.queued = nil, 0
	}
	p.turns, p.queued, p.queuedBytes = nil, 0, 0
	for e := p.oldest; e != nil; e = e.next {
		p.enqueue(e)
	}
}
