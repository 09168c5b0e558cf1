package byzantine

import (
	"slices"

	"tagma/pbft"
)

// otherView returns a copy of a message in a view beside its own; nil for a type that names none.
func (m *mutator) otherView(msg pbft.Message) pbft.Message {
	switch o := msg.(type) {
	case *pbft.PrePrepare:
		return &pbft.PrePrepare{View: m.nextView(o.View, true), Seq: o.Seq, Digest: o.Digest, Body: o.Body}
	case *pbft.Prepare:
		return &pbft.Prepare{View: m.nextView(o.View, false), Seq: o.Seq, Digest: o.Digest, Replica: o.Replica}
	case *pbft.Commit:
		return &pbft.Commit{View: m.nextView(o.View, false), Seq: o.Seq, Digest: o.Digest, Replica: o.Replica}
	case *pbft.Suspect:
		return &pbft.Suspect{View: m.nextView(o.View, false), Replica: o.Replica}
	case *pbft.ViewChange:
		c := *o
		c.View = m.nextView(o.View, false)
		return &c
	case *pbft.NewView:
		c := *o
		c.View = m.nextView(o.View, true)
		return &c
	case *pbft.Heartbeat:
		return &pbft.Heartbeat{View: m.nextView(o.View, true)}
	case *pbft.Status:
		c := *o
		c.View = m.nextView(o.View, false)
		return &c
	default:
		return nil
	}
}

// otherSeq is the same with the sequence number: of a checkpoint mostly one at which there is a checkpoint.
func (m *mutator) otherSeq(msg pbft.Message) pbft.Message {
	switch o := msg.(type) {
	case *pbft.PrePrepare:
		return &pbft.PrePrepare{View: o.View, Seq: step(m.dice, o.Seq, 1), Digest: o.Digest, Body: o.Body}
	case *pbft.Prepare:
		return &pbft.Prepare{View: o.View, Seq: step(m.dice, o.Seq, 1), Digest: o.Digest, Replica: o.Replica}
	case *pbft.Commit:
		return &pbft.Commit{View: o.View, Seq: step(m.dice, o.Seq, 1), Digest: o.Digest, Replica: o.Replica}
	case *pbft.Checkpoint:
		by := pbft.Seq(1)
		if m.dice.IntN(4) > 0 {
			by = m.cfg.CheckpointInterval
		}
		return &pbft.Checkpoint{Seq: step(m.dice, o.Seq, by), Digest: o.Digest, Replica: o.Replica}
	case *pbft.Status:
		c := *o
		if m.dice.IntN(2) == 0 {
			c.Executed = step(m.dice, o.Executed, 1)
		} else {
			c.Stable = step(m.dice, o.Stable, m.cfg.CheckpointInterval)
		}
		return &c
	default:
		return nil
	}
}

// otherDigest is the same with the digest. A body stays what it was.
func (m *mutator) otherDigest(msg pbft.Message) pbft.Message {
	return withDigest(msg, m.anotherDigest)
}

// otherPhase is a vote for the same place in the other phase of the protocol, or a proposal as a vote.
func (m *mutator) otherPhase(msg pbft.Message) pbft.Message {
	switch o := msg.(type) {
	case *pbft.PrePrepare:
		return &pbft.Prepare{View: o.View, Seq: o.Seq, Digest: o.Digest, Replica: m.cfg.Self}
	case *pbft.Prepare:
		return &pbft.Commit{View: o.View, Seq: o.Seq, Digest: o.Digest, Replica: o.Replica}
	case *pbft.Commit:
		return &pbft.Prepare{View: o.View, Seq: o.Seq, Digest: o.Digest, Replica: o.Replica}
	default:
		return nil
	}
}

// otherEntry changes, repeats or leaves out an entry of a view change or a new view, whose certificates are others' words.
func (m *mutator) otherEntry(msg pbft.Message) pbft.Message {
	switch o := msg.(type) {
	case *pbft.ViewChange:
		c := *o
		c.Prepared = slices.Clone(o.Prepared)
		if len(c.Prepared) == 0 {
			c.Suspects = slices.Delete(slices.Clone(o.Suspects), 0, min(1, len(o.Suspects)))
			return &c
		}
		switch at := m.dice.IntN(len(c.Prepared)); m.dice.IntN(4) {
		case 0:
			c.Prepared = slices.Delete(c.Prepared, at, at+1)
		case 1:
			c.Prepared[at].View = step(m.dice, c.Prepared[at].View, 1)
		case 2:
			c.Prepared[at].Seq = step(m.dice, c.Prepared[at].Seq, 1)
		default:
			c.Prepared = slices.Insert(c.Prepared, at, c.Prepared[at])
		}
		return &c
	case *pbft.NewView:
		c := *o
		c.Proposals, c.ViewChanges = slices.Clone(o.Proposals), slices.Clone(o.ViewChanges)
		if len(c.Proposals) == 0 {
			c.ViewChanges[0] = c.ViewChanges[len(c.ViewChanges)-1]
			return &c
		}
		switch at := m.dice.IntN(len(c.Proposals)); m.dice.IntN(3) {
		case 0:
			c.Proposals = slices.Delete(c.Proposals, at, at+1)
		case 1:
			c.Proposals = append(c.Proposals, c.Proposals[at])
		default: // signed as if it had been proposed at that place
			lie := &pbft.PrePrepare{View: o.View, Seq: lowest(o) + pbft.Seq(at), Digest: m.anotherDigest(c.Proposals[at].Digest)}
			m.signed(lie)
			c.Proposals[at] = pbft.Proposal{Digest: lie.Digest, Sig: lie.Sig}
		}
		return &c
	default:
		return nil
	}
}

// lowest is the first sequence number that a new view proposes for: the one after its highest stable checkpoint.
func lowest(m *pbft.NewView) (n pbft.Seq) {
	for _, v := range m.ViewChanges {
		n = max(n, v.Stable.Seq)
	}
	return n + 1
}
