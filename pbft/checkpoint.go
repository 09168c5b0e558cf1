package pbft

import (
	"tagma/pbft/msglog"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// Checkpoints and garbage collection (§4.3; K1–K4).

// onSnapshotted announces a state of this replica that has become durable and can be read (K1).
func (r *Replica) onSnapshotted(e port.Snapshotted) {
	c := &r.checkpoints
	if r.diverged || e.Seq <= c.Void { // the state is wrong, or another digest was announced for this number
		return
	}
	if own, known := c.OwnDigest(e.Seq); known && own != e.Digest { // this replica announced another digest before a crash
		c.GiveUp(e.Seq-1, e.Seq) // one of the two digests is wrong, and a later checkpoint will show which (K2)
		return
	}
	c.Remember(wire.Mark{Seq: e.Seq, Digest: e.Digest}, r.cfg.Floor(c.Base))
	c.Durable = max(c.Durable, e.Seq)
	r.emit(port.Broadcast{Msg: &wire.Checkpoint{Seq: e.Seq, Digest: e.Digest, Replica: r.cfg.Self}})
	r.checkDivergence()
	r.collectGarbage()
}

// onCheckpoint counts a replica's vote for the digest of its state.
func (r *Replica) onCheckpoint(m *wire.Checkpoint, from port.Source) {
	if !r.ownVote(m.Replica, from) {
		r.drop(m, port.ReasonNotSender)
		return
	}
	if why := r.whyOutside(m.Seq); why != "" {
		r.drop(m, why)
		return
	}
	if said, ok := wire.SaidIn(m); ok {
		r.memories.Note(m.Replica, said)
	}
	t := r.checkpoints.At(m.Seq, r.cfg)
	stored, contradicts := msglog.Store(t.Votes, m.Replica, msglog.Vote{Cast: true, Digest: m.Digest, Sig: m.Sig})
	if contradicts != nil {
		r.accuse(m.Replica, &wire.Checkpoint{Seq: m.Seq, Digest: contradicts.Digest, Replica: m.Replica, Sig: contradicts.Sig}, m)
	}
	if !stored {
		r.drop(m, port.ReasonDuplicate)
		return
	}
	if msglog.Count(t.Votes, 0, m.Digest, -1) >= r.cfg.Quorum() {
		r.makeStable(wire.StableCert{
			Seq: m.Seq, Digest: m.Digest,
			Checkpoints: msglog.Matching(t.Votes, 0, m.Digest, -1)[:r.cfg.Quorum()],
		})
	} else if !t.CanBeStable(r.cfg.Quorum()) {
		r.reportSplit(m.Seq)
	}
}

// reportSplit reports a checkpoint that can never become stable, so that the window can never move past it. It reports
// the checkpoint again with each further vote. There are n−f ≥ Q correct replicas. If their states are equal, they make
// the checkpoint stable, so f liars alone cannot cause a split. The votes are made durable, because a liar need not send
// its vote again (K1).
func (r *Replica) reportSplit(seq wire.Seq) {
	c := &r.checkpoints
	if c.Split <= r.log.Low || seq < c.Split {
		c.Split = seq
	}
	votes := c.At(seq, r.cfg).Statements()
	for i := range votes {
		if said, ok := wire.SaidIn(&votes[i]); ok && votes[i].Replica != r.cfg.Self {
			r.emit(port.Persist{Record: &wire.Witness{Replica: votes[i].Replica, Said: said}})
		}
	}
	r.emit(port.Split{Seq: seq, Votes: votes})
}

// reportSplits reports the splits that the replayed journal shows.
func (r *Replica) reportSplits() {
	for seq := r.log.Low + r.cfg.CheckpointInterval; seq <= r.log.High(); seq += r.cfg.CheckpointInterval {
		if !r.checkpoints.At(seq, r.cfg).CanBeStable(r.cfg.Quorum()) {
			r.reportSplit(seq)
		}
	}
}

// onStableNotice adopts a stable certificate that another replica already holds.
func (r *Replica) onStableNotice(m *wire.StableNotice) {
	if m.Cert.Seq <= r.log.Low {
		r.drop(m, port.ReasonBelowWindow)
		return
	}
	r.convict(r.checkpoints.Against(r.cfg, &m.Cert))
	r.makeStable(m.Cert)
}

// makeStable moves the low watermark to a stable certificate. To vote above it, the certificate is enough (K1).
func (r *Replica) makeStable(cert wire.StableCert) {
	wasSilent := r.silent()
	r.adoptStable(cert)
	recovered := wasSilent && !r.silent()
	switch rec := (&wire.Stable{Cert: cert}); {
	case r.transfer.on: // retarget makes the certificate durable before it names the state as a target
	case recovered: // others may count on this replica's memory from now on, so that a crash must not make it silent again
		r.emit(port.Persist{Record: rec})
	default:
		r.emit(port.Note{Record: rec})
	}
	r.followStable()
	r.collectGarbage()
	if recovered {
		if !r.cfg.Optimistic {
			r.remember()
		}
		r.resume()
	}
	r.retryWaiting()
	r.propose()
}

// followStable compares a newer stable checkpoint with this replica's own state, and acts on the result.
func (r *Replica) followStable() {
	if r.transfer.on {
		r.transfer.starving = false
		r.retarget()
	} else {
		r.checkReach()
	}
	r.checkDivergence()
}

// adoptStable is the state change of makeStable, which a replay at the start repeats.
func (r *Replica) adoptStable(cert wire.StableCert) {
	if cert.Seq <= r.log.Low {
		return
	}
	r.checkpoints.Stable = cert
	r.memories.NoteStable(&cert)
	r.log.Low = cert.Seq
	r.proposed = max(r.proposed, cert.Seq)
	executed := r.handed
	if r.started && r.leftBehind() {
		executed = r.log.Low // the bodies above will never be executed here
	}
	r.log.ForgetOldBodies(executed)
}

// checkDivergence compares this replica's state with the stable one (K2). If it is wrong, it fetches the right one.
func (r *Replica) checkDivergence() {
	if r.diverged || !r.contradicted() {
		return
	}
	r.diverged = true
	own, _ := r.checkpoints.OwnDigest(r.checkpoints.Stable.Seq)
	r.emit(port.Diverged{Own: own, Cert: r.checkpoints.Stable})
	r.onDamaged()
}

// contradicted reports whether this replica announced another digest than the stable one for the same checkpoint.
func (r *Replica) contradicted() bool {
	own, known := r.checkpoints.OwnDigest(r.checkpoints.Stable.Seq)
	return known && own != r.checkpoints.Stable.Digest
}

// offer lets other replicas fetch the newest stable state, once it is durable here and this replica's own state equals it.
func (r *Replica) offer() {
	c := &r.checkpoints
	own, known := c.OwnDigest(c.Stable.Seq)
	if c.Stable.Seq > c.Offered && c.Stable.Seq <= c.Durable && known && own == c.Stable.Digest {
		c.Offered = c.Stable.Seq
		r.emit(port.Offer{Cert: c.Stable})
	}
}

// collectGarbage deletes what neither a restart nor a replica that follows can need (K1, K4, N3). These are the journal
// records some windows below the newest checkpoint that is stable and durable here, and the versions of the state below
// the checkpoint before it. A replica that is left behind needs a transfer anyway, so its journal keeps only its votes,
// which are above h.
func (r *Replica) collectGarbage() {
	c := &r.checkpoints
	if r.leftBehind() {
		r.emit(port.Truncate{Below: r.log.Floor(), Discard: min(c.Base, c.Durable)})
		return
	}
	r.offer()
	base := min(c.Stable.Seq, c.Durable)
	if base <= c.Base || r.diverged {
		return
	}
	discard := c.Base
	c.Base = base
	r.emit(port.Truncate{Below: r.cfg.Floor(base), Discard: discard})
}
