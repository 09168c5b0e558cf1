package pbft

import (
	"tagma/pbft/pool"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// Requests (§4.1): how they reach the primary, and who is admitted.

// onRequest takes in a request that was not executed yet: the driver looked it up before (C3).
func (r *Replica) onRequest(m *wire.Request, from port.Source) {
	if !from.Client && !r.isPrimary() {
		r.drop(m, port.ReasonNotPrimary)
		return
	}
	if e := r.pool.ByID[m.ID]; e != nil {
		r.onKnownRequest(e, m)
		return
	}
	if !r.admits(m, from) {
		r.drop(m, port.ReasonBusy)
		r.respondBusy(m, from)
		return
	}
	relayer := pool.FromClient
	if !from.Client {
		relayer = int(from.Replica)
	}
	e := r.pool.Add(m, relayer, r.mono)
	r.relay(e)
	r.propose()
}

// onKnownRequest handles a request that is held already: the client saw no reply in time, so the primary is told again.
// Of two different operations under one name the first one is kept; execution settles which one counts (C2).
func (r *Replica) onKnownRequest(e *pool.Pending, m *wire.Request) {
	if e.Ordered {
		r.drop(m, port.ReasonOrdered)
		return
	}
	if r.mono-e.RelayedAt >= r.cfg.ViewTimeout/4 {
		r.relay(e)
		return
	}
	r.drop(m, port.ReasonDuplicate)
}

// admits decides whether there is room for one more request. Each backup has a share of its own at the primary, which
// no client can use up, and the clients that have requests here have equal parts of the room: one that floods fills its
// own part, and who comes later finds its part free.
func (r *Replica) admits(m *wire.Request, from port.Source) bool {
	if r.leftBehind() || len(r.pool.ByID) >= 2*r.cfg.MaxPending {
		return false
	}
	if !from.Client {
		return r.pool.Relayed[from.Replica].Leaves(r.relayShare(), m)
	}
	if r.pool.All.Bytes+m.Size() > 2*pool.MaxPendingBytes { // the backups' shares lie beside it
		return false
	}
	room := r.pool.Limit(r.cfg.MaxPending)
	if !r.isPrimary() { // no more than the primary takes over from here
		room = r.relayShare()
	}
	var held pool.Amount
	others := len(r.pool.Clients)
	if q := r.pool.Clients[m.ID.Client]; q != nil {
		held, others = q.Held, others-1
	}
	part := room.Part(others + 1)
	part.Requests = min(r.cfg.MaxPerClient, part.Requests)
	return held.Leaves(part, m)
}

// relayShare is the room that a primary keeps for the requests of each backup.
func (r *Replica) relayShare() pool.Amount { return r.pool.Limit(r.cfg.MaxPending).Part(r.cfg.N()) }

func (r *Replica) respondBusy(m *wire.Request, from port.Source) {
	if from.Client && !r.diverged {
		r.emit(port.Respond{Reply: &wire.Reply{
			ID: m.ID, Request: m.Digest(), Outcome: wire.OutcomeBusy, View: r.view,
			RetryAfterMillis: uint32(max(1, (r.cfg.ViewTimeout / 16).Milliseconds())),
		}})
	}
}

// relay passes a request on to the primary, if that is another replica and the view is active.
func (r *Replica) relay(e *pool.Pending) {
	if r.active && !r.isPrimary() {
		e.RelayedAt = r.mono
		r.send(r.cfg.Primary(r.view), e.Req)
	}
}

// relayAgain repeats the oldest requests that no pre-prepare holds yet: the first copy may be lost, or the primary had no
// room. Without it one backup that knows a request alone would suspect a correct primary again and again.
func (r *Replica) relayAgain() {
	var again pool.Amount
	share := r.relayShare()
	for e := r.pool.Oldest; e != nil && again.Leaves(share, e.Req); e = e.Next {
		if e.Queued && r.mono-e.RelayedAt >= r.cfg.ViewTimeout/4 {
			r.relay(e)
			again.Add(e.Req)
		}
	}
}

// relayAll tells the primary of a new view about everything that waits here.
func (r *Replica) relayAll() {
	for e := r.pool.Oldest; e != nil; e = e.Next {
		r.relay(e)
	}
}
