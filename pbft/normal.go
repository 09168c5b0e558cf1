package pbft

import (
	"tagma/pbft/msglog"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// The normal case (§4.2): pre-prepare, prepare, commit.

// onPrePrepare accepts the primary's batch for a sequence number, or keeps the message until it can be accepted.
func (r *Replica) onPrePrepare(m *wire.PrePrepare, from port.Source) {
	if why := r.whyDropPrePrepare(m); why != "" {
		if s := r.log.Peek(m.Seq); s != nil {
			r.convict(s.AgainstProposal(r.cfg, m.View, m.Digest, m.Sig))
		}
		r.drop(m, why)
		return
	}
	s := r.log.At(m.Seq)
	if from.Loopback || from.Replica == r.cfg.Primary(m.View) {
		r.heardPrimary(m.View)
	}
	if s.Accepted && m.View == r.view {
		r.onSecondPrePrepare(s, m)
		return
	}
	if why := r.whyRefuse(s, m); why != "" {
		r.drop(m, why)
		return
	}
	if r.mustWait(m) && !from.Loopback {
		r.wait(s, m)
		return
	}
	if !from.Loopback { // the journal already has our own, as Sent
		r.emit(port.Persist{Record: &wire.Accepted{PrePrepare: m}})
	}
	r.accept(s, m)
}

func (r *Replica) whyDropPrePrepare(m *wire.PrePrepare) port.Reason {
	if m.View < r.view {
		return port.ReasonOldView
	}
	return r.whyOutside(m.Seq)
}

// whyRefuse is the reason not to accept the first pre-prepare of a slot in this view, or "".
func (r *Replica) whyRefuse(s *msglog.Slot, m *wire.PrePrepare) port.Reason {
	switch {
	case m.Body == nil:
		return port.ReasonNoBody
	case m.Body.Memory() >= msglog.LargeBody && r.log.LargeBytes() > 4*msglog.MaxLargeBytes:
		return port.ReasonNoRoom
	case s.Full() && s.Body(m.Digest) == nil:
		return port.ReasonNoRoom
	case s.Cert != nil && s.Cert.Digest != m.Digest:
		return port.ReasonConflict
	}
	return ""
}

// mustWait reports whether a pre-prepare is early: for a view that is not active here yet, above the window (N6), or
// with an agreed time too far ahead of this replica's clock (N1). retryWaiting tries early ones again.
func (r *Replica) mustWait(m *wire.PrePrepare) bool {
	return m.View > r.view || !r.active || m.Seq > r.log.High() ||
		m.Body.Time > r.wall+int64(r.cfg.ClockTolerance)
}

// wait keeps an early pre-prepare. A slot keeps only the one of the lowest view: a faulty replica can sign for later
// views that never come, and these must not displace the next view's. A large one is dropped when the memory for
// waiting bodies is used up; this replica asks for it again once the view is active (S4).
func (r *Replica) wait(s *msglog.Slot, m *wire.PrePrepare) {
	if held := s.Waiting; held != nil && held.View >= r.view && held.View <= m.View {
		if held.View == m.View && held.Digest != m.Digest {
			r.accuse(r.cfg.Primary(m.View), held, m)
		}
		r.drop(m, port.ReasonDuplicate)
		return
	}
	if memory := m.Body.Memory(); memory >= msglog.LargeBody && r.log.WaitingBytes(r.view, m.View > r.view) > msglog.MaxLargeBytes {
		r.drop(m, port.ReasonNoRoom)
		return
	}
	s.Waiting, s.WaitingMemory = m, m.Body.Memory()
}

// onSecondPrePrepare handles a pre-prepare for a slot that accepted one in this view. It is a repetition, brings the
// missing body, or proves that the primary equivocates.
func (r *Replica) onSecondPrePrepare(s *msglog.Slot, m *wire.PrePrepare) {
	switch {
	case m.Digest != s.Digest:
		r.accuse(r.cfg.Primary(m.View), r.statement(s), &wire.PrePrepare{View: m.View, Seq: m.Seq, Digest: m.Digest, Sig: m.Sig})
		r.change.proven = true
		r.suspectNow(port.CauseProof)
	case m.Body != nil && s.Body(s.Digest) == nil:
		r.takeBody(s, m.Body)
	default:
		r.drop(m, port.ReasonDuplicate)
	}
}

// statement returns the accepted pre-prepare without its body.
func (r *Replica) statement(s *msglog.Slot) *wire.PrePrepare {
	return &wire.PrePrepare{View: r.view, Seq: s.Seq, Digest: s.Digest, Sig: s.Proposal.Sig}
}

// accept binds a slot to a pre-prepare of the current view. The pre-prepare is durable by now, or will be before
// anything that follows from it is sent (D1).
func (r *Replica) accept(s *msglog.Slot, m *wire.PrePrepare) {
	s.Waiting = nil
	s.Accept(m.View, m.Digest, m.Sig)
	s.AcceptedAt = r.mono
	s.Keep(m.Body)
	r.pool.MarkProposed(m.Body)
	r.vote(s)
	r.advance()
}

// vote sends the prepare for a slot whose body is here (N3), and then the commit if enough others have prepared already.
// If replicas only crash, no prepare is sent, because a primary that does not lie sends the same to all (F2).
func (r *Replica) vote(s *msglog.Slot) {
	if !r.cfg.Crash && !s.PrepareSent && !r.isPrimary() && s.Seq > r.log.Low && r.mayVote(r.view) && !s.Overruled() {
		s.PrepareSent, s.VotedAt = true, r.mono
		r.cast(&wire.Prepare{View: r.view, Seq: s.Seq, Digest: s.Digest, Replica: r.cfg.Self})
	}
	r.checkPrepared(s)
}

// onPrepare counts a backup's vote for a pre-prepare.
func (r *Replica) onPrepare(m *wire.Prepare, from port.Source) {
	if why := r.whyDropPrepare(m, from); why != "" {
		r.drop(m, why)
		return
	}
	s := r.log.At(m.Seq)
	stored, contradicts := msglog.Store(s.Prepares, m.Replica, msglog.Vote{Cast: true, View: m.View, Digest: m.Digest, Sig: m.Sig})
	if contradicts != nil {
		r.accuse(m.Replica, &wire.Prepare{View: m.View, Seq: m.Seq, Digest: contradicts.Digest, Replica: m.Replica, Sig: contradicts.Sig}, m)
	}
	if !stored {
		r.drop(m, port.ReasonDuplicate)
		return
	}
	r.show(m.Replica, m.View, m.Seq, m.Digest)
	r.checkPrepared(s)
}

func (r *Replica) whyDropPrepare(m *wire.Prepare, from port.Source) port.Reason {
	switch {
	case !r.ownVote(m.Replica, from):
		return port.ReasonNotSender
	case m.View < r.view:
		return port.ReasonOldView
	case m.Replica == r.cfg.Primary(m.View):
		return port.ReasonFromPrimary
	}
	return r.whyOutside(m.Seq)
}

// show sends our accepted pre-prepare to a replica whose vote names another digest. The primary sent the two replicas
// different pre-prepares, and its two signatures together prove that (E1). If replicas only crash there are no prepares;
// then only a commit shows the difference, perhaps when the slot was already executed (F6).
func (r *Replica) show(to wire.ReplicaID, v wire.View, seq wire.Seq, d wire.Digest) {
	s := r.log.Peek(seq)
	if s != nil && s.Accepted && v == r.view && d != s.Digest && to != r.cfg.Self && !s.Shown[to] {
		s.Shown[to] = true
		r.send(to, r.statement(s))
	}
}

// checkPrepared sends the commit once the slot is prepared: pre-prepare, body and Q−1 prepares of backups (N2, F2). The
// prepared certificate is durable before the commit leaves, because a view change must be able to show it (D2).
func (r *Replica) checkPrepared(s *msglog.Slot) {
	if !r.active || !s.Accepted || s.CommitSent || s.Seq > r.log.High() || s.Seq <= r.log.Low || !r.mayVote(r.view) || s.Overruled() {
		return
	}
	primary := int(r.cfg.Primary(r.view))
	if msglog.Count(s.Prepares, r.view, s.Digest, primary) < r.cfg.Prepares() || s.Body(s.Digest) == nil {
		return
	}
	s.Prepared = &wire.PreparedCert{
		View: r.view, Seq: s.Seq, Digest: s.Digest, PrePrepare: s.Proposal.Sig,
		Prepares: msglog.Matching(s.Prepares, r.view, s.Digest, primary)[:r.cfg.Prepares()],
	}
	s.CommitSent, s.VotedAt = true, r.mono
	r.emit(port.Persist{Record: &wire.Prepared{Cert: *s.Prepared}})
	r.cast(&wire.Commit{View: r.view, Seq: s.Seq, Digest: s.Digest, Replica: r.cfg.Self})
}

// onCommit counts a commit. Commits of any view are kept, even while no view is active, because Q commits of one view
// certify the slot by themselves (N7).
func (r *Replica) onCommit(m *wire.Commit, from port.Source) {
	if !r.ownVote(m.Replica, from) {
		r.drop(m, port.ReasonNotSender)
		return
	}
	r.show(m.Replica, m.View, m.Seq, m.Digest)
	if m.Seq <= r.handed || !r.log.Holds(m.Seq) {
		r.drop(m, r.whyDropCommit(m))
		r.noteOwnCommit(m)
		return
	}
	s := r.log.At(m.Seq)
	stored, contradicts := msglog.Store(s.Commits, m.Replica, msglog.Vote{Cast: true, View: m.View, Digest: m.Digest, Sig: m.Sig})
	if contradicts != nil {
		r.accuse(m.Replica, &wire.Commit{View: m.View, Seq: m.Seq, Digest: contradicts.Digest, Replica: m.Replica, Sig: contradicts.Sig}, m)
	}
	if !stored {
		r.drop(m, port.ReasonDuplicate)
		return
	}
	if s.Cert == nil {
		if s.Cert = s.Committed(m.View, m.Digest, r.cfg.Quorum()); s.Cert != nil {
			r.advance()
		}
	}
}

func (r *Replica) whyDropCommit(m *wire.Commit) port.Reason {
	if m.Seq <= r.handed {
		return port.ReasonOrdered
	}
	return port.ReasonAboveWindow
}

// noteOwnCommit keeps our commit for a slot that was executed before the commit came back: others may need it (N7).
func (r *Replica) noteOwnCommit(m *wire.Commit) {
	if m.Replica != r.cfg.Self {
		return
	}
	if s := r.log.Peek(m.Seq); s != nil {
		msglog.Store(s.Commits, m.Replica, msglog.Vote{Cast: true, View: m.View, Digest: m.Digest, Sig: m.Sig})
	}
}

// whyOutside is the reason not to take part in ordering seq, or "" if h < seq ≤ h+2L.
func (r *Replica) whyOutside(seq wire.Seq) port.Reason {
	switch low := r.log.Low; {
	case seq <= low:
		return port.ReasonBelowWindow
	case seq-low > 2*r.cfg.LogWindow:
		return port.ReasonAboveWindow
	}
	return ""
}

// Batching and pipelining (§4.2; N5).

// propose assigns sequence numbers to waiting requests, as long as enough requests wait and the window is open.
func (r *Replica) propose() {
	if !r.active || !r.isPrimary() || !r.started || r.transfer.on || !r.mayVote(r.view) {
		return
	}
	for r.proposed < r.log.High() && r.batchReady() {
		if !r.hasRoom() {
			r.proposeNulls()
			return
		}
		if next := r.log.Peek(r.proposed + 1); next != nil && next.Full() {
			r.assign(wire.NullBody)
			continue
		}
		requests := r.pool.Take(r.cfg.MaxBatch, r.cfg.MaxBatchBytes)
		if len(requests) == 0 {
			return
		}
		r.assign(&wire.Body{Time: max(r.wall, 1), Requests: requests})
	}
	r.proposeWanted()
	r.proposeDue()
}

// proposeNulls proposes nulls for the sequence numbers up to the next checkpoint. If large bodies fill the window, no
// further batch fits in, and only the next checkpoint makes room. Without nulls its sequence number would never be
// reached (N4).
func (r *Replica) proposeNulls() {
	for r.proposed == r.log.Low || r.proposed%r.cfg.CheckpointInterval != 0 {
		r.assign(wire.NullBody)
	}
}

// assign proposes a batch for the next sequence number. Its memory is counted at once, not only when the proposal
// returns over the loopback: until then further requests may arrive and be proposed.
func (r *Replica) assign(body *wire.Body) {
	r.proposed++
	r.lastProposal = r.mono
	r.log.At(r.proposed).Keep(body)
	r.cast(&wire.PrePrepare{View: r.view, Seq: r.proposed, Digest: body.Digest(), Body: body})
}

// hasRoom reports whether the window still fits in memory with another batch of waiting requests.
func (r *Replica) hasRoom() bool {
	return r.pool.QueuedBytes < msglog.LargeBody || r.log.LargeBytes() <= msglog.MaxLargeBytes
}

// batchReady adapts the size of a batch to the load. With nothing in flight a single request is proposed at once. The
// more batches are in flight, the fuller the next one must be; its requests would have to wait for the others anyway.
func (r *Replica) batchReady() bool {
	const depth = 4                  // if so many batches are in flight, only full batches are started
	done := max(r.handed, r.log.Low) // stable batches are done, even if this replica has not executed them
	inFlight := int(min(r.proposed-min(done, r.proposed), depth))
	enough := max(1, r.cfg.MaxBatch*inFlight/depth)
	return r.pool.Queued >= enough || r.pool.QueuedBytes >= r.cfg.MaxBatchBytes
}
