package pbft

import "tagma/pbft/wire"

// Batching and pipelining (§4.2; N5).

// propose assigns sequence numbers to waiting requests while there are enough of them and the window is open.
func (r *Replica) propose() {
	if !r.active || !r.isPrimary() || !r.started || r.transfer.on || !r.mayVote(r.view) {
		return
	}
	for r.proposed < r.log.high() && r.batchReady() {
		if !r.hasRoom() {
			r.proposeNulls()
			return
		}
		if next := r.log.peek(r.proposed + 1); next != nil && next.full() {
			r.assign(wire.NullBody)
			continue
		}
		requests := r.pool.take(r.cfg.MaxBatch, r.cfg.MaxBatchBytes)
		if len(requests) == 0 {
			return
		}
		r.assign(&wire.Body{Time: max(r.wall, 1), Requests: requests})
	}
	r.proposeWanted()
}

// proposeNulls leads to the next checkpoint. Nothing else makes room in a window that is full of bytes, and it comes with
// its sequence number alone: without nulls the window would stay full for ever (N4).
func (r *Replica) proposeNulls() {
	for r.proposed == r.log.low || r.proposed%r.cfg.CheckpointInterval != 0 {
		r.assign(wire.NullBody)
	}
}

// assign proposes a batch for the next sequence number. It takes its room at once, not when it comes back over the loopback:
// a turn may bring requests for many more.
func (r *Replica) assign(body *wire.Body) {
	r.proposed++
	r.lastProposal = r.mono
	r.log.at(r.proposed).keep(body)
	r.emit(Broadcast{&wire.PrePrepare{View: r.view, Seq: r.proposed, Digest: body.Digest(), Body: body}})
}

// hasRoom reports whether another batch of what waits keeps the window small enough.
func (r *Replica) hasRoom() bool {
	return r.pool.queuedBytes < largeBody || r.log.largeBytes() <= maxLargeBytes
}

// batchReady adapts the batch to the load: with nothing in flight a request goes out at once; the more is in flight, the
// fuller a batch must be, since waiting costs it nothing while the pipeline is busy.
func (r *Replica) batchReady() bool {
	const depth = 4                  // batches in flight from which on only full ones are started
	done := max(r.handed, r.log.low) // what is stable is done, even if this replica has yet to follow
	inFlight := int(min(r.proposed-min(done, r.proposed), depth))
	enough := max(1, r.cfg.MaxBatch*inFlight/depth)
	return r.pool.queued >= enough || r.pool.queuedBytes >= r.cfg.MaxBatchBytes
}
