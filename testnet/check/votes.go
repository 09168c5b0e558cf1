package check

import (
	"crypto/sha256"

	"tagma/pbft/wire"
)

// place is what a replica may say only one thing about.
type place struct {
	kind wire.Type
	view wire.View
	seq  wire.Seq
}

// placeOf is what a message says something about, and the digest that it says, if its place is a sequence number. Kind 0
// is of messages that may be said twice.
func placeOf(m wire.Message) (place, wire.Digest) {
	switch m := m.(type) {
	case *wire.PrePrepare:
		return place{wire.TypePrePrepare, m.View, m.Seq}, m.Digest
	case *wire.Prepare:
		return place{wire.TypePrepare, m.View, m.Seq}, m.Digest
	case *wire.Commit:
		return place{wire.TypeCommit, m.View, m.Seq}, m.Digest
	case *wire.Checkpoint:
		return place{wire.TypeCheckpoint, 0, m.Seq}, m.Digest
	case *wire.ViewChange:
		return place{wire.TypeViewChange, m.View, 0}, wire.Digest{}
	case *wire.NewView:
		return place{wire.TypeNewView, m.View, 0}, wire.Digest{}
	default:
		return place{}, wire.Digest{}
	}
}

// votes reports whether what is said there is a vote in its view. A view change is one for it.
func (at place) votes() bool {
	return at.kind == wire.TypePrePrepare || at.kind == wire.TypePrepare || at.kind == wire.TypeCommit
}

// forbidden reports whether it is of a kind that a recovery forbids (D8.7).
func (at place) forbidden() bool {
	return at.votes() || at.kind == wire.TypeViewChange || at.kind == wire.TypeNewView
}

// said is what a memo holds of one of the first four.
func (k *memo) of(kind wire.Type) *statements { return &k.said[kind-wire.TypePrePrepare] }

// asked judges what a core wants signed (I2): one statement a place, and no vote in a view that was left, across
// restarts.
func (m *Monitor) asked(o *observed, msg wire.Message) {
	at, _ := placeOf(msg)
	if at.votes() && at.view < o.now.left {
		m.fail(i2, o.id, "replica %d signs a %v for (%d, %d) after it asked for view %d", o.id, at.kind, at.view, at.seq, o.now.left)
	}
	m.says(o, msg, false)
	switch v := msg.(type) {
	case *wire.PrePrepare:
		m.accepts(o, v, false)
	case *wire.Prepare:
		if int(v.Replica) == m.primary(v.View) {
			m.fail(i11, o.id, "replica %d prepares its own proposal in view %d", o.id, v.View)
		}
	case *wire.Checkpoint:
		m.ownState(o, v.Seq)
	case *wire.ViewChange:
		m.asksView(o, v)
	case *wire.NewView:
		m.activates(o, v, false)
	default: // has been judged
	}
}

// keeps takes a statement that became durable.
func (m *Monitor) keeps(o *observed, msg wire.Message) {
	m.says(o, msg, true)
	switch v := msg.(type) {
	case *wire.PrePrepare:
		m.accepts(o, v, true)
	case *wire.Checkpoint:
		m.root(o, v.Seq, v.Digest)
	case *wire.ViewChange:
		o.now.left, o.durable.left = max(o.now.left, v.View), max(o.durable.left, v.View)
	case *wire.NewView:
		m.activates(o, v, true)
	default: // rests on other records
	}
}

// says notes a statement of a replica.
func (m *Monitor) says(o *observed, msg wire.Message, durable bool) {
	switch v := msg.(type) {
	case *wire.ViewChange:
		m.saysViewChange(o, v, durable)
	case *wire.NewView:
		m.saysNewView(o, v, durable)
	default:
		if at, d := placeOf(msg); at.kind != 0 {
			m.saysAt(o, at, d, durable)
		}
	}
}

