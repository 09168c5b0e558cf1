package pbft

import (
	"tagma/pbft/msglog"
	"tagma/pbft/wire"
)

// Anchor returns the records that a journal segment begins with (D9): which replica this is, its view, and everything
// above the low watermark. A replay of these records alone restores all of the replica's votes that still matter.
func (r *Replica) Anchor() []wire.Record {
	out := []wire.Record{&wire.Head{
		Cluster: r.cfg.Cluster, Epoch: r.cfg.Epoch, Self: r.cfg.Self, View: r.view, Active: r.active, Life: r.life,
	}}
	if rec := &r.recovery; rec.view > 0 {
		out = append(out, &wire.Recovering{Life: rec.life, Until: rec.until, View: rec.view, Suspects: rec.suspects})
	}
	if r.checkpoints.Stable.Seq > 0 {
		out = append(out, &wire.Stable{Cert: r.checkpoints.Stable})
	}
	if own := r.change.votes[r.cfg.Self]; !r.active && own != nil {
		out = append(out, &wire.Sent{Msg: own})
	}
	if r.origin != nil {
		out = append(out, &wire.Activated{NewView: r.origin})
	}
	out = r.anchorCheckpoints(out)
	out = append(out, r.memories.Records(r.cfg.Self)...)
	for seq := r.log.Low + 1; seq <= r.log.Seen; seq++ {
		if s := r.log.Peek(seq); s != nil {
			out = r.anchorSlot(out, s)
		}
	}
	if r.recovery.early {
		out = append(out, &wire.Early{})
	}
	return out
}

// anchorCheckpoints appends the checkpoints that this replica signed above the low watermark. It also appends the
// sequence number up to which the replica has given checkpoints up (K2): it must not sign others in their place, and
// must not start from one of them.
func (r *Replica) anchorCheckpoints(out []wire.Record) []wire.Record {
	c, k := &r.checkpoints, r.cfg.CheckpointInterval
	void := c.Void > r.log.Low || r.diverged
	for seq := r.log.Low + k; seq <= r.log.High()+r.cfg.LogWindow; seq += k {
		if void && seq > c.Void {
			out, void = append(out, &wire.Void{Until: c.Void, Wrong: r.diverged}), false
		}
		if v := c.At(seq, r.cfg).Votes[r.cfg.Self]; v.Cast {
			out = append(out, &wire.Sent{Msg: &wire.Checkpoint{Seq: seq, Digest: v.Digest, Replica: r.cfg.Self, Sig: v.Sig}})
		}
	}
	if void {
		out = append(out, &wire.Void{Until: c.Void, Wrong: r.diverged})
	}
	return out
}

// anchorSlot appends what this replica has accepted, voted for, and seen committed for one sequence number.
func (r *Replica) anchorSlot(out []wire.Record, s *msglog.Slot) []wire.Record {
	for _, b := range s.Bodies {
		if !s.Accepted || b.Digest() != s.Digest { // the accepted body is in the pre-prepare below
			out = append(out, &wire.Fetched{Seq: s.Seq, Body: b})
		}
	}
	if b := s.Body(s.Digest); s.Accepted && b != nil {
		pp := r.proposalOf(s)
		// Otherwise an earlier life of this replica signed it, and this life received it from others.
		if r.isPrimary() && r.mayVote(r.view) {
			out = append(out, &wire.Sent{Msg: pp})
		} else {
			out = append(out, &wire.Accepted{PrePrepare: pp})
		}
	}
	if own := s.Prepares[r.cfg.Self]; own.Cast {
		out = append(out, &wire.Sent{Msg: &wire.Prepare{View: own.View, Seq: s.Seq, Digest: own.Digest, Replica: r.cfg.Self, Sig: own.Sig}})
	}
	if s.Prepared != nil {
		out = append(out, &wire.Prepared{Cert: *s.Prepared})
	}
	if own := s.Commits[r.cfg.Self]; own.Cast {
		out = append(out, &wire.Sent{Msg: &wire.Commit{View: own.View, Seq: s.Seq, Digest: own.Digest, Replica: r.cfg.Self, Sig: own.Sig}})
	}
	if s.Cert != nil && s.Journalled {
		out = append(out, &wire.Committed{Cert: *s.Cert})
	}
	return out
}
