package pool

import (
	"math/bits"
	"slices"
	"time"

	"tagma/pbft/wire"
)

// Fair turns by cost (C6). Clients take turns by number of requests, but one request may cost the executor as much as
// thousands of others. So a client whose requests cost much (a heavy client) waits until they are executed, and then for
// the time that they took, multiplied by the number of clients. A client of which little is known may have about as many
// requests under way as it has had cheap ones in a row. A client that is known to be light is not held back, however
// long this machine takes for its requests.

// heavyCost is the cost from which on a request makes its client a heavy one, in the state machine's units of cost:
// about as much as eighty small writes.
const heavyCost = 2000

// largeRequest is the size in bytes from which on sending a request to all replicas and writing it there costs more than
// executing it. One unit of cost is added for every bytesPerUnit bytes, so that a request of this size reaches heavyCost.
const (
	largeRequest = 64_000
	bytesPerUnit = largeRequest / heavyCost
)

// trusted is the number of cheap requests in a row after which a client is known to be light.
const trusted = 256

// untried is how many requests a client of which nothing is known may have under way at once.
const untried = 4

// mostDebt is how many T a heavy client waits at most for the time that its requests took. remembered is how many T a
// client counts as heavy after its last costly request. That is longer than a primary ever makes it wait.
const (
	mostDebt   = 8
	remembered = 16
)

// share is what is known of one heavy client.
type share struct {
	client wire.PublicKey
	each   time.Duration // the executor's time that one of its requests takes
	// Nothing is proposed for it before this moment, or before its proposed requests are executed if that is earlier.
	held   time.Duration
	next   time.Duration // by this moment the other clients have had their part of the executor
	served time.Duration // when a request of it was last executed
	cost   time.Duration // when a request of it that cost much was last executed
	worked time.Duration // when a request of it was last executed whose execution cost much, not only its size; 0: never
}

// turn is what a primary knows of one client with queued requests.
type turn struct {
	batch  uint64        // the batch for which left was computed
	left   int           // how many more requests it may have in that batch
	lights int           // cheap requests in a row
	served time.Duration // when a request of it was last executed, or the first one was proposed
	seq    wire.Seq      // the last batch handed to execution with a request of it
}

// shares holds the shares of all heavy clients, and whether other clients have requests.
type shares struct {
	heavy    map[wire.PublicKey]*share
	all      []*share // the same shares as a list, in a fixed order
	light    streaks
	batch    uint64 // the number of the batch that is being put together
	executed wire.Seq
	mixed    bool // a client that is not heavy has requests here, or had some a moment ago
	now      time.Duration
	sweep    time.Duration // when entries of clients that are not heavy any more are next looked for
	timeout  time.Duration // T
	seen     [2]struct {   // the last two clients that brought a request, the last one first
		client wire.PublicKey
		at     time.Duration
	}
}

// note records that a client has just sent a request.
func (s *shares) note(client wire.PublicKey, now time.Duration) {
	if s.seen[0].client != client {
		s.seen[1] = s.seen[0]
	}
	s.seen[0].client, s.seen[0].at = client, now
	s.mixed = s.mixed || s.heavy[client] == nil
}

// parties returns the number of clients that have requests, or had some a moment ago.
func (p *Pool) parties() int {
	if old := p.seen[1]; old.at > 0 && p.now-old.at < p.timeout/4 {
		return max(2, len(p.Clients))
	}
	return max(1, len(p.Clients))
}

// look sets mixed: whether a client that is not heavy has requests here, or had a moment ago.
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

// free reports whether a heavy client may have any number of requests under way: its requests are large but quick to
// execute, and every client with requests here is heavy.
func (p *Pool) free(s *share) bool {
	return !p.mixed && (s.worked == 0 || p.now-s.worked > remembered*p.timeout)
}

// Spend records what the requests of an executed batch cost. Body is nil if this replica does not hold it. Spend must be
// called before the requests are removed from the pool.
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

// Weigh adds the cost of ordering large requests to the executor's report of their batch. Their bytes are added to their
// costs. The time that they took becomes twice the time since the batch was accepted here. It is doubled for this
// reason: in that time the primary sends a copy to each replica, but the clients also send a copy to each replica, at
// other times, and nobody measures those (ADR 0049).
func Weigh(body *wire.Body, costs []uint64, took, since time.Duration) ([]uint64, time.Duration) {
	if body == nil || len(body.Requests) != len(costs) || !slices.ContainsFunc(body.Requests, large) {
		return costs, took
	}
	costs = slices.Clone(costs)
	for i, req := range body.Requests {
		if large(req) {
			costs[i] += uint64(req.Size() / bytesPerUnit)
		}
	}
	return costs, max(took, 2*since)
}

func large(req *wire.Request) bool { return req.Size() >= largeRequest }

// part returns the share of a cost in the time that the whole batch took. It computes in integers, which give the same
// result on every machine, unlike floating point, so that a simulated run repeats exactly.
func part(took time.Duration, cost, all uint64) time.Duration {
	high, low := bits.Mul64(uint64(max(took, 0)), cost)
	share, _ := bits.Div64(high, low, all) // cost < all, so the quotient fits
	return time.Duration(share)
}

// spend counts one request. Its client then waits for the time that the request took, times the number of clients. So the
// client gets less than an equal part of the executor, and the others are served meanwhile. If all clients are heavy, none
// of them waits: each may have only few requests under way, which divides the executor, and waiting would leave it idle.
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

// mayTake reports whether the batch that is being put together may hold one more request of a client.
func (p *Pool) mayTake(q *clientQueue) bool {
	if q.batch != p.batch {
		q.batch, q.left = p.batch, p.allowed(q)
	}
	return q.left > 0
}

// allowed is how many requests of a client the batch may hold now. If a heavy client has to wait for longer than T/2, it
// may have one request after T/2 and then waits again. The reason is that the backups time its requests, and do not know
// why the primary holds them back.
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

// fresh is how many more requests of a client that is not heavy may be proposed. A client not yet known to be light may
// have four more under way than it has had cheap ones in a row. It may have one more for each T/2 in which none of its
// requests is executed, because they may only wait until another client's requests are executed.
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

// took notes that a request of a client is proposed. A heavy client's next requests wait until this one is executed,
// but no longer than T/2: the backups that time them do not know how far this replica's executor is.
func (p *Pool) took(q *clientQueue) {
	q.left--
	if s := p.heavy[q.client]; s != nil {
		s.held = p.now + p.timeout/2
	}
}

// MostOf is how many requests of a client a replica admits. From a heavy client it admits no more than are executed in
// a quarter of T, so that none waits for longer than its timer.
func (p *Pool) MostOf(client wire.PublicKey, most int) int {
	if s := p.heavy[client]; s != nil && !p.free(s) {
		return min(most, max(1, int(p.timeout/4/max(s.each*time.Duration(p.parties()), 1))))
	}
	return most
}

// KeepsBack reports whether a backup does not relay a new request yet. A large request is relayed only when the primary
// has not proposed it for T/4 (ADR 0049). Its client has usually sent it to the primary as well, and a copy from every
// backup would cost the primary as much as ordering the request.
func (p *Pool) KeepsBack(e *Pending) bool {
	return large(e.Req) && e.RelayedAt == 0 && p.now-e.Since < p.timeout/4
}

// OwedSince returns since when the primary should have ordered a request, and whether it should do so now. If a client
// is not known to be light, its next request need not be ordered before the earlier ones are executed (T4).
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

// At sets the current time. A client without costly requests for a long time does not count as heavy any more.
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
