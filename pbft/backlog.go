package pbft

// What a start executes again although nobody keeps it any more but the own journal (D5). A replica that follows is handed
// batches up to a window ahead of its newest durable state, and h may leave that state behind meanwhile.

// backlog lists the bodies of the batches above a state, up to a sequence number, as a journal lets them be executed again.
// It reports false if one of them is missing.
func backlog(log []Record, above, upTo Seq) ([]*Body, bool) {
	if upTo-above > Seq(len(log)) {
		return nil, false
	}
	type place struct {
		cert *CommitCert
		held []*Body
	}
	places := make([]place, upTo-above)
	for _, rec := range log {
		seq := RecordSeq(rec)
		if seq <= above || seq > upTo {
			continue
		}
		p := &places[seq-above-1]
		switch rec := rec.(type) {
		case *Sent:
			if m, ok := rec.Msg.(*PrePrepare); ok {
				p.held = append(p.held, m.Body)
			}
		case *Accepted:
			p.held = append(p.held, rec.PrePrepare.Body)
		case *Fetched:
			p.held = append(p.held, rec.Body)
		case *Certified:
			p.cert, p.held = &rec.Cert, append(p.held, rec.Body)
		case *Committed:
			p.cert = &rec.Cert
		default: // it says nothing of what was executed
		}
	}
	bodies := make([]*Body, len(places))
	for i := range places {
		p := slot{bodies: places[i].held}
		if places[i].cert == nil {
			return nil, false
		}
		if bodies[i] = p.body(places[i].cert.Digest); bodies[i] == nil {
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
