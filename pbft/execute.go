package pbft

import (
	"tagma/pbft/msglog"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// Execution in sequence order (N4), and following by certificates (N7).

// advance hands committed batches to execution, in order, until one is missing; at most a window waits there.
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
		s := r.log.Peek(r.handed + 1)
		if s == nil || s.Cert == nil {
			break
		}
		body := s.Body(s.Cert.Digest)
		if body == nil {
			break // newStatus will ask for the missing body
		}
		r.hand(s, body)
	}
	if r.handed > before {
		r.change.progressAt = r.mono
		r.propose()
		if r.follow.Out() {
			r.pull()
		}
	}
}

// hand gives one batch to execution. If the slot prepared here, the prepared certificate is already durable, and a
// record that the batch committed is written later. If this replica executes the batch only because of its commit
// certificate, the batch is written to the journal before (N7).
func (r *Replica) hand(s *msglog.Slot, body *wire.Body) {
	certified := s.Prepared == nil || s.Prepared.Digest != s.Cert.Digest || s.Loose
	if certified && !s.Journalled {
		r.emit(port.Persist{Record: &wire.Certified{Cert: *s.Cert, Body: body}})
	}
	r.emit(port.Execute{Seq: s.Seq, Body: body})
	if !certified && !s.Journalled {
		r.emit(port.Note{Record: &wire.Committed{Cert: *s.Cert}})
	}
	s.Journalled, s.Loose = true, false
	r.handed, s.HandedAt = s.Seq, r.mono
	r.proposed = max(r.proposed, s.Seq) // a primary that follows by certificate proposes only above it
	r.pool.MarkOrdered(s.Seq, body)
	r.pool.Order(body)
	if r.active && s.Cert.View == r.view && len(body.Requests) > 0 {
		r.change.progressView = r.view
	}
	if s.Seq%r.cfg.CheckpointInterval == 0 {
		r.emit(port.Snapshot{Seq: s.Seq})
	}
}

// handAgain hands the next batch of the backlog to execution.
func (r *Replica) handAgain() {
	body := r.backlog[0]
	r.backlog[0], r.backlog = nil, r.backlog[1:]
	r.handed++
	r.emit(port.Execute{Seq: r.handed, Body: body})
	r.pool.MarkOrdered(r.handed, body)
	if r.handed%r.cfg.CheckpointInterval == 0 {
		r.emit(port.Snapshot{Seq: r.handed})
	}
}

// onExecuted passes on the replies and removes the requests that they answer.
func (r *Replica) onExecuted(e port.Executed) {
	r.executed, r.due.at = max(r.executed, e.Seq), 0
	body, since := r.log.Peek(e.Seq).Settled()
	r.pool.Spend(e.Seq, e.Replies, e.Costs, e.Took, body, since)
	for _, reply := range e.Replies {
		r.pool.Remove(reply.ID)
		if !r.diverged {
			reply.View = r.view
			r.emit(port.Respond{Reply: reply})
		}
	}
	r.advance()
	r.propose()
}

// onCertifiedBody accepts a body whose digest is proven: by the certificate that comes with it, by a certificate that is
// already held, or by a new view (N7).
func (r *Replica) onCertifiedBody(m *wire.CertifiedBody) {
	if !r.log.Holds(m.Seq) {
		if m.Seq <= r.log.Floor() {
			r.drop(m, port.ReasonBelowWindow)
		} else {
			r.drop(m, port.ReasonAboveWindow)
		}
		return
	}
	s := r.log.At(m.Seq)
	certifies := m.Cert != nil && s.Cert == nil && m.Seq > r.handed
	if certifies {
		r.convict(s.AgainstCommitted(m.Cert))
		s.Certify(m.Cert)
	}
	switch {
	case r.wantsBody(s, m.Body):
		r.takeBody(s, m.Body)
		r.askForMore()
	case certifies:
		r.advance()
	case m.Cert != nil:
		r.drop(m, port.ReasonDuplicate)
	default:
		r.drop(m, port.ReasonUnknownBody)
	}
}

// wantsBody reports whether this body has a digest that is proven for the slot, is missing, and can still be used. A
// body that was executed, is stable and was dropped is not stored again (S4).
func (r *Replica) wantsBody(s *msglog.Slot, b *wire.Body) bool {
	d := b.Digest()
	return (s.Seq >= r.firstMissing() || s.Seq > r.log.Low) && s.Vouches(d) && s.Body(d) == nil
}

// takeBody stores a body that was missing, and takes the steps for which the slot had to wait for it.
func (r *Replica) takeBody(s *msglog.Slot, b *wire.Body) {
	s.Keep(b)
	if s.Accepted && s.Digest == b.Digest() {
		r.emit(port.Persist{Record: &wire.Fetched{Seq: s.Seq, Body: b}}) // before the prepare (D1)
		r.pool.MarkProposed(b)
		r.vote(s)
	} else {
		// The body is in no record yet: hand writes it with Certified, or beginView with Fetched, whichever comes first.
		s.Loose = true
	}
	r.advance()
}

// onFetch answers a replica that asks for a body.
func (r *Replica) onFetch(m *wire.Fetch, from port.Source) {
	if s := r.log.Peek(m.Seq); s != nil {
		if b := s.Body(m.Digest); b != nil {
			r.grant(&r.peers[from.Replica])
			if !r.help(from.Replica, &wire.CertifiedBody{Seq: m.Seq, Body: b}) {
				r.drop(m, port.ReasonTooOften)
			}
			return
		}
	}
	r.drop(m, port.ReasonNotHeld)
}

// askForMore sends the next status earlier if the last answer helped and this replica still lags.
func (r *Replica) askForMore() {
	if r.behind() {
		r.nextStatus = min(r.nextStatus, max(r.mono, r.lastStatus+r.cfg.ViewTimeout/12))
	}
}
