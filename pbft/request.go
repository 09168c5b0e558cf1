package pbft

import "time"

// Requests (§4.1): how they reach the primary, and who is admitted.

// minAdmitted is how many requests of its clients a replica admits however slowly the cluster orders.
const minAdmitted = 64

// load measures how much is ordered in half a view timeout, so that a replica admits no more than will be ordered
// before its timers run out: overload must not depose a correct primary (C6).
type load struct {
	since         time.Duration
	ordered, last int  // requests handed to execution in this period and in the one before
	backlog       bool // requests waited all through the period
	wasBacklogged bool
}

// tick begins a new period when half a view timeout is over.
func (l *load) tick(now, period time.Duration, waiting bool) {
	if !waiting {
		l.backlog = false
	}
	if now-l.since >= period {
		l.since, l.last, l.ordered = now, l.ordered, 0
		l.wasBacklogged, l.backlog = l.backlog, waiting
	}
}

// limit is the number of requests to admit. Without a backlog nothing is known about the capacity: admit a quarter of
// what the pool holds.
func (l *load) limit(maxPending int) int {
	if !l.wasBacklogged {
		return max(min(minAdmitted, maxPending), maxPending/4)
	}
	return min(maxPending, max(minAdmitted, l.last, l.ordered))
}

// onRequest takes in a request that was not executed yet: the driver looked it up before (C3).
func (r *Replica) onRequest(m *Request, from Source) {
	if !from.Client && !r.isPrimary() {
		r.drop(m, ReasonNotPrimary)
		return
	}
	if e := r.pool.byID[m.ID]; e != nil {
		r.onKnownRequest(e, m)
		return
	}
	if !r.admits(m, from) {
		r.drop(m, ReasonBusy)
		r.respondBusy(m, from)
		return
	}
	relayer := fromClient
	if !from.Client {
		relayer = int(from.Replica)
	}
	e := r.pool.add(m, relayer, r.mono)
	r.relay(e)
	r.propose()
}

// onKnownRequest handles a request that is held already: the client saw no reply in time, so the primary is told again.
// Of two different operations under one name the first one is kept; execution settles which one counts (C2).
func (r *Replica) onKnownRequest(e *pending, m *Request) {
	if e.ordered {
		r.drop(m, ReasonOrdered)
		return
	}
	if r.mono-e.relayedAt >= r.cfg.ViewTimeout/4 {
		r.relay(e)
		return
	}
	r.drop(m, ReasonDuplicate)
}

// admits decides whether there is room for one more request. Each backup has a share of its own at the primary, which
// no client can use up, and the clients that have requests here have equal parts of the room: one that floods fills its
// own part, and who comes later finds its part free.
func (r *Replica) admits(m *Request, from Source) bool {
	if r.leftBehind() || len(r.pool.byID) >= 2*r.cfg.MaxPending {
		return false
	}
	if !from.Client {
		return r.pool.relayed[from.Replica] < r.relayShare()
	}
	room := r.pool.limit(r.cfg.MaxPending)
	if !r.isPrimary() { // no more than the primary takes over from here
		room = r.relayShare()
	}
	held, others := 0, len(r.pool.clients)
	if q := r.pool.clients[m.ID.Client]; q != nil {
		held, others = q.held, others-1
	}
	return held < min(r.cfg.MaxPerClient, max(1, room/(others+1)))
}

// relayShare is the room that a primary keeps for the requests of each backup.
func (r *Replica) relayShare() int { return max(1, r.pool.limit(r.cfg.MaxPending)/r.cfg.N()) }

func (r *Replica) respondBusy(m *Request, from Source) {
	if from.Client && !r.diverged {
		r.emit(Respond{&Reply{
			ID: m.ID, Request: m.Digest(), Outcome: OutcomeBusy, View: r.view,
			RetryAfterMillis: uint32(max(1, (r.cfg.ViewTimeout / 16).Milliseconds())),
		}})
	}
}

// relay passes a request on to the primary, if that is another replica and the view is active.
func (r *Replica) relay(e *pending) {
	if r.active && !r.isPrimary() {
		e.relayedAt = r.mono
		r.send(r.cfg.Primary(r.view), e.req)
	}
}

// relayAgain repeats the oldest requests that no pre-prepare holds yet: the first copy may be lost, or the primary had no
// room. Without it one backup that knows a request alone would suspect a correct primary again and again.
func (r *Replica) relayAgain() {
	left := r.relayShare()
	for e := r.pool.oldest; e != nil && left > 0; e = e.next {
		if e.queued && r.mono-e.relayedAt >= r.cfg.ViewTimeout/4 {
			r.relay(e)
			left--
		}
	}
}

// relayAll tells the primary of a new view about everything that waits here.
func (r *Replica) relayAll() {
	for e := r.pool.oldest; e != nil; e = e.next {
		r.relay(e)
	}
}
