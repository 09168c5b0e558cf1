package pool

import (
	"math/bits"
	"slices"
	"time"

	"tagma/pbft/wire"
)

// Fair turns by cost (C6). Requests take turns by number, and one may cost the executor as much as thousands of others. So a
// client whose requests cost much waits until they are executed, and then for as long as they took, times the number of
// clients. A client of whom little is known may have about as many requests under way as cost little so far. Clients that
// are known to be light are not held back, however long this machine takes for their requests.

// heavyCost is what a request costs from which on its client takes turns by cost, in units of the state machine: about as
// much as eighty small writes.
const heavyCost = 2000

// largeRequest is the size from which on a request costs more than its execution: it is sent to all, and all write it. A
// unit more counts for each so many of its bytes, so that one of this size is one that costs much.
const (
	largeRequest = 64_000
	bytesPerUnit = largeRequest / heavyCost
)

// trusted is how many requests in a row have cost little of a client that is known to be light.
const trusted = 256

// untried is how many requests are under way at once of a client of which nothing is known.
const untried = 4

// mostDebt is how many T a client may have to wait for what it used, and remembered for how many T it is heavy: everywhere
// for longer than anywhere it waits.
const (
	mostDebt   = 8
	remembered = 16
)

// share is what is known of a client whose requests cost much.
type share struct {
	client wire.PublicKey
	each   time.Duration // of the executor's time, what one request takes
	held   time.Duration // nothing is proposed before, unless what was proposed is executed
	next   time.Duration // others have had their part of the executor then
	served time.Duration // when requests of it were executed last
	cost   time.Duration // when one that cost much was
	worked time.Duration // when one was whose execution did; 0: never
}

// turn is what a primary knows of a client whose requests are queued.
type turn struct {
	batch  uint64        // the last one that it was looked at for,
	left   int           // and how many requests it may still have in it
	lights int           // requests in a row that cost little
	served time.Duration // when requests of it were executed last, or the first one was proposed
	seq    wire.Seq      // the last batch handed to execution that holds one
}

// shares are those of all such clients, and whether others want something.
type shares struct {
	heavy    map[wire.PublicKey]*share
	all      []*share // the same
	light    streaks
	batch    uint64 // counts those that are put together
	executed wire.Seq
	mixed    bool // a client that is not heavy wants something, or did a moment ago
	now      time.Duration
	sweep    time.Duration // when heavy clients are looked through next
	timeout  time.Duration // T
	seen     [2]struct {   // the last two clients that brought a request, the last one first
		client wire.PublicKey
		at     time.Duration
	}
}

// note notes that a client is there.
func (s *shares) note(client wire.PublicKey, now time.Duration) {
	if s.seen[0].client != client {
		s.seen[1] = s.seen[0]
	}
	s.seen[0].client, s.seen[0].at = client, now
	s.mixed = s.mixed || s.heavy[client] == nil
}

// parties is how many clients want something, or did a moment ago.
func (p *Pool) parties() int {
	if old := p.seen[1]; old.at > 0 && p.now-old.at < p.timeout/4 {
		return max(2, len(p.Clients))
	}
	return max(1, len(p.Clients))
}

// look sets mixed: whether a client that is not heavy wants something, or did a moment ago.
func (p *Pool) look() {
	heavy := 0
	for _, s := range p.all {
		if p.Clients[s.client] != nil {
			heavy++
		}
	}
	p.mixed = len(p.Clients) > heavy
	for _, s := range p.seen {
		p.mixed = p.mixed || s.at > 0 && p.now-s.at < p.timeout/4 && p.heavy[s.client] == nil
	}
}

// free reports whether a client may have any number of requests under way: they are large but not long to execute, and no
// client is there that is not heavy itself.
func (p *Pool) free(s *share) bool {
	return !p.mixed && (s.worked == 0 || p.now-s.worked > remembered*p.timeout)
}

// Spend notes what the requests of a batch cost that was executed here. Body is nil if this replica does not hold it. Spend
// is called before the requests are removed.
func (p *Pool) Spend(seq wire.Seq, replies []*wire.Reply, costs []uint64, took time.Duration, body *wire.Body, since time.Duration) {
	p.executed = max(p.executed, seq)
	whole, took := Weigh(body, costs, took, p.now-since)
	total := uint64(1)
	for i, c := range whole {
		total += c
		if s := p.heavy[replies[i].ID.Client]; s != nil {
			s.held, s.served = 0, p.now
		}
	}
	for i, r := range replies {
		if i < len(whole) && r.Outcome == wire.OutcomeExecuted {
			p.light.note(r.ID.Client, whole[i] < heavyCost)
			p.spend(r.ID.Client, whole[i], part(took, whole[i], total), costs[i] >= heavyCost)
		}
		if q := p.Clients[r.ID.Client]; q != nil {
			q.lights, q.served = p.light.of(r.ID.Client), p.now
		}
	}
	p.look()
}

