package driver

import (
	"crypto/sha256"
	"fmt"

	"tagma/pbft"
)

// Guard remembers what this replica signed and refuses a second, different statement for one (type, view, seq), whatever
// the core asks for (D7). It is the last line before the key.
type Guard struct {
	signed map[statement]pbft.Digest
}

// statement is what a replica may say only one thing about.
type statement struct {
	kind pbft.Type
	view pbft.View
	seq  pbft.Seq
}

// NewGuard returns a guard that knows what a journal holds.
func NewGuard(cfg *pbft.Config, log []pbft.Record) *Guard {
	g := &Guard{signed: make(map[statement]pbft.Digest)}
	for _, rec := range log {
		if sent, ok := rec.(*pbft.Sent); ok {
			s, _ := statementOf(sent.Msg)
			g.signed[s] = sha256.Sum256(pbft.Signable(cfg, sent.Msg))
		}
	}
	return g
}

// Admit returns an error if a different message was signed for the same statement. It is called before the message is
// journalled, and so before anybody sees the signature.
func (g *Guard) Admit(cfg *pbft.Config, m pbft.Message) error {
	s, ok := statementOf(m)
	if !ok {
		return nil
	}
	d := pbft.Digest(sha256.Sum256(pbft.Signable(cfg, m)))
	if before, again := g.signed[s]; again && before != d {
		return fmt.Errorf("refusing to sign a second %s for view %d, sequence number %d: this replica's state contradicts"+
			" its journal", s.kind, s.view, s.seq)
	}
	g.signed[s] = d
	return nil
}

// Forget drops statements about sequence numbers that can never be voted on again.
func (g *Guard) Forget(below pbft.Seq) {
	for s := range g.signed {
		if s.seq != 0 && s.seq <= below {
			delete(g.signed, s)
		}
	}
}

func statementOf(m pbft.Message) (statement, bool) {
	s := statement{kind: pbft.TypeOf(m)}
	switch m := m.(type) {
	case *pbft.PrePrepare:
		s.view, s.seq = m.View, m.Seq
	case *pbft.Prepare:
		s.view, s.seq = m.View, m.Seq
	case *pbft.Commit:
		s.view, s.seq = m.View, m.Seq
	case *pbft.Checkpoint:
		s.seq = m.Seq
	case *pbft.ViewChange:
		s.view = m.View
	case *pbft.NewView:
		s.view = m.View
	default:
		return s, false
	}
	return s, true
}
