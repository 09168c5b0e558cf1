package check

import (
	"tagma/pbft/wire"
)

// asked checks a message that a core wants to have signed (I2): there is only one statement for each view and sequence
// number, and no vote in a view that was left, also across restarts.
func (m *Monitor) asked(o *observed, msg wire.Message) {
	at, d := placeOf(msg)
	m.speaks(o, at)
	if at.votes() && at.view < o.now.left {
		m.fail(i2, o.id, "replica %d signs a %v after it asked for view %d", o.id, at, o.now.left)
	}
	m.says(o, msg, at, d, false)
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
	default: // other kinds were judged before
	}
}

// keeps handles a statement that became durable.
func (m *Monitor) keeps(o *observed, msg wire.Message) {
	at, d := placeOf(msg)
	m.says(o, msg, at, d, true)
	switch v := msg.(type) {
	case *wire.PrePrepare:
		m.accepts(o, v, true)
	case *wire.Checkpoint:
		m.root(o, v.Seq, v.Digest)
	case *wire.ViewChange:
		o.now.left, o.durable.left = max(o.now.left, v.View), max(o.durable.left, v.View)
	case *wire.NewView:
		m.activates(o, v, true)
	default: // others depend on other records
	}
}

// says records a statement of a replica, including the pre-prepares in a NewView.
func (m *Monitor) says(o *observed, msg wire.Message, at place, d wire.Digest, durable bool) {
	switch v := msg.(type) {
	case *wire.ViewChange:
		m.saysAt(o, at, d, durable, v.Stable.Seq)
	case *wire.NewView:
		m.saysAt(o, at, d, durable, 0)
		first := highestStable(v).Seq + 1
		for i := range v.Proposals {
			m.saysAt(o, place{wire.TypePrePrepare, v.View, first + wire.Seq(i)}, v.Proposals[i].Digest, durable, 0)
		}
	default:
		if at.kind != 0 {
			m.saysAt(o, at, d, durable, 0)
		}
	}
}

// saysAt checks I2 for a statement: no other statement was made about the same place, in any life. A view change of an
// earlier life that was forgotten does not contradict it if their stable checkpoints are a window apart (D8.10).
func (m *Monitor) saysAt(o *observed, at place, d wire.Digest, durable bool, stable wire.Seq) {
	if durable {
		o.spoken.says(at)
	}
	if o.forgot(at) {
		return
	}
	if o.of(at) == nil {
		m.checked(i2)
	}
	for _, s := range o.all(at) {
		again := s.past && at.kind == wire.TypeViewChange && max(s.stable, stable)-min(s.stable, stable) >= m.cfg.LogWindow
		if s.place == at && s.digest != d && !again {
			m.fail(i2, o.id, "replica %d signs a %v with %v, and signed one with %v", o.id, at, d, s.digest)
		}
	}
	o.note(statement{place: at, digest: d, durable: durable, stable: stable})
}

// asksView checks a view change: views only rise (I7), and it shows everything that prepared (V1); otherwise what
// committed may be lost (I17).
func (m *Monitor) asksView(o *observed, v *wire.ViewChange) {
	if m.breaks(i7, v.View <= o.now.left) {
		m.fail(i7, o.id, "replica %d asks for view %d after view %d", o.id, v.View, o.now.left)
	}
	o.now.left = max(o.now.left, v.View)
	m.recountViewChange(o.id, v)
	shown := make(map[wire.Seq]wire.View, len(v.Prepared))
	for i := range v.Prepared {
		shown[v.Prepared[i].Seq] = v.Prepared[i].View
	}
	for seq := v.Stable.Seq + 1; seq <= v.Stable.Seq+m.cfg.LogWindow; seq++ {
		view, there := shown[seq]
		for _, s := range o.all(place{seq: seq}) {
			if s.kind == kindPrepared && m.breaks(i17, !there || view < s.view) {
				m.fail(i17, o.id, "replica %d asks for view %d and hides what prepared for (%d, %d) (V1)", o.id, v.View, s.view, seq)
			}
		}
	}
}

// Left checks a signed message that a correct replica sent to one other replica or to all. Messages of other replicas
// that it passes on are not judged. A replica's own statement must be durable (D0), and so must be what it depends on
// (D1 to D5).
func (m *Monitor) Left(id wire.ReplicaID, msg wire.Message) {
	o := m.of(id)
	if o == nil {
		return
	}
	if by, signed := wire.Sender(m.cfg, msg); !signed || by != id {
		return
	}
	at, d := placeOf(msg)
	if at.kind == 0 || o.forgot(at) {
		return
	}
	proposes := at.kind == wire.TypePrePrepare || at.kind == wire.TypeNewView
	if proposes && o.saidBefore(at, d) {
		return // others may have sent back a statement of an earlier life, which this replica passes on
	}
	rests := func(r rule, holds bool, what string) {
		if m.breaks(r, !holds) {
			m.fail(r, o.id, "a %v of replica %d leaves %s", at, o.id, what)
		}
	}
	early := m.cfg.Optimistic && at.votes()
	there := func(kind wire.Type) bool { return o.has(place{kind, at.view, at.seq}, d, !early) }
	if early && !o.has(at, d, true) { // D8.14: a start must be able to tell how far such votes may have gone
		rests(d0, o.early, "before it is durable, and its journal does not say that such votes may have left")
		rests(d0, at.seq <= o.durable.certified+m.cfg.LogWindow, "before it is durable, above the window that its journal tells of")
		m.leaves(o, at, d)
	} else {
		rests(d0, there(at.kind), "before it is durable")
	}
	switch at.kind {
	case wire.TypePrepare:
		rests(d1, there(kindAccepted), "without a durable pre-prepare")
		rests(d1, d == wire.NullDigest || o.any(kindBody, at.seq, d, !early), "without a durable body")
		if at.view > 0 {
			s := o.of(place{kind: kindActivated, view: at.view})
			long := at.view+keptViews < o.durable.left // statements about the view may have been forgotten
			rests(d4, s != nil && s.durable || long, "without a durable new view")
		}
	case wire.TypeCommit:
		rests(d2, there(kindPrepared), "without a durable prepared certificate")
	case wire.TypeCheckpoint:
		rests(d5, there(kindRoot), "and announces a state that it does not have")
	default: // others depend on nothing
	}
}

// leaves records that a vote was sent before it was durable. The replica must never contradict it, whatever happens to
// the journal (D8.14).
func (m *Monitor) leaves(o *observed, at place, d wire.Digest) {
	o.spoken.says(at)
	if s := o.find(at, func(s *statement) bool { return s.place == at && s.digest == d }); s != nil {
		s.left = true
	}
}