// Weigh adds to what execution says of a batch what it took to order it, if it has large requests: to their costs what their
// bytes do, and the time since it was accepted here is what it took.
func Weigh(body *wire.Body, costs []uint64, took, since time.Duration) ([]uint64, time.Duration) {
	if body == nil || len(body.Requests) != len(costs) || !slices.ContainsFunc(body.Requests, isLarge) {
		return costs, took
	}
	costs = slices.Clone(costs)
	for i, req := range body.Requests {
		if isLarge(req) {
			costs[i] += uint64(req.Size() / bytesPerUnit)
		}
	}
	return costs, max(took, since)
}

func isLarge(req *wire.Request) bool { return req.Size() >= largeRequest }

// part is cost's share of the time that all took. It is the same on every machine, as floating point is not, so that a
// simulated run is.
func part(took time.Duration, cost, all uint64) time.Duration {
	high, low := bits.Mul64(uint64(max(took, 0)), cost)
	share, _ := bits.Div64(high, low, all) // cost < all, so that it fits
	return time.Duration(share)
}

// spend counts one request. The client then waits for the time that the request took, times the number of clients: it gets
// less than an equal part of the executor, and the others are served meanwhile. Where all clients are heavy none waits: what
// each has under way is bounded, which shares the executor out, and waiting would leave it idle.
func (p *Pool) spend(client wire.PublicKey, cost uint64, took time.Duration, worked bool) {
	s := p.heavy[client]
	if s == nil {
		if cost < heavyCost {
			return
		}
		s = &share{client: client}
		p.heavy[client], p.all = s, append(p.all, s)
	}
	s.each, s.served = max(took, s.each-s.each/8), p.now
	if cost < heavyCost {
		return
	}
	if s.cost = p.now; worked {
		s.worked = p.now
	}
	if n := p.parties(); n > 1 && p.mixed {
		s.next = min(max(p.now, s.next)+took*time.Duration(n), p.now+mostDebt*p.timeout)
	}
}

// mayTake reports whether one more request of a client may be part of the batch that is put together.
func (p *Pool) mayTake(q *clientQueue) bool {
	if q.batch != p.batch {
		q.batch, q.left = p.batch, p.allowed(q)
	}
	return q.left > 0
}

// allowed is how many requests of a client a batch may hold now. A heavy one that has to wait for more than T/2 may have one
// then, and goes on waiting after it: those who time its requests know nothing of the rest.
func (p *Pool) allowed(q *clientQueue) int {
	s := p.heavy[q.client]
	switch {
	case s == nil || s.each < p.timeout/1024 && p.now >= s.next:
		return p.fresh(q)
	case p.free(s):
		return q.queued
	case p.now < min(s.next, s.served+p.timeout/2), p.now < s.held:
		return 0
	case p.now < s.next:
		return 1
	}
	return max(1, int(p.timeout/32/max(s.each, 1)))
}

// fresh is how many more requests of a client that is not heavy may be proposed. A client that is not known to be light may
// have four more under way than it had light ones in a row, and one more for each T/2 in which none of its requests is
// executed, since those may wait for somebody else's.
func (p *Pool) fresh(q *clientQueue) int {
	if q.lights >= trusted {
		return q.queued
	}
	under := q.Held.Requests - q.queued
	if under == 0 {
		q.served = p.now
	}
	return q.lights + untried + int((p.now-q.served)/max(p.timeout/2, 1)) - under
}

// took notes that a request of a client is proposed. The next ones of a heavy client wait until it was executed, unless
// that takes too long: those who time them do not know how far this replica's executor is.
func (p *Pool) took(q *clientQueue) {
	q.left--
	if s := p.heavy[q.client]; s != nil {
		s.held = p.now + p.timeout/2
	}
}

// MostOf is how many requests of a client a replica takes in: of one whose requests cost much no more than are executed in
// a fraction of T, so that none waits for longer than others time it.
func (p *Pool) MostOf(client wire.PublicKey, most int) int {
	if s := p.heavy[client]; s != nil && !p.free(s) {
		return min(most, max(1, int(p.timeout/4/max(s.each*time.Duration(p.parties()), 1))))
	}
	return most
}

// OwedSince is the moment from which on a primary owes the order of a request, and whether it does. Of a client that is not
// known to be light it owes the next one when those before are executed (T4).
func (p *Pool) OwedSince(e *Pending) (since time.Duration, owed, inTurn bool) {
	q := e.owner
	if s := p.heavy[e.Req.ID.Client]; s != nil {
		return max(e.Since, s.served), q.seq <= p.executed, true
	}
	if q.lights < trusted {
		return max(e.Since, q.served), q.seq <= p.executed, true
	}
	return e.Since, true, false
}

// At tells the time. Clients of which nothing cost much for long are heavy no more.
func (p *Pool) At(now time.Duration) {
	if p.now = now; now < p.sweep {
		return
	}
	p.look()
	p.sweep = now + p.timeout/4
	p.all = slices.DeleteFunc(p.all, func(s *share) bool {
		over := now-s.cost > remembered*p.timeout
		if over {
			delete(p.heavy, s.client)
		}
		return over
	})
}
