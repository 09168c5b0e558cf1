package pbft

import "tagma/pbft/wire"

// The normal case (§4.2): pre-prepare, prepare, commit.

// onPrePrepare accepts the primary's assignment of a sequence number, or keeps it until it can be accepted.
func (r *Replica) onPrePrepare(m *wire.PrePrepare, from Source) {
	if why := r.whyDropPrePrepare(m); why != "" {
		r.drop(m, why)
		return
	}
	s := r.log.at(m.Seq)
	if from.Loopback || from.Replica == r.cfg.Primary(m.View) {
		r.heardPrimary(m.View)
	}
	if s.accepted && m.View == r.view {
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
	if !from.Loopback { // our own is in the journal as Sent
		r.emit(Persist{&wire.Accepted{PrePrepare: m}})
	}
	r.accept(s, m)
}

func (r *Replica) whyDropPrePrepare(m *wire.PrePrepare) Reason {
	if m.View < r.view {
		return ReasonOldView
	}
	return r.log.whyOutside(m.Seq)
}

// whyRefuse is the reason not to accept a first pre-prepare in a slot, or "".
func (r *Replica) whyRefuse(s *slot, m *wire.PrePrepare) Reason {
	switch {
	case m.Body == nil:
		return ReasonNoBody
	case m.Body.RequestBytes() >= largeBody && r.log.largeBytes() > 4*maxLargeBytes:
		return ReasonNoRoom
	case s.full() && s.body(m.Digest) == nil:
		return ReasonNoRoom
	case s.cert != nil && s.cert.Digest != m.Digest:
		return ReasonConflict
	}
	return ""
}

// mustWait reports whether a pre-prepare is early: for a view that is not active here yet, above the window (N6), or
// with an agreed time too far ahead of this replica's clock (N1). Early ones are tried again when that may have changed.
func (r *Replica) mustWait(m *wire.PrePrepare) bool {
	return m.View > r.view || !r.active || m.Seq > r.log.high() ||
		m.Body.Time > r.wall+int64(r.cfg.ClockTolerance)
}

// wait keeps an early pre-prepare, of several the one of the nearest view: a faulty replica can sign for views that never
// come, and must not take the place of those that do, nor the room: what is large waits only as far as there is some, and
// is asked for again when its view is active (S4).
func (r *Replica) wait(s *slot, m *wire.PrePrepare) {
	if held := s.waiting; held != nil && held.View >= r.view && held.View <= m.View {
		r.drop(m, ReasonDuplicate)
		return
	}
	if m.Body.RequestBytes() >= largeBody && r.log.waitingBytes(r.view, m.View > r.view) > maxLargeBytes {
		r.drop(m, ReasonNoRoom)
		return
	}
	s.waiting = m
	r.log.settled = min(r.log.settled, s.seq-1)
}

// onSecondPrePrepare handles a pre-prepare for a slot that has one in this view: it repeats it, brings the body that
// was missing, or proves that the primary equivocates.
func (r *Replica) onSecondPrePrepare(s *slot, m *wire.PrePrepare) {
	switch {
	case m.Digest != s.digest:
		r.accuse(r.cfg.Primary(m.View), r.statement(s), &wire.PrePrepare{View: m.View, Seq: m.Seq, Digest: m.Digest, Sig: m.Sig})
		r.change.proven = true
		r.suspectNow()
	case m.Body != nil && s.body(s.digest) == nil:
		r.takeBody(s, m.Body)
	default:
		r.drop(m, ReasonDuplicate)
	}
}

// statement is the accepted pre-prepare without its body.
func (r *Replica) statement(s *slot) *wire.PrePrepare {
	return &wire.PrePrepare{View: r.view, Seq: s.seq, Digest: s.digest, Sig: s.proposal}
}

// accept binds a slot to a pre-prepare of the current view. It is durable by now, or will be before anything leaves (D1).
func (r *Replica) accept(s *slot, m *wire.PrePrepare) {
	s.waiting = nil
	s.accepted, s.digest, s.proposal, s.acceptedAt = true, m.Digest, m.Sig, r.mono
	s.keep(m.Body)
	r.pool.markProposed(m.Body)
	r.vote(s)
	r.advance()
}

// vote sends the prepare of a slot whose body is here (N3), and goes on to the commit if enough others did before.
func (r *Replica) vote(s *slot) {
	if !s.prepareSent && !r.isPrimary() && s.seq > r.log.low && r.mayVote(r.view) {
		s.prepareSent, s.votedAt = true, r.mono
		r.emit(Broadcast{&wire.Prepare{View: r.view, Seq: s.seq, Digest: s.digest, Replica: r.cfg.Self}})
	}
	r.checkPrepared(s)
}

// onPrepare counts a backup's agreement.
func (r *Replica) onPrepare(m *wire.Prepare, from Source) {
	if why := r.whyDropPrepare(m, from); why != "" {
		r.drop(m, why)
		return
	}
	s := r.log.at(m.Seq)
	stored, contradicts := record(s.prepares, m.Replica, vote{true, m.View, m.Digest, m.Sig})
	if contradicts != nil {
		r.accuse(m.Replica, &wire.Prepare{View: m.View, Seq: m.Seq, Digest: contradicts.digest, Replica: m.Replica, Sig: contradicts.sig}, m)
	}
	if !stored {
		r.drop(m, ReasonDuplicate)
		return
	}
	r.show(s, m)
	r.checkPrepared(s)
}

func (r *Replica) whyDropPrepare(m *wire.Prepare, from Source) Reason {
	switch {
	case !r.ownVote(m.Replica, from):
		return ReasonNotSender
	case m.View < r.view:
		return ReasonOldView
	case m.Replica == r.cfg.Primary(m.View):
		return ReasonFromPrimary
	}
	return r.log.whyOutside(m.Seq)
}

// show sends our pre-prepare to a backup whose prepare names another digest: one of the two of us was lied to, and the
// primary's two signatures side by side prove it (E1).
func (r *Replica) show(s *slot, m *wire.Prepare) {
	if s.accepted && m.View == r.view && m.Digest != s.digest && m.Replica != r.cfg.Self && !s.shown[m.Replica] {
		s.shown[m.Replica] = true
		r.send(m.Replica, r.statement(s))
	}
}

// checkPrepared sends the commit once the slot is prepared: pre-prepare, body and Q−1 prepares of backups (N2). The
// certificate is durable first: it is the view change's proof (D2).
func (r *Replica) checkPrepared(s *slot) {
	if !r.active || !s.accepted || s.commitSent || s.seq > r.log.high() || s.seq <= r.log.low || !r.mayVote(r.view) {
		return
	}
	primary := int(r.cfg.Primary(r.view))
	if count(s.prepares, r.view, s.digest, primary) < r.cfg.Quorum()-1 || s.body(s.digest) == nil {
		return
	}
	s.prepared = &wire.PreparedCert{
		View: r.view, Seq: s.seq, Digest: s.digest, PrePrepare: s.proposal,
		Prepares: matching(s.prepares, r.view, s.digest, primary)[:r.cfg.Quorum()-1],
	}
	s.commitSent, s.votedAt = true, r.mono
	r.emit(Persist{&wire.Prepared{Cert: *s.prepared}})
	r.emit(Broadcast{&wire.Commit{View: r.view, Seq: s.seq, Digest: s.digest, Replica: r.cfg.Self}})
}

// onCommit counts a commit. Commits of any view are kept, also while no view is active: Q of one view certify the slot
// by themselves (N7).
func (r *Replica) onCommit(m *wire.Commit, from Source) {
	if !r.ownVote(m.Replica, from) {
		r.drop(m, ReasonNotSender)
		return
	}
	if m.Seq <= r.handed || !r.log.holds(m.Seq) {
		r.drop(m, r.whyDropCommit(m))
		r.noteOwnCommit(m)
		return
	}
	s := r.log.at(m.Seq)
	stored, contradicts := record(s.commits, m.Replica, vote{true, m.View, m.Digest, m.Sig})
	if contradicts != nil {
		r.accuse(m.Replica, &wire.Commit{View: m.View, Seq: m.Seq, Digest: contradicts.digest, Replica: m.Replica, Sig: contradicts.sig}, m)
	}
	if !stored {
		r.drop(m, ReasonDuplicate)
		return
	}
	if s.cert == nil && count(s.commits, m.View, m.Digest, -1) >= r.cfg.Quorum() {
		s.certify(&wire.CommitCert{
			View: m.View, Seq: m.Seq, Digest: m.Digest,
			Commits: matching(s.commits, m.View, m.Digest, -1)[:r.cfg.Quorum()],
		})
		r.advance()
	}
}

func (r *Replica) whyDropCommit(m *wire.Commit) Reason {
	if m.Seq <= r.handed {
		return ReasonOrdered
	}
	return ReasonAboveWindow
}

// noteOwnCommit keeps our own commit of a slot that was executed meanwhile: others may still need it (N7).
func (r *Replica) noteOwnCommit(m *wire.Commit) {
	if m.Replica != r.cfg.Self {
		return
	}
	if s := r.log.peek(m.Seq); s != nil {
		record(s.commits, m.Replica, vote{true, m.View, m.Digest, m.Sig})
	}
}

// accuse reports two statements of one replica that contradict each other (E1).
func (r *Replica) accuse(who wire.ReplicaID, first, second wire.Message) {
	r.emit(Accuse{wire.Evidence{Replica: who, Kind: wire.Equivocation, First: first, Second: second}})
}
