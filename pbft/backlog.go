package pbft

import "tagma/pbft/wire"

// What a start executes again although nobody keeps it any more but the own journal (D5). A replica that follows is handed
// batches up to a window ahead of its newest durable state, and h may leave that state behind meanwhile.

// backlog lists the bodies of the batches above a state, up to a sequence number, as a journal lets them be executed again.
// It reports false if one of them is missing.
func backlog(log []wire.Record, above, upTo wire.Seq) ([]*wire.Body, bool) {
	if upTo-above > wire.Seq(len(log)) {
		return nil, false
	}
	places := make([]wire.Remains, upTo-above)
	for _, rec := range log {
		seq := wire.RecordSeq(rec)
		if seq <= above || seq > upTo {
			continue
		}
		places[seq-above-1].Gather(rec)
	}
	bodies := make([]*wire.Body, len(places))
	for i := range places {
		if bodies[i] = places[i].Decided(); bodies[i] == nil {
			return nil, false
		}
	}
	return bodies, true
}

// handAgain gives the next batch of the backlog to execution.
func (r *Replica) handAgain() {
	body := r.backlog[0]
	r.backlog[0], r.backlog = nil, r.backlog[1:]
	r.handed++
	r.emit(Execute{Seq: r.handed, Body: body})
	r.pool.markOrdered(body)
	if r.handed%r.cfg.CheckpointInterval == 0 {
		r.emit(Snapshot{Seq: r.handed})
	}
}
