package pbft

import "tagma/pbft/wire"

// Requests (§4.1): how they reach the primary, and who is admitted.

// onRequest takes in a request that was not executed yet: the driver looked it up before (C3).
func (r *Replica) onRequest(m *wire.Request, from Source) {
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
func (r *Replica) onKnownRequest(e *pending, m *wire.Request) {
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
func (r *Replica) admits(m *wire.Request, from Source) bool {
	if r.leftBehind() || len(r.pool.byID) >= 2*r.cfg.MaxPending {
		return false
	}
	if !from.Client {
		return r.pool.relayed[from.Replica].leaves(r.relayShare(), m)
	}
	if r.pool.all.bytes+m.Size() > 2*maxPendingBytes { // the backups' shares lie beside it
		return false
	}
	room := r.pool.limit(r.cfg.MaxPending)
	if !r.isPrimary() { // no more than the primary takes over from here
		room = r.relayShare()
	}
	var held amount
	others := len(r.pool.clients)
	if q := r.pool.clients[m.ID.Client]; q != nil {
		held, others = q.held, others-1
	}
	part := room.part(others + 1)
	part.requests = min(r.cfg.MaxPerClient, part.requests)
	return held.leaves(part, m)
}

// relayShare is the room that a primary keeps for the requests of each backup.
func (r *Replica) relayShare() amount { return r.pool.limit(r.cfg.MaxPending).part(r.cfg.N()) }

func (r *Replica) respondBusy(m *wire.Request, from Source) {
	if from.Client && !r.diverged {
		r.emit(Respond{&wire.Reply{
			ID: m.ID, Request: m.Digest(), Outcome: wire.OutcomeBusy, View: r.view,
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
	var again amount
	share := r.relayShare()
	for e := r.pool.oldest; e != nil && again.leaves(share, e.req); e = e.next {
		if e.queued && r.mono-e.relayedAt >= r.cfg.ViewTimeout/4 {
			r.relay(e)
			again.add(e.req)
		}
	}
}

// relayAll tells the primary of a new view about everything that waits here.
func (r *Replica) relayAll() {
	for e := r.pool.oldest; e != nil; e = e.next {
		r.relay(e)
	}
}
