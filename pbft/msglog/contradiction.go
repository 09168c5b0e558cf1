package msglog

import "tagma/pbft/wire"

// Certificates can prove that their signers lied (E1): each signature in a certificate is compared with the vote of the
// same replica that this log holds.

// contradicts reports whether the vote was cast in the given view for another digest than d.
func (v *Vote) contradicts(view wire.View, d wire.Digest) bool {
	return v.Cast && v.View == view && v.Digest != d
}

// AgainstProposal compares a pre-prepare with the one that this slot accepted last, and returns at most one
// contradiction. Afterwards it compares no more: further contradictions would prove nothing new.
func (s *Slot) AgainstProposal(cfg *wire.Config, view wire.View, d wire.Digest, sig wire.Signature) []wire.Evidence {
	if !s.Proposal.contradicts(view, d) {
		return nil
	}
	s.Proposal.Cast = false
	return []wire.Evidence{wire.Equivocated(cfg.Primary(view),
		&wire.PrePrepare{View: view, Seq: s.Seq, Digest: s.Proposal.Digest, Sig: s.Proposal.Sig},
		&wire.PrePrepare{View: view, Seq: s.Seq, Digest: d, Sig: sig})}
}

// against compares the signatures in a certificate (shown) with the held votes of the same replicas. It calls say to
// build the message under which a signature stands.
func against(held []Vote, shown []wire.Endorsement, view wire.View, d wire.Digest,
	say func(wire.ReplicaID, wire.Digest, wire.Signature) wire.Message,
) (found []wire.Evidence) {
	for _, e := range shown {
		if v := &held[e.Replica]; v.contradicts(view, d) {
			found = append(found, wire.Equivocated(e.Replica, say(e.Replica, v.Digest, v.Sig), say(e.Replica, d, e.Sig)))
		}
	}
	return found
}

// AgainstPrepared compares a prepared certificate with the pre-prepare and the prepares that this slot holds.
func (s *Slot) AgainstPrepared(cfg *wire.Config, c *wire.PreparedCert) []wire.Evidence {
	prepare := func(id wire.ReplicaID, d wire.Digest, sig wire.Signature) wire.Message {
		return &wire.Prepare{View: c.View, Seq: c.Seq, Digest: d, Replica: id, Sig: sig}
	}
	return append(s.AgainstProposal(cfg, c.View, c.Digest, c.PrePrepare),
		against(s.Prepares, c.Prepares, c.View, c.Digest, prepare)...)
}

// AgainstCommitted compares a commit certificate with the commits that this slot holds.
func (s *Slot) AgainstCommitted(c *wire.CommitCert) []wire.Evidence {
	return against(s.Commits, c.Commits, c.View, c.Digest, func(id wire.ReplicaID, d wire.Digest, sig wire.Signature) wire.Message {
		return &wire.Commit{View: c.View, Seq: c.Seq, Digest: d, Replica: id, Sig: sig}
	})
}

// Against compares a stable certificate with the checkpoint votes that are held.
func (c *Checkpoints) Against(cfg *wire.Config, cert *wire.StableCert) []wire.Evidence {
	t := &c.tallies[cert.Seq/cfg.CheckpointInterval%wire.Seq(len(c.tallies))]
	if t.seq != cert.Seq || cert.Seq == 0 {
		return nil
	}
	return against(t.Votes, cert.Checkpoints, 0, cert.Digest, func(id wire.ReplicaID, d wire.Digest, sig wire.Signature) wire.Message {
		return &wire.Checkpoint{Seq: cert.Seq, Digest: d, Replica: id, Sig: sig}
	})
}
