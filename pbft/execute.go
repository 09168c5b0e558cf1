package pbft

import "tagma/pbft/wire"

// Execution in sequence order (N4), and following by certificates (N7).

// certify fixes what a sequence number holds: Q commits of one view agree on it.
func (s *slot) certify(cert *wire.CommitCert) {
	if s.cert == nil {
		s.cert = cert
	}
}

// advance hands committed batches to execution, in order, as far as they reach. The queue in front of the executor never
// holds more than a window.
func (r *Replica) advance() {
	if !r.started || r.transfer.on {
		return
	}
	before := r.handed
	for r.handed-r.executed < r.cfg.LogWindow {
		if len(r.backlog) > 0 {
			r.handAgain()
			continue
		}
		s := r.log.peek(r.handed + 1)
		if s == nil || s.cert == nil {
			break
		}
		body := s.body(s.cert.Digest)
		if body == nil {
			break // fetched at the next status
		}
		r.hand(s, body)
	}
	if r.handed > before {
		r.change.progressAt = r.mono
		r.propose()
		if r.follow.from > 0 {
			r.pull()
		}
	}
}

// hand gives one batch to execution. A slot that prepared here has a durable certificate already, and what committed is
// noted behind it; one that is executed by commit certificate alone is journalled first (N7).
func (r *Replica) hand(s *slot, body *wire.Body) {
	certified := s.prepared == nil || s.prepared.Digest != s.cert.Digest || s.loose
	if certified && !s.journalled {
		r.emit(Persist{&wire.Certified{Cert: *s.cert, Body: body}})
	}
	r.emit(Execute{Seq: s.seq, Body: body})
	if !certified && !s.journalled {
		r.emit(Note{&wire.Committed{Cert: *s.cert}})
	}
	s.journalled, s.loose = true, false
	r.handed, s.handedAt = s.seq, r.mono
	r.proposed = max(r.proposed, s.seq) // a primary that follows by certificate goes on above it
	r.pool.markOrdered(body)
	for _, req := range body.Requests {
		r.pool.ordered.add(req)
	}
	if r.active && s.cert.View == r.view && len(body.Requests) > 0 {
		r.change.progressView = r.view
	}
	if s.seq%r.cfg.CheckpointInterval == 0 {
		r.emit(Snapshot{Seq: s.seq})
	}
}

// onExecuted passes the replies on and forgets the requests they answer.
func (r *Replica) onExecuted(e Executed) {
	r.executed = max(r.executed, e.Seq)
	for _, reply := range e.Replies {
		r.pool.remove(reply.ID)
		if !r.diverged {
			reply.View = r.view
			r.emit(Respond{reply})
		}
	}
	r.advance()
	r.propose()
}

// onCertifiedBody takes a body for a digest that something here vouches for: the certificate it comes with, or one that
// is held already, or a new view (N7).
func (r *Replica) onCertifiedBody(m *wire.CertifiedBody) {
	if !r.log.holds(m.Seq) {
		if m.Seq <= r.log.floor() {
			r.drop(m, ReasonBelowWindow)
		} else {
			r.drop(m, ReasonAboveWindow)
		}
		return
	}
	s := r.log.at(m.Seq)
	certifies := m.Cert != nil && s.cert == nil && m.Seq > r.handed
	if certifies {
		s.certify(m.Cert)
	}
	switch {
	case r.wantsBody(s, m.Body):
		r.takeBody(s, m.Body)
		r.askForMore()
	case certifies:
		r.advance()
	case m.Cert != nil:
		r.drop(m, ReasonDuplicate)
	default:
		r.drop(m, ReasonUnknownBody)
	}
}

// wantsBody reports whether a digest that is vouched for lacks exactly this body, and it is of use: what was executed and
// is stable is not taken back once it was forgotten (S4).
func (r *Replica) wantsBody(s *slot, b *wire.Body) bool {
	d := b.Digest()
	return (s.seq >= r.firstMissing() || s.seq > r.log.low) && s.vouches(d) && s.body(d) == nil
}

// takeBody stores a body that was missing and goes on where its absence had stopped the slot.
func (r *Replica) takeBody(s *slot, b *wire.Body) {
	s.keep(b)
	if s.accepted && s.digest == b.Digest() {
		r.emit(Persist{&wire.Fetched{Seq: s.seq, Body: b}}) // before the prepare (D1)
		r.pool.markProposed(b)
		r.vote(s)
	} else {
		s.loose = true // Certified will hold it, or Fetched if a new view makes this replica vote for it first
	}
	r.advance()
}

// onFetch answers a question for a body.
func (r *Replica) onFetch(m *wire.Fetch, from Source) {
	if s := r.log.peek(m.Seq); s != nil {
		if b := s.body(m.Digest); b != nil {
			r.answerFetch(m, from.Replica, b)
			return
		}
	}
	r.drop(m, ReasonNotHeld)
}

// answerFetch sends a body, within what a peer may fetch in a sixteenth of a timeout: the question is short, the answer
// is not (S4).
func (r *Replica) answerFetch(m *wire.Fetch, to wire.ReplicaID, b *wire.Body) {
	p := &r.peers[to]
	if r.mono-p.fetchedAt >= r.cfg.ViewTimeout/16 {
		p.fetched, p.fetchedAt = 0, r.mono
	}
	if p.fetched >= maxPushedBytes {
		r.drop(m, ReasonTooOften)
		return
	}
	p.fetched += b.RequestBytes()
	r.send(to, &wire.CertifiedBody{Seq: m.Seq, Body: b})
}

// askForMore brings the next status forward when a push has helped and there is more to come.
func (r *Replica) askForMore() {
	if r.behind() {
		r.nextStatus = min(r.nextStatus, max(r.mono, r.lastStatus+r.cfg.ViewTimeout/12))
	}
}
