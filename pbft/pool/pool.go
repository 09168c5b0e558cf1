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
	relayer    int           // the replica that relayed the request, or FromClient
	Since      time.Duration // when its timer started: at that time the primary had room for it (C6, T1)
	RelayedAt  time.Duration // when this replica last relayed it to the primary; 0: never
	Queued     bool          // it waits until this replica proposes it; false once it is in a pre-prepare
	Ordered    bool          // the request was handed to execution, and its timer has ended
	prev, Next *Pending
}

// FromClient stands for the relayer of a request that came over its client's own link.
const FromClient = -1

// clientQueue holds one client's requests. Clients take turns (C6).
type clientQueue struct {
	Fifo   []*Pending
	client wire.PublicKey
	Held   Amount // requests of this client in the pool
	turn
	queued int  // how many of them wait for a proposal; Fifo may also list requests that do not wait any more
	inTurn bool // listed in Pool.Turns
}

// Pool holds the requests that are known and not executed. It finds them by name, so that a request that is sent again
// is recognised whatever its digest (C3); by age, so that the oldest one is timed (T1); and by client, so that each
// client gets its share (C6).
type Pool struct {
	ByID           map[wire.RequestID]*Pending
	Clients        map[wire.PublicKey]*clientQueue
	Turns          []*clientQueue // clients with queued requests, next one first
	Oldest, newest *Pending       // the list of requests that are not ordered yet, by arrival
	All            Amount
	Direct         Amount   // requests from the clients' own links that are not ordered yet
	Relayed        []Amount // by relaying replica: requests that are not ordered yet
	Queued         int
	QueuedBytes    int
	handed         map[wire.RequestID]struct{} // handed to execution, not executed yet, and not held here
	load
	shares
}

// New returns an empty pool for so many replicas that may relay requests, with the view timeout.
func New(replicas int, timeout time.Duration) *Pool {
	return &Pool{
		shares:  shares{heavy: make(map[wire.PublicKey]*share), timeout: timeout},
		ByID:    make(map[wire.RequestID]*Pending),
		Clients: make(map[wire.PublicKey]*clientQueue),
		Relayed: make([]Amount, replicas),
		handed:  make(map[wire.RequestID]struct{}),
	}
}

// Add adds a request that is not held yet.
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

// waiting returns the counter to which a request that is not ordered yet belongs.
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

// Slack is by how many entries a list may exceed twice the number of its entries that still wait.
const Slack = 16

// compact removes requests that no longer wait, and clients without any, from lists in which most entries do not wait
// any more. Only a primary takes entries from these lists, so at a backup they would grow for ever.
func (p *Pool) compact(q *clientQueue) {
	if len(q.Fifo) > 2*q.queued+Slack {
		q.Fifo = slices.DeleteFunc(q.Fifo, func(e *Pending) bool { return !e.Queued })
	}
	if len(p.Turns) > 2*p.Queued+Slack { // a client with queued requests is always listed, so the others can be dropped
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

// Take removes requests for one batch from the queues; they stay in the pool. Clients take turns, one request each, for
// as many rounds as would fill the batch if each client had an equal part of it. So a client with many requests does not
// make the batch longer, and slower, for those with few (C6).
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

// endTurn removes the request that was taken, if there was one, from the queue of the client whose turn it was. It puts
// the client at the end of the turns, or removes it from them when it has no further request.
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

// front returns the client's first request that still waits for a proposal.
func (q *clientQueue) front() *Pending {
	for len(q.Fifo) > 0 && !q.Fifo[0].Queued {
		q.Fifo = q.Fifo[1:]
	}
	if len(q.Fifo) == 0 {
		return nil
	}
	return q.Fifo[0]
}

// MarkProposed notes that a pre-prepare holds these requests, so that this replica does not propose them again.
func (p *Pool) MarkProposed(b *wire.Body) {
	for _, req := range b.Requests {
		if e := p.ByID[req.ID]; e != nil {
			p.unqueue(e)
		}
	}
}

// MarkOrdered notes that these requests were handed to execution: their timers end. For requests that this pool does not
// hold, it remembers the names until they are executed. If such a request arrives later, because its client waits for a
// slow execution, it must not be ordered again (T4). A window's requests bound the number of these names.
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

// Known reports whether a request is held here, or was ordered before it arrived; in the second case there is no entry (T4).
func (p *Pool) Known(id wire.RequestID) (e *Pending, known bool) {
	e = p.ByID[id]
	_, handed := p.handed[id]
	return e, e != nil || handed
}

// Refetched forgets the names of the requests handed to execution: a state was fetched that contains their effects, or
// they will be handed again (X6).
func (p *Pool) Refetched() { clear(p.handed) }

// Handed is how many requests were handed to execution without being held here.
func (p *Pool) Handed() int { return len(p.handed) }

// unlink takes a request out of the list of those that are timed.
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
		e.owner.Fifo = nil // Take skips the client if Turns still lists it
		delete(p.Clients, id.Client)
	}
}

// Requeue makes every request that is not ordered wait for a proposal again: the pre-prepares of the last view no
// longer count.
func (p *Pool) Requeue() {
	// This includes clients whose requests are all ordered, because their next request needs a turn.
	for _, q := range p.Turns {
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
