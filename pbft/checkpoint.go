package pbft

// Checkpoints and garbage collection (§4.3; K1–K4).

// checkpoints tallies checkpoint messages for the window above h and remembers this replica's own states.
type checkpoints struct {
	stable  StableCert
	tallies []tally // ring over multiples of K in (h, h+2L]
	durable Seq     // newest own state that is durable in the store
	base    Seq     // newest checkpoint that is both stable and durable here: garbage ends below it
	own     []mark  // own states, oldest first, from the previous base on
}

// tally holds what replicas said about the state after seq.
type tally struct {
	seq   Seq
	votes []vote // by replica; view unused
}

// mark is this replica's own state after a sequence number.
type mark struct {
	seq    Seq
	digest Digest
}

func newCheckpoints(cfg *Config) checkpoints {
	return checkpoints{tallies: make([]tally, 2*cfg.LogWindow/cfg.CheckpointInterval)}
}

// at returns the tally of a checkpoint in (h, h+2L].
func (c *checkpoints) at(seq Seq, cfg *Config) *tally {
	t := &c.tallies[seq/cfg.CheckpointInterval%Seq(len(c.tallies))]
	if t.seq != seq {
		*t = tally{seq: seq, votes: make([]vote, cfg.N())}
	}
	return t
}

// ownDigest is this replica's own state digest after seq, if it is remembered.
func (c *checkpoints) ownDigest(seq Seq) (Digest, bool) {
	for _, m := range c.own {
		if m.seq == seq {
			return m.digest, true
		}
	}
	return Digest{}, false
}

// remember adds an own state and forgets those that no restart can need.
func (c *checkpoints) remember(m mark, keepFrom Seq) {
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
	c.remember(mark{e.Seq, e.Digest}, r.log.below(c.base))
	c.durable = max(c.durable, e.Seq)
	r.emit(Broadcast{&Checkpoint{Seq: e.Seq, Digest: e.Digest, Replica: r.cfg.Self}})
	r.checkDivergence()
	r.collectGarbage()
}

// onCheckpoint counts a replica's statement about its state.
func (r *Replica) onCheckpoint(m *Checkpoint, from Source) {
	if !r.ownVote(m.Replica, from) {
		r.drop(m, ReasonNotSender)
		return
	}
	if why := r.log.whyOutside(m.Seq); why != "" {
		r.drop(m, why)
		return
	}
	t := r.checkpoints.at(m.Seq, r.cfg)
	stored, contradicts := record(t.votes, m.Replica, vote{cast: true, digest: m.Digest, sig: m.Sig})
	if contradicts != nil {
		r.accuse(m.Replica, &Checkpoint{Seq: m.Seq, Digest: contradicts.digest, Replica: m.Replica, Sig: contradicts.sig}, m)
	}
	if !stored {
		r.drop(m, ReasonDuplicate)
		return
	}
	if count(t.votes, 0, m.Digest, -1) >= r.cfg.Quorum() {
		r.makeStable(StableCert{
			Seq: m.Seq, Digest: m.Digest,
			Checkpoints: matching(t.votes, 0, m.Digest, -1)[:r.cfg.Quorum()],
		})
	}
}

// onStableNotice adopts a certificate that others hold already.
func (r *Replica) onStableNotice(m *StableNotice) {
	if m.Cert.Seq <= r.log.low {
		r.drop(m, ReasonBelowWindow)
		return
	}
	r.makeStable(m.Cert)
}

// makeStable moves the low watermark. A certificate suffices, for voting, whatever this replica executed (K1).
func (r *Replica) makeStable(cert StableCert) {
	r.adoptStable(cert)
	if rec := (&Stable{Cert: cert}); r.leftBehind() {
		r.emit(Persist{rec}) // the journal lets go of what was executed here, and must show why (D8)
	} else {
		r.emit(Note{rec})
	}
	r.checkDivergence()
	r.collectGarbage()
	r.retryWaiting()
	r.propose()
}

// adoptStable is the state change of makeStable, which a restart repeats.
func (r *Replica) adoptStable(cert StableCert) {
	if cert.Seq <= r.log.low {
		return
	}
	r.checkpoints.stable = cert
	r.log.low = cert.Seq
	r.proposed = max(r.proposed, cert.Seq)
	executed := r.handed
	if r.started && r.leftBehind() {
		executed = r.log.low // the rest is of no use here
	}
	r.log.forgetOldBodies(executed)
}

// checkDivergence compares our own state with the stable one (K2).
func (r *Replica) checkDivergence() {
	stable := &r.checkpoints.stable
	if own, known := r.checkpoints.ownDigest(stable.Seq); known && own != stable.Digest && !r.diverged {
		r.diverged = true
		r.emit(Diverged{Seq: stable.Seq, Own: own, Stable: stable.Digest})
	}
}

// leftBehind reports whether what this replica has to execute next is kept by nobody: it can vote, but not follow.
func (r *Replica) leftBehind() bool { return r.handed+Seq(len(r.backlog)) < r.log.floor() }

// collectGarbage lets go of what no restart and no follower can need: journal records some windows below the newest
// checkpoint that is stable and durable here, and state versions below the checkpoint before that one (K1, K4, N3). Once
// left behind, this replica's state needs a transfer anyway, and only its votes are kept: they are above h.
func (r *Replica) collectGarbage() {
	c := &r.checkpoints
	if r.leftBehind() {
		r.pool = newPool(r.cfg.N()) // it cannot see these executed
		r.emit(Truncate{Below: r.log.floor(), Discard: min(c.base, c.durable)})
		return
	}
	base := min(c.stable.Seq, c.durable)
	if base <= c.base || r.diverged {
		return
	}
	discard := c.base
	c.base = base
	r.emit(Truncate{Below: r.log.below(base), Discard: discard})
}
