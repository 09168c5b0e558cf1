package pool

import (
	"slices"
	"time"

	"tagma/pbft/wire"
)

// Pending is a request that waits to be ordered.
type Pending struct {
	Req        *wire.Request
	owner      *clientQueue
	relayer    int           // the replica that relayed it, or fromClient
	Since      time.Duration // when it was timed from: the primary has had room for it (C6, T1)
	RelayedAt  time.Duration // when the primary was last told; 0: never
	Queued     bool          // waits for a proposal of ours; false while a pre-prepare holds it
	Ordered    bool          // handed to execution; no longer timed
	prev, Next *Pending
}

// FromClient is the relayer of a request that came over its client's own link.
const FromClient = -1

// clientQueue holds one client's requests. Clients take turns (C6).
type clientQueue struct {
	Fifo   []*Pending
	client wire.PublicKey
	Held   Amount // requests of this client in the pool
	turn
	queued int  // of them, waiting for a proposal; fifo may list others too
	inTurn bool // listed in pool.turns
}

// Pool holds the requests that are known and not executed: by name, so that a re-sent request is recognised whatever
// its digest (C3); by age, so that the oldest one is timed (T1); and by client, so that each gets its share (C6).
type Pool struct {
	ByID           map[wire.RequestID]*Pending
	Clients        map[wire.PublicKey]*clientQueue
	Turns          []*clientQueue // clients with queued requests, next one first
	Oldest, newest *Pending       // not ordered yet, by arrival
	All            Amount
	Direct         Amount   // not ordered, from the clients' own links
	Relayed        []Amount // not ordered, by relaying replica
	Queued         int
	QueuedBytes    int
	handed         map[wire.RequestID]struct{} // to execution without being held here, and not executed yet
	load
	shares
}

// New returns an empty pool that so many replicas may relay requests to, with the view timeout.
func New(replicas int, timeout time.Duration) *Pool {
	return &Pool{
		shares:  shares{heavy: make(map[wire.PublicKey]*share), timeout: timeout},
		ByID:    make(map[wire.RequestID]*Pending),
		Clients: make(map[wire.PublicKey]*clientQueue),
		Relayed: make([]Amount, replicas),
		handed:  make(map[wire.RequestID]struct{}),
	}
}

// Add takes in a request that is not held yet.
func (p *Pool) Add(req *wire.Request, relayer int, now time.Duration) *Pending {
	owner := p.Clients[req.ID.Client]
	if owner == nil {
		owner = &clientQueue{client: req.ID.Client, turn: turn{lights: p.light.of(req.ID.Client)}}
		p.Clients[req.ID.Client] = owner
	}
	e := &Pending{Req: req, owner: owner, relayer: relayer, Since: now, prev: p.newest}
	if p.newest == nil {
		p.Oldest = e
	} else {
		p.newest.Next = e
	}
	p.newest = e
	p.ByID[req.ID] = e
	p.note(req.ID.Client, now)
	p.All.Add(req)
	owner.Held.Add(req)
	p.waiting(e).Add(req)
	p.enqueue(e)
	return e
}

// waiting is the counter that a not yet ordered request counts in.
func (p *Pool) waiting(e *Pending) *Amount {
	if e.relayer == FromClient {
		return &p.Direct
	}
	return &p.Relayed[e.relayer]
}

func (p *Pool) enqueue(e *Pending) {
	e.Queued = true
	e.owner.Fifo = append(e.owner.Fifo, e)
	e.owner.queued++
	p.Queued++
	p.QueuedBytes += e.Req.Size()
	if !e.owner.inTurn {
		e.owner.inTurn = true
		p.Turns = append(p.Turns, e.owner)
	}
	p.compact(e.owner)
}

// Slack is how many stale entries a list may have besides as many as it has live ones.
const Slack = 16

// compact drops what no longer waits from lists that are mostly stale. Only a primary takes from them; without this they
// would grow for ever at a backup.
func (p *Pool) compact(q *clientQueue) {
	if len(q.Fifo) > 2*q.queued+Slack {
		q.Fifo = slices.DeleteFunc(q.Fifo, func(e *Pending) bool { return !e.Queued })
	}
	if len(p.Turns) > 2*p.Queued+Slack { // every client that is listed rightly has a queued request
		p.Turns = slices.DeleteFunc(p.Turns, func(q *clientQueue) bool {
			q.inTurn = q.queued > 0
			return !q.inTurn
		})
	}
}

func (p *Pool) unqueue(e *Pending) {
	if e.Queued {
		e.Queued = false
		e.owner.queued--
		p.Queued--
		p.QueuedBytes -= e.Req.Size()
	}
}

