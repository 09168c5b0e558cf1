package byzantine

import "tagma/pbft"

// withSignature returns a copy of a message that bears another signature of its own, nil for a type that bears none.
func withSignature(m pbft.Message, change func(pbft.Signature) pbft.Signature) pbft.Message {
	switch m := m.(type) {
	case *pbft.Request:
		c := *m
		c.Sig = change(c.Sig)
		return &c
	case *pbft.PrePrepare:
		c := *m
		c.Sig = change(c.Sig)
		return &c
	case *pbft.Prepare:
		c := *m
		c.Sig = change(c.Sig)
		return &c
	case *pbft.Commit:
		c := *m
		c.Sig = change(c.Sig)
		return &c
	case *pbft.Checkpoint:
		c := *m
		c.Sig = change(c.Sig)
		return &c
	case *pbft.Suspect:
		c := *m
		c.Sig = change(c.Sig)
		return &c
	case *pbft.ViewChange:
		c := *m
		c.Sig = change(c.Sig)
		return &c
	case *pbft.NewView:
		c := *m
		c.Sig = change(c.Sig)
		return &c
	case *pbft.Heartbeat:
		c := *m
		c.Sig = change(c.Sig)
		return &c
	default:
		return nil
	}
}

// withDigest returns an unsigned copy of a statement about another digest, nil for a type that states none. A body stays
// what it was.
func withDigest(m pbft.Message, change func(pbft.Digest) pbft.Digest) pbft.Message {
	switch m := m.(type) {
	case *pbft.PrePrepare:
		return &pbft.PrePrepare{View: m.View, Seq: m.Seq, Digest: change(m.Digest), Body: m.Body}
	case *pbft.Prepare:
		return &pbft.Prepare{View: m.View, Seq: m.Seq, Digest: change(m.Digest), Replica: m.Replica}
	case *pbft.Commit:
		return &pbft.Commit{View: m.View, Seq: m.Seq, Digest: change(m.Digest), Replica: m.Replica}
	case *pbft.Checkpoint:
		return &pbft.Checkpoint{Seq: m.Seq, Digest: change(m.Digest), Replica: m.Replica}
	default:
		return nil
	}
}
