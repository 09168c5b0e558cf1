package pbft

import (
	"time"

	"tagma/pbft/pool"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// This file handles requests (§4.1): how they reach the primary, and which of them are admitted.

// onRequest takes in a request. The driver has already looked it up, so it is not a request that was executed here (C3).
func (r *Replica) onRequest(m *wire.Request, from port.Source) {
	if !from.Client && !r.isPrimary() {
		r.drop(m, port.ReasonNotPrimary)
		return
	}
	if e, known := r.pool.Known(m.ID); known {
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
	if r.pool.Direct.Requests <= r.relayRoom().Requests && !r.pool.KeepsBack(e) {
		r.relay(e)
	}
	r.propose()
}

// onKnownRequest handles a request that is already held or ordered. Its client saw no reply in time, so the request is
// relayed to the primary again. If two different requests have the same name, the first one stays here; execution
// decides which one counts (C2).
func (r *Replica) onKnownRequest(e *pool.Pending, m *wire.Request) {
	switch {
	case e == nil || e.Ordered:
		r.drop(m, port.ReasonOrdered)
	case r.mono-e.RelayedAt >= r.cfg.ViewTimeout/4 && !r.pool.KeepsBack(e):
		r.relay(e)
	default:
		r.drop(m, port.ReasonDuplicate)
	}
}

// admits decides whether there is room for one more request. Each backup has its own share at the primary, which no client
// can use up. The clients with requests here have equal parts of the room: a client that floods fills only its own part.
func (r *Replica) admits(m *wire.Request, from port.Source) bool {
	if r.leftBehind() {
		return false
	}
	if !from.Client {
		return r.pool.Relayed[from.Replica].Leaves(r.relayRoom(), m)
	}
	if len(r.pool.ByID) >= 2*r.cfg.MaxPending || r.pool.All.Bytes+m.Size() > 2*pool.MaxPendingBytes {
		return false // the backups' shares come in addition to this
	}
	room := r.pool.Limit(r.cfg.MaxPending)
	if !r.isPrimary() { // a backup admits no more than the primary has room for from this backup
		room = room.Part(r.cfg.N())
		if !r.pool.Direct.Leaves(r.relayRoom(), m) {
			return false
		}
	}
	var held pool.Amount
	others := len(r.pool.Clients)
	if q := r.pool.Clients[m.ID.Client]; q != nil {
		held, others = q.Held, others-1
	}
	part := room.Part(others + 1)
	part.Requests = r.pool.MostOf(m.ID.Client, min(r.cfg.MaxPerClient, part.Requests))
	return held.Leaves(part, m)
}

// relayRoom is what a primary reserves for the requests that each backup relays, however little it admits from its own
// clients. Primary and backup compute the same value, whatever load each of them measured, and no backup ever admits more.
func (r *Replica) relayRoom() pool.Amount {
	return pool.Amount{Requests: r.cfg.MaxPending, Bytes: pool.MaxPendingBytes}.Part(r.cfg.N())
}

func (r *Replica) respondBusy(m *wire.Request, from port.Source) {
	if from.Client && !r.diverged {
		r.emit(port.Respond{Reply: &wire.Reply{
			ID: m.ID, Request: m.Digest(), Outcome: wire.OutcomeBusy, View: r.view,
			RetryAfterMillis: uint32(max(1, (r.cfg.ViewTimeout / 16).Milliseconds())),
		}})
	}
}

// relay passes a request on to the primary if the view is active and this replica is a backup. Its timer starts then.
func (r *Replica) relay(e *pool.Pending) {
	if r.active && !r.isPrimary() {
		if e.RelayedAt < r.change.activatedAt || e.RelayedAt == 0 {
			e.Since = r.mono
		}
		e.RelayedAt = r.mono
		r.send(r.cfg.Primary(r.view), e.Req)
	}
}

// relayAgain relays again the oldest requests that no pre-prepare holds yet, as many as the primary reserves room for:
// the first copy may have been lost, or the room was full. Otherwise, if only one backup knew a request, it would
// suspect a correct primary again and again. A former primary may hold more requests than that; it relays and times the
// others when earlier ones are executed.
func (r *Replica) relayAgain(after time.Duration) {
	var again pool.Amount
	room := r.relayRoom()
	for e := r.pool.Oldest; e != nil && again.Leaves(room, e.Req); e = e.Next {
		due := r.mono-e.RelayedAt >= after || e.RelayedAt < r.change.activatedAt
		if again.Add(e.Req); e.Queued && due && !r.pool.KeepsBack(e) {
			r.relay(e)
		}
	}
}