// Take removes requests for one batch from the queues and leaves them in the pool. Clients take turns, one request each,
// for as many rounds as there would be if everybody filled an equal part: with others waiting, a client that has much does
// not make the batch long for those who have little (C6).
func (p *Pool) Take(maxRequests, maxBytes int) []*wire.Request {
	var batch []*wire.Request
	bytes := 0
	p.batch++
	for rounds := max(1, maxRequests/max(1, len(p.Turns))); rounds > 0; rounds-- {
		for left := len(p.Turns); left > 0 && len(batch) < maxRequests; left-- {
			q := p.Turns[0]
			e := q.front()
			if e != nil && !p.mayTake(q) {
				p.Turns = append(p.Turns[1:], q)
				continue
			}
			if e != nil {
				if bytes += e.Req.Size(); bytes > maxBytes && len(batch) > 0 {
					return batch
				}
				batch = append(batch, e.Req)
				p.took(q)
			}
			p.endTurn(e)
		}
	}
	return batch
}

// endTurn takes the request of the client whose turn it was, if it had one, and puts the client last, or out of the turns
// when it has nothing more.
func (p *Pool) endTurn(e *Pending) {
	owner := p.Turns[0]
	p.Turns = p.Turns[1:]
	if e != nil {
		owner.Fifo = owner.Fifo[1:]
		p.unqueue(e)
	}
	if owner.front() == nil {
		owner.inTurn, owner.Fifo = false, nil
		return
	}
	p.Turns = append(p.Turns, owner)
}

// front is the client's first request that still waits for a proposal.
func (q *clientQueue) front() *Pending {
	for len(q.Fifo) > 0 && !q.Fifo[0].Queued {
		q.Fifo = q.Fifo[1:]
	}
	if len(q.Fifo) == 0 {
		return nil
	}
	return q.Fifo[0]
}

// MarkProposed notes that a pre-prepare holds these requests, so that they are not proposed again.
func (p *Pool) MarkProposed(b *wire.Body) {
	for _, req := range b.Requests {
		if e := p.ByID[req.ID]; e != nil {
			p.unqueue(e)
		}
	}
}

// MarkOrdered notes that these requests were handed to execution: their timers end. Of those that are not held here the
// names are kept until they are executed: a request that comes late, from a client whom a slow execution keeps waiting,
// needs no order any more (T4). There are no more names than a window has requests.
func (p *Pool) MarkOrdered(seq wire.Seq, b *wire.Body) {
	for _, req := range b.Requests {
		if q := p.Clients[req.ID.Client]; q != nil {
			q.seq = seq
		}
		if e := p.ByID[req.ID]; e == nil {
			p.handed[req.ID] = struct{}{}
		} else if !e.Ordered {
			p.unqueue(e)
			p.unlink(e)
		}
	}
}

// Known reports whether a request is held, or was ordered before it came: then there is no entry (T4).
func (p *Pool) Known(id wire.RequestID) (e *Pending, known bool) {
	e = p.ByID[id]
	_, handed := p.handed[id]
	return e, e != nil || handed
}

// Refetched forgets the names of what was handed to execution: a fetched state holds it, or it is handed again (X6).
func (p *Pool) Refetched() { clear(p.handed) }

// Handed is how many requests were handed to execution that are not held here.
func (p *Pool) Handed() int { return len(p.handed) }

// unlink ends the timing of a request.
func (p *Pool) unlink(e *Pending) {
	e.Ordered = true
	p.waiting(e).remove(e.Req)
	if e.prev == nil {
		p.Oldest = e.Next
	} else {
		e.prev.Next = e.Next
	}
	if e.Next == nil {
		p.newest = e.prev
	} else {
		e.Next.prev = e.prev
	}
	e.prev, e.Next = nil, nil
}

// Remove forgets a request that was executed.
func (p *Pool) Remove(id wire.RequestID) {
	delete(p.handed, id)
	e := p.ByID[id]
	if e == nil {
		return
	}
	p.unqueue(e)
	if !e.Ordered {
		p.unlink(e)
	}
	delete(p.ByID, id)
	p.All.remove(e.Req)
	if e.owner.Held.remove(e.Req); e.owner.Held.Requests == 0 {
		e.owner.Fifo = nil // the entry in turns, if any, is skipped by take
		delete(p.Clients, id.Client)
	}
}

// Requeue makes every request that is not ordered wait for a proposal again: what the last view held of them is void.
func (p *Pool) Requeue() {
	for _, q := range p.Turns { // also those all of whose requests are ordered: their next one needs a turn again
		q.inTurn = false
	}
	for e := p.Oldest; e != nil; e = e.Next {
		e.owner.Fifo, e.owner.queued = nil, 0
	}
	p.Turns, p.Queued, p.QueuedBytes = nil, 0, 0
	for e := p.Oldest; e != nil; e = e.Next {
		p.enqueue(e)
	}
}

// WaitingAll counts the requests that are not ordered yet.
func (p *Pool) WaitingAll() int {
	n := p.Direct.Requests
	for _, k := range p.Relayed {
		n += k.Requests
	}
	return n
}