// saysAt notes a statement about a sequence number.
func (m *Monitor) saysAt(o *observed, at place, d wire.Digest, durable bool) {
	if durable {
		o.spoken.says(at)
	}
	k := o.at(at.seq)
	if k == nil {
		return
	}
	said := k.of(at.kind)
	switch before := said.of(at.view); {
	case before == nil:
		m.checked(i2)
	case before.digest != d:
		m.checked(i2)
		m.fail(i2, o.id, "replica %d signs a %v for (%d, %d) with %v, and signed one with %v", o.id, at.kind, at.view, at.seq, d, before.digest)
	}
	said.note(at.view, d, durable)
}

// saysView notes a statement that a view has one of in a life.
func (m *Monitor) saysView(o *observed, msg wire.Message, views map[wire.View]*statement, now statement) {
	if now.durable {
		at, _ := placeOf(msg)
		o.spoken.says(at)
	}
	switch before := views[now.view]; {
	case before == nil:
		m.checked(i2)
	case before.digest != now.digest:
		m.fail(i2, o.id, "replica %d signs two different %ss for view %d", o.id, wire.TypeOf(msg), now.view)
	}
	noteView(views, now)
}

// saysViewChange notes a view change. One that an earlier life made for the view, and that was forgotten, does not
// contradict it if their stable checkpoints are a window apart (D8.10).
func (m *Monitor) saysViewChange(o *observed, v *wire.ViewChange, durable bool) {
	now := statement{view: v.View, digest: sha256.Sum256(wire.Signable(m.cfg, v)), durable: durable, stable: v.Stable.Seq}
	for _, s := range o.pastChanges[v.View] {
		if apart := max(s.stable, now.stable) - min(s.stable, now.stable); s.digest != now.digest && apart < m.cfg.LogWindow {
			m.fail(i2, o.id, "replica %d signs a %v for view %d that is not the one it forgot, with stable checkpoints %d and %d",
				o.id, wire.TypeOf(v), v.View, now.stable, s.stable)
		}
	}
	m.saysView(o, v, o.viewChanges, now)
}

// saysNewView notes a new view, and the pre-prepares inside it.
func (m *Monitor) saysNewView(o *observed, v *wire.NewView, durable bool) {
	now := statement{view: v.View, digest: fingerprint(m.cfg, v), durable: durable}
	for _, s := range o.pastViews[v.View] {
		if s.digest != now.digest {
			m.fail(i2, o.id, "replica %d signs a %v for view %d that is not the one it forgot", o.id, wire.TypeOf(v), v.View)
		}
	}
	m.saysView(o, v, o.newViews, now)
	first := highestStable(v).Seq + 1
	for i := range v.Proposals {
		m.saysAt(o, place{wire.TypePrePrepare, v.View, first + wire.Seq(i)}, v.Proposals[i].Digest, durable)
	}
}

// asksView judges a view change: it only goes up (I7), and shows everything that prepared (V1), without which what
// committed may be lost (I17).
func (m *Monitor) asksView(o *observed, v *wire.ViewChange) {
	m.checked(i7)
	if v.View <= o.now.left {
		m.fail(i7, o.id, "replica %d asks for view %d after view %d", o.id, v.View, o.now.left)
	}
	o.now.left = max(o.now.left, v.View)
	m.recountViewChange(o.id, v)
	shown := make(map[wire.Seq]wire.View, len(v.Prepared))
	for i := range v.Prepared {
		shown[v.Prepared[i].Seq] = v.Prepared[i].View
	}
	for seq := v.Stable.Seq + 1; seq <= v.Stable.Seq+m.cfg.LogWindow; seq++ {
		k := o.memos[seq]
		if k == nil || len(k.prepared) == 0 {
			continue
		}
		m.checked(i17)
		best := k.prepared[0].view
		for _, p := range k.prepared {
			best = max(best, p.view)
		}
		if view, there := shown[seq]; !there || view < best {
			m.fail(i17, o.id, "replica %d asks for view %d and hides what prepared for (%d, %d) (V1)", o.id, v.View, best, seq)
		}
	}
}
