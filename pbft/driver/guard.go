package driver

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"tagma/pbft/wire"
)

// Guard remembers what this replica signed. Whatever the core asks for, it refuses to sign a second, different
// statement for the same (type, view, seq), and any statement in a view that the replica has left or for a slot in
// which it may have voted before (D3, D7, D8.14). It is the last check before the key is used.
type Guard struct {
	signed    map[wire.Seq][]said // by sequence number; at 0 are the statements that are only about a view
	forgotten wire.Seq            // statements up to this sequence number were dropped, except those at 0
	// The highest view for which this replica signed a ViewChange; it has left every lower view.
	left  wire.View
	bar   wire.Seq   // the journal may lack own votes for slots up to this one
	spare [][]said   // emptied slices, to be reused
	order []wire.Seq // the keys of signed; some are listed twice, and some are no longer in signed
	all   []said     // the statements of the last message
	buf   []byte     // signed bytes of the last statement
}

// statement is a subject about which a replica may sign only one thing.
type statement struct {
	kind wire.Type
	view wire.View
	seq  wire.Seq
}

// ofSlot reports whether the statement is about the order at a sequence number.
func (s statement) ofSlot() bool {
	return s.kind == wire.TypePrePrepare || s.kind == wire.TypePrepare || s.kind == wire.TypeCommit
}

// said is a statement with the hash of what was signed about it.
type said struct {
	statement
	digest wire.Digest
}

// NewGuard returns a guard that remembers what a journal contains.
func NewGuard(cfg *wire.Config, log []wire.Record) *Guard {
	g := &Guard{signed: make(map[wire.Seq][]said), bar: wire.Log(log).Unsaid(cfg)}
	for _, rec := range log {
		switch rec := rec.(type) {
		case *wire.Sent:
			g.note(rec.Msg, g.statements(cfg, rec.Msg))
		case *wire.Activated: // an anchor also holds our own NewView in this form
			if cfg.Primary(rec.NewView.View) == cfg.Self {
				g.note(rec.NewView, g.statements(cfg, rec.NewView))
			}
		case *wire.Recovering: // never vote in a view in which a vote may be forgotten (D8.7)
			g.left, g.bar = max(g.left, rec.View), max(g.bar, rec.Until)
		default: // other records contain nothing that we signed
		}
	}
	return g
}

// Admit returns an error if a different message was signed for the same statement. The driver calls it before it
// journals the message, and so before anybody else sees the signature.
func (g *Guard) Admit(cfg *wire.Config, m wire.Message) error {
	all := g.statements(cfg, m)
	for i := range all {
		s := &all[i]
		if s.kind != wire.TypeCheckpoint && s.view < g.left {
			return fmt.Errorf("refusing to sign a %s for view %d: this replica asked for view %d before", s.kind, s.view, g.left)
		}
		if s.ofSlot() && s.seq <= g.bar {
			return fmt.Errorf("refusing to sign a %s for sequence number %d: this replica may have forgotten what it signed up to %d",
				s.kind, s.seq, g.bar)
		}
		if before := find(g.signed[s.seq], s.statement); before != nil && before.digest != s.digest {
			return fmt.Errorf("refusing to sign a second %s for view %d, sequence number %d: this replica's state contradicts"+
				" its journal", s.kind, s.view, s.seq)
		}
	}
	g.note(m, all)
	return nil
}

func (g *Guard) note(m wire.Message, all []said) {
	for i := range all {
		g.keep(&all[i])
	}
	if vc, ok := m.(*wire.ViewChange); ok && vc.View > g.left {
		g.left = vc.View
		// Statements of lower views can be dropped: nothing of these views will be admitted any more.
		for _, seq := range g.tidied() {
			held := slices.DeleteFunc(g.signed[seq], func(s said) bool { return s.kind != wire.TypeCheckpoint && s.view < g.left })
			if g.signed[seq] = held; len(held) == 0 {
				g.drop(seq)
			}
		}
	}
}

// keep stores a statement in place of an earlier one about the same subject.
func (g *Guard) keep(s *said) {
	held, there := g.signed[s.seq]
	if before := find(held, s.statement); before != nil {
		before.digest = s.digest
		return
	}
	if last := len(g.spare) - 1; !there && last >= 0 {
		held, g.spare = g.spare[last], g.spare[:last]
	}
	g.signed[s.seq] = append(held, *s)
	if !there {
		if g.order = append(g.order, s.seq); len(g.order) > 2*len(g.signed)+maxSpare {
			g.tidied()
		}
	}
	if s.seq > 0 {
		g.forgotten = min(g.forgotten, s.seq-1)
	}
}

func find(held []said, s statement) *said {
	for i := range held {
		if held[i].statement == s {
			return &held[i]
		}
	}
	return nil
}

// Forget drops statements about sequence numbers for which no vote will ever be cast again.
func (g *Guard) Forget(below wire.Seq) {
	if below > g.forgotten+wire.Seq(len(g.signed)) { // in this case it is faster to look at all entries
		for _, seq := range g.tidied() {
			if seq != 0 && seq <= below {
				g.drop(seq)
			}
		}
		g.forgotten = below
	}
	for ; g.forgotten < below; g.forgotten++ {
		g.drop(g.forgotten + 1)
	}
}

// tidied lists the keys of signed, ascending.
func (g *Guard) tidied() []wire.Seq {
	slices.Sort(g.order)
	g.order = slices.DeleteFunc(slices.Compact(g.order), func(seq wire.Seq) bool { return g.signed[seq] == nil })
	return g.order
}

// maxSpare bounds how many slices are kept for reuse: as many as are dropped at once.
const maxSpare = 256

func (g *Guard) drop(seq wire.Seq) {
	held, there := g.signed[seq]
	if !there {
		return
	}
	delete(g.signed, seq)
	if len(g.spare) < maxSpare {
		g.spare = append(g.spare, held[:0])
	}
}

// statements lists the statements in an own message; none for a type that may be signed twice. The list is valid until
// the next call.
func (g *Guard) statements(cfg *wire.Config, m wire.Message) []said {
	g.all = g.all[:0]
	switch m := m.(type) {
	case *wire.PrePrepare:
		g.says(cfg, m, m.View, m.Seq)
	case *wire.Prepare:
		g.says(cfg, m, m.View, m.Seq)
	case *wire.Commit:
		g.says(cfg, m, m.View, m.Seq)
	case *wire.Checkpoint:
		g.says(cfg, m, 0, m.Seq)
	case *wire.ViewChange:
		g.says(cfg, m, m.View, 0)
	case *wire.NewView:
		g.newViewSays(cfg, m)
	default: // two different ones mislead nobody
	}
	return g.all
}

// newViewSays lists a new view and each pre-prepare in it. Its proposals O begin right above the highest stable
// checkpoint in V.
func (g *Guard) newViewSays(cfg *wire.Config, m *wire.NewView) {
	g.says(cfg, m, m.View, 0)
	seq := wire.Seq(0)
	for i := range m.ViewChanges {
		seq = max(seq, m.ViewChanges[i].Stable.Seq)
	}
	for _, p := range m.Proposals {
		seq++
		g.says(cfg, &wire.PrePrepare{View: m.View, Seq: seq, Digest: p.Digest}, m.View, seq)
	}
}

func (g *Guard) says(cfg *wire.Config, m wire.Message, view wire.View, seq wire.Seq) {
	g.buf = wire.AppendSignable(g.buf[:0], cfg, m)
	g.all = append(g.all, said{statement{wire.TypeOf(m), view, seq}, sha256.Sum256(g.buf)})
}
