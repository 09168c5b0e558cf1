package msglog

import (
	"slices"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// Checkpoints counts the checkpoint messages for the window above h, and remembers the digests of this replica's own states.
type Checkpoints struct {
	Stable  wire.StableCert
	tallies []tally  // ring over multiples of K in (h, h+2L]
	Durable wire.Seq // the newest own state that is durable in the store
	Offered wire.Seq // the newest own state that other replicas may fetch
	// The newest checkpoint that is both stable and durable here; records and states below it may be deleted.
	Base wire.Seq
	Own  []wire.Mark // own states, oldest first, from the previous Base on
	// Own states up to this one do not count any more, although their digests may have been announced (K2).
	Void  wire.Seq
	Split wire.Seq // the first checkpoint found that can never be stable; it matters only while it lies above h
}

// tally holds the digests that replicas signed for the state after seq.
type tally struct {
	seq   wire.Seq
	Votes []Vote // by replica; view unused
}

// NewCheckpoints returns a Checkpoints without any votes.
func NewCheckpoints(cfg *wire.Config) Checkpoints {
	return Checkpoints{tallies: make([]tally, 2*cfg.LogWindow/cfg.CheckpointInterval)}
}

// At returns the tally of a checkpoint in (h, h+2L].
func (c *Checkpoints) At(seq wire.Seq, cfg *wire.Config) *tally {
	t := &c.tallies[seq/cfg.CheckpointInterval%wire.Seq(len(c.tallies))]
	if t.seq != seq {
		*t = tally{seq: seq, Votes: make([]Vote, cfg.N())}
	}
	return t
}

// CanBeStable reports whether some digest may still reach a quorum, if every replica that has not voted yet votes for it.
func (t *tally) CanBeStable(quorum int) bool {
	silent, most := 0, 0
	for i := range t.Votes {
		if v := &t.Votes[i]; v.Cast {
			most = max(most, Count(t.Votes, 0, v.Digest, -1))
		} else {
			silent++
		}
	}
	return most+silent >= quorum
}

// Statements returns the votes as signed messages, ascending by replica.
func (t *tally) Statements() []wire.Checkpoint {
	var all []wire.Checkpoint
	for id, v := range t.Votes {
		if v.Cast {
			all = append(all, wire.Checkpoint{Seq: t.seq, Digest: v.Digest, Replica: wire.ReplicaID(id), Sig: v.Sig})
		}
	}
	return all
}

// OwnDigest returns the digest of this replica's own state after seq, if it is remembered.
func (c *Checkpoints) OwnDigest(seq wire.Seq) (wire.Digest, bool) {
	for _, m := range c.Own {
		if m.Seq == seq {
			return m.Digest, true
		}
	}
	return wire.Digest{}, false
}

// GiveUp forgets the own states in (above, upTo]. Their digests were announced nevertheless, so Void remembers upTo
// (K2).
func (c *Checkpoints) GiveUp(above, upTo wire.Seq) {
	c.Own = slices.DeleteFunc(c.Own, func(m wire.Mark) bool { return m.Seq > above && m.Seq <= upTo })
	c.Void = max(c.Void, upTo)
}

// Remember adds an own state and forgets those below keepFrom, which no restart can need.
func (c *Checkpoints) Remember(m wire.Mark, keepFrom wire.Seq) {
	kept := c.Own[:0]
	for _, o := range c.Own {
		if o.Seq >= keepFrom && o.Seq != m.Seq {
			kept = append(kept, o)
		}
	}
	c.Own = append(kept, m)
}

// Wait groups the votes for a checkpoint in (h, h+2L] by their digests.
func (c *Checkpoints) Wait(seq wire.Seq, cfg *wire.Config) port.CheckpointWait {
	wait := port.CheckpointWait{Seq: seq}
	t := &c.tallies[seq/cfg.CheckpointInterval%wire.Seq(len(c.tallies))]
	if t.seq != seq {
		return wait
	}
	for _, v := range t.Votes {
		of := func(g port.CheckpointVote) bool { return g.Digest == v.Digest }
		if v.Cast && !slices.ContainsFunc(wait.Votes, of) {
			wait.Votes = append(wait.Votes, port.CheckpointVote{Digest: v.Digest, Replicas: voters(t.Votes, 0, v.Digest)})
		}
	}
	return wait
}
