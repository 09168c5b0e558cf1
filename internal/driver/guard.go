package driver

import (
	"crypto/sha256"
	"fmt"

	"tagma/pbft"
)

// Guard remembers what this replica signed and refuses a second, different statement for one (type, view, seq), and any
// in a view that it has left, whatever the core asks for (D3, D7). It is the last line before the key.
type Guard struct {
	signed map[statement]pbft.Digest
	left   pbft.View // the highest view that a ViewChange of ours asks for: every lower one is behind us
}

// statement is what a replica may say only one thing about.
type statement struct {
	kind pbft.Type
	view pbft.View
	seq  pbft.Seq
}

// said is a statement and the hash of what was signed about it.
type said struct {
	statement
	digest pbft.Digest
}

// NewGuard returns a guard that knows what a journal holds.
func NewGuard(cfg *pbft.Config, log []pbft.Record) *Guard {
	g := &Guard{signed: make(map[statement]pbft.Digest)}
	for _, rec := range log {
		switch rec := rec.(type) {
		case *pbft.Sent:
			g.note(rec.Msg, statements(cfg, rec.Msg))
		case *pbft.Activated: // an anchor holds our own NewView so too
			if cfg.Primary(rec.NewView.View) == cfg.Self {
				g.note(rec.NewView, statements(cfg, rec.NewView))
			}
		default: // nothing of ours is in it
		}
	}
	return g
}

// Admit returns an error if a different message was signed for the same statement. It is called before the message is
// journalled, and so before anybody sees the signature.
func (g *Guard) Admit(cfg *pbft.Config, m pbft.Message) error {
	all := statements(cfg, m)
	for _, s := range all {
		if s.kind != pbft.TypeCheckpoint && s.view < g.left {
			return fmt.Errorf("refusing to sign a %s for view %d: this replica asked for view %d before", s.kind, s.view, g.left)
		}
		if before, again := g.signed[s.statement]; again && before != s.digest {
			return fmt.Errorf("refusing to sign a second %s for view %d, sequence number %d: this replica's state contradicts"+
				" its journal", s.kind, s.view, s.seq)
		}
	}
	g.note(m, all)
	return nil
}

func (g *Guard) note(m pbft.Message, all []said) {
	for _, s := range all {
		g.signed[s.statement] = s.digest
	}
	if vc, ok := m.(*pbft.ViewChange); ok && vc.View > g.left {
		g.left = vc.View
		for s := range g.signed { // nothing of a lower view is admitted any more, so there is nothing to compare it with
			if s.kind != pbft.TypeCheckpoint && s.view < g.left {
				delete(g.signed, s)
			}
		}
	}
}

// Forget drops statements about sequence numbers that can never be voted on again.
func (g *Guard) Forget(below pbft.Seq) {
	for s := range g.signed {
		if s.seq != 0 && s.seq <= below {
			delete(g.signed, s)
		}
	}
}

// statements lists what a message of ours says; nothing for a kind that may be said twice.
func statements(cfg *pbft.Config, m pbft.Message) []said {
	switch m := m.(type) {
	case *pbft.PrePrepare:
		return []said{says(cfg, m, m.View, m.Seq)}
	case *pbft.Prepare:
		return []said{says(cfg, m, m.View, m.Seq)}
	case *pbft.Commit:
		return []said{says(cfg, m, m.View, m.Seq)}
	case *pbft.Checkpoint:
		return []said{says(cfg, m, 0, m.Seq)}
	case *pbft.ViewChange:
		return []said{says(cfg, m, m.View, 0)}
	case *pbft.NewView:
		return newViewSays(cfg, m)
	default:
		return nil
	}
}

// newViewSays lists a new view and each pre-prepare inside it: O starts right above the highest stable checkpoint in V.
func newViewSays(cfg *pbft.Config, m *pbft.NewView) []said {
	all := []said{says(cfg, m, m.View, 0)}
	seq := pbft.Seq(0)
	for i := range m.ViewChanges {
		seq = max(seq, m.ViewChanges[i].Stable.Seq)
	}
	for _, p := range m.Proposals {
		seq++
		all = append(all, says(cfg, &pbft.PrePrepare{View: m.View, Seq: seq, Digest: p.Digest}, m.View, seq))
	}
	return all
}

func says(cfg *pbft.Config, m pbft.Message, view pbft.View, seq pbft.Seq) said {
	return said{statement{pbft.TypeOf(m), view, seq}, sha256.Sum256(pbft.Signable(cfg, m))}
}
