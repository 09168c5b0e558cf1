package msglog

import "tagma/pbft/wire"

// Checkpoints tallies checkpoint messages for the window above h and remembers this replica's own states.
type Checkpoints struct {
	Stable  wire.StableCert
	tallies []tally     // ring over multiples of K in (h, h+2L]
	Durable wire.Seq    // newest own state that is durable in the store
	Offered wire.Seq    // newest one whose state others were offered
	Base    wire.Seq    // newest checkpoint that is both stable and durable here: garbage ends below it
	Own     []wire.Mark // own states, oldest first, from the previous base on
	Void    wire.Seq    // up to here states of ours were announced, or may be, that are given up (K2)
}

// tally holds what replicas said about the state after seq.
type tally struct {
	seq   wire.Seq
	Votes []Vote // by replica; view unused
}

// NewCheckpoints returns one that has heard of none.
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

// OwnDigest is this replica's own state digest after seq, if it is remembered.
func (c *Checkpoints) OwnDigest(seq wire.Seq) (wire.Digest, bool) {
	for _, m := range c.Own {
		if m.Seq == seq {
			return m.Digest, true
		}
	}
	return wire.Digest{}, false
}

// Remember adds an own state and forgets those that no restart can need.
func (c *Checkpoints) Remember(m wire.Mark, keepFrom wire.Seq) {
	kept := c.Own[:0]
	for _, o := range c.Own {
		if o.Seq >= keepFrom && o.Seq != m.Seq {
			kept = append(kept, o)
		}
	}
	c.Own = append(kept, m)
}
