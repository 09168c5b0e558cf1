package pbft

import (
	"time"

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
	if r.pool.Direct.Requests <= r.relayRoom().Requests {
		r.relay(e)
	}
	r.propose()
}

// onKnownRequest handles one that is held or ordered already: the client saw no reply in time, so the primary is told again.
// Of two different operations under one name the first one is kept; execution settles which one counts (C2).
func (r *Replica) onKnownRequest(e *pool.Pending, m *wire.Request) {
	if e == nil || e.Ordered {
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
	if r.leftBehind() {
		return false
	}
	if !from.Client {
		return r.pool.Relayed[from.Replica].Leaves(r.relayRoom(), m)
	}
	if len(r.pool.ByID) >= 2*r.cfg.MaxPending || r.pool.All.Bytes+m.Size() > 2*pool.MaxPendingBytes {
		return false // the backups' shares lie beside it
	}
	room := r.pool.Limit(r.cfg.MaxPending)
	if !r.isPrimary() { // no more than the primary takes over from here
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

// relayRoom is what a primary keeps for the requests of each backup, however little it admits of its own clients: the same
// for both, and no less than a backup ever admits. What one of them measured as the load, the other one may have not.
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

// relay passes a request on to the primary, if that is another replica and the view is active. It is timed from the first
// time on.
func (r *Replica) relay(e *pool.Pending) {
	if r.active && !r.isPrimary() {
		if e.RelayedAt < r.change.activatedAt || e.RelayedAt == 0 {
			e.Since = r.mono
		}
		e.RelayedAt = r.mono
		r.send(r.cfg.Primary(r.view), e.Req)
	}
}

// relayAgain repeats the oldest requests that no pre-prepare holds yet, as many as the primary has room for: the first copy
// may be lost, or the room was full. Without it one backup that knows a request alone would suspect a correct primary again
// and again. Who was primary before may hold more: the rest is told, and timed, when its turn comes.
func (r *Replica) relayAgain(after time.Duration) {
	var again pool.Amount
	room := r.relayRoom()
	for e := r.pool.Oldest; e != nil && again.Leaves(room, e.Req); e = e.Next {
		if again.Add(e.Req); e.Queued && (r.mono-e.RelayedAt >= after || e.RelayedAt < r.change.activatedAt) {
			r.relay(e)
		}
	}
}
