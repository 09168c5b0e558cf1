package pbft

import "tagma/pbft/wire"

// Checkpoints and garbage collection (§4.3; K1–K4).

// checkpoints tallies checkpoint messages for the window above h and remembers this replica's own states.
type checkpoints struct {
	stable  wire.StableCert
	tallies []tally  // ring over multiples of K in (h, h+2L]
	durable wire.Seq // newest own state that is durable in the store
	offered wire.Seq // newest one whose state others were offered
	base    wire.Seq // newest checkpoint that is both stable and durable here: garbage ends below it
	own     []mark   // own states, oldest first, from the previous base on
	void    wire.Seq // up to here states of ours were announced, or may be, that are given up (K2)
}

// tally holds what replicas said about the state after seq.
type tally struct {
	seq   wire.Seq
	votes []vote // by replica; view unused
}

// mark is this replica's own state after a sequence number.
type mark struct {
	seq    wire.Seq
	digest wire.Digest
}

func newCheckpoints(cfg *wire.Config) checkpoints {
	return checkpoints{tallies: make([]tally, 2*cfg.LogWindow/cfg.CheckpointInterval)}
}

// at returns the tally of a checkpoint in (h, h+2L].
func (c *checkpoints) at(seq wire.Seq, cfg *wire.Config) *tally {
	t := &c.tallies[seq/cfg.CheckpointInterval%wire.Seq(len(c.tallies))]
	if t.seq != seq {
		*t = tally{seq: seq, votes: make([]vote, cfg.N())}
	}
	return t
}

// ownDigest is this replica's own state digest after seq, if it is remembered.
func (c *checkpoints) ownDigest(seq wire.Seq) (wire.Digest, bool) {
	for _, m := range c.own {
		if m.seq == seq {
			return m.digest, true
		}
	}
	return wire.Digest{}, false
}

// remember adds an own state and forgets those that no restart can need.
func (c *checkpoints) remember(m mark, keepFrom wire.Seq) {
	kept := c.own[:0]
	for _, o := range c.own {
		if o.seq >= keepFrom && o.seq != m.seq {
			kept = append(kept, o)
		}
	}
	c.own = append(kept, m)
}

// onSnapshotted announces a state of ours that is durable and readable now (K1).
func (r *Replica) onSnapshotted(e Snapshotted) {
	c := &r.checkpoints
	if r.diverged || e.Seq <= c.void { // it is wrong, or another one was announced in its place
		return
	}
	c.remember(mark{e.Seq, e.Digest}, r.log.below(c.base))
	c.durable = max(c.durable, e.Seq)
	r.emit(Broadcast{&wire.Checkpoint{Seq: e.Seq, Digest: e.Digest, Replica: r.cfg.Self}})
	r.checkDivergence()
	r.collectGarbage()
}

// onCheckpoint counts a replica's statement about its state.
func (r *Replica) onCheckpoint(m *wire.Checkpoint, from Source) {
	if !r.ownVote(m.Replica, from) {
		r.drop(m, ReasonNotSender)
		return
	}
	if why := r.log.whyOutside(m.Seq); why != "" {
		r.drop(m, why)
		return
	}
	if said, ok := wire.SaidIn(m); ok {
		r.witness(m.Replica, said)
	}
	t := r.checkpoints.at(m.Seq, r.cfg)
	stored, contradicts := record(t.votes, m.Replica, vote{cast: true, digest: m.Digest, sig: m.Sig})
	if contradicts != nil {
		r.accuse(m.Replica, &wire.Checkpoint{Seq: m.Seq, Digest: contradicts.digest, Replica: m.Replica, Sig: contradicts.sig}, m)
	}
	if !stored {
		r.drop(m, ReasonDuplicate)
		return
	}
	if count(t.votes, 0, m.Digest, -1) >= r.cfg.Quorum() {
		r.makeStable(wire.StableCert{
			Seq: m.Seq, Digest: m.Digest,
			Checkpoints: matching(t.votes, 0, m.Digest, -1)[:r.cfg.Quorum()],
		})
	}
}

// onStableNotice adopts a certificate that others hold already.
func (r *Replica) onStableNotice(m *wire.StableNotice) {
	if m.Cert.Seq <= r.log.low {
		r.drop(m, ReasonBelowWindow)
		return
	}
	r.makeStable(m.Cert)
}

// makeStable moves the low watermark. A certificate suffices, for voting, whatever this replica executed (K1).
func (r *Replica) makeStable(cert wire.StableCert) {
	wasSilent := r.silent()
	r.adoptStable(cert)
	recovered := wasSilent && !r.silent()
	switch rec := (&wire.Stable{Cert: cert}); {
	case r.transfer.on: // it is a target, and durable before it is named
	case recovered: // others may count on what this replica remembers from now on: a crash must not make it silent again
		r.emit(Persist{rec})
	default:
		r.emit(Note{rec})
	}
	r.followStable()
	r.collectGarbage()
	if recovered {
		r.resume()
	}
	r.retryWaiting()
	r.propose()
}

// followStable looks at what a newer stable checkpoint means for this replica's own state.
func (r *Replica) followStable() {
	if r.transfer.on {
		r.transfer.starving = false
		r.retarget()
	} else {
		r.checkReach()
	}
	r.checkDivergence()
}

// adoptStable is the state change of makeStable, which a restart repeats.
func (r *Replica) adoptStable(cert wire.StableCert) {
	if cert.Seq <= r.log.low {
		return
	}
	r.checkpoints.stable = cert
	r.witnessStable(&cert)
	r.log.low = cert.Seq
	r.proposed = max(r.proposed, cert.Seq)
	executed := r.handed
	if r.started && r.leftBehind() {
		executed = r.log.low // the rest is of no use here
	}
	r.log.forgetOldBodies(executed)
}

// checkDivergence compares our own state with the stable one (K2). A replica whose state is wrong has it from others.
func (r *Replica) checkDivergence() {
	if r.diverged || !r.contradicted() {
		return
	}
	r.diverged = true
	stable := &r.checkpoints.stable
	own, _ := r.checkpoints.ownDigest(stable.Seq)
	r.emit(Diverged{Seq: stable.Seq, Own: own, Stable: stable.Digest})
	if !r.transfer.on {
		r.startTransfer()
	}
}

// contradicted reports whether our own state is known not to be the stable one.
func (r *Replica) contradicted() bool {
	own, known := r.checkpoints.ownDigest(r.checkpoints.stable.Seq)
	return known && own != r.checkpoints.stable.Digest
}

// replayDivergence finds again what was found before a restart: later checkpoints may be stable that we have no state
// for, and the one in the store is as wrong as it was.
func (r *Replica) replayDivergence() { r.diverged = r.diverged || r.contradicted() }

// offer lets others fetch the newest stable state once it is durable here, and is this replica's own.
func (r *Replica) offer() {
	c := &r.checkpoints
	own, known := c.ownDigest(c.stable.Seq)
	if c.stable.Seq > c.offered && c.stable.Seq <= c.durable && known && own == c.stable.Digest {
		c.offered = c.stable.Seq
		r.emit(Offer{Cert: c.stable})
	}
}

// collectGarbage lets go of what no restart and no follower can need: journal records some windows below the newest
// checkpoint that is stable and durable here, and state versions below the checkpoint before that one (K1, K4, N3).
// Once left behind, this replica's state needs a transfer anyway, and only its votes are kept: they are above h.
func (r *Replica) collectGarbage() {
	c := &r.checkpoints
	if r.leftBehind() {
		r.emit(Truncate{Below: r.log.floor(), Discard: min(c.base, c.durable)})
		return
	}
	r.offer()
	base := min(c.stable.Seq, c.durable)
	if base <= c.base || r.diverged {
		return
	}
	discard := c.base
	c.base = base
	r.emit(Truncate{Below: r.log.below(base), Discard: discard})
}
