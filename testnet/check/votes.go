package check

import (
	"crypto/sha256"

	"tagma/pbft/wire"
)

// The places of a memo's statements.
const (
	saidPrePrepare = iota
	saidPrepare
	saidCommit
	saidCheckpoint
)

// asked judges what a core wants signed (I2): one statement a place, and no vote in a view that was left, across
// restarts.
func (m *Monitor) asked(o *observed, msg wire.Message) {
	switch v := msg.(type) {
	case *wire.PrePrepare:
		m.asksVote(o, saidPrePrepare, msg, v.View, v.Seq, v.Digest)
		m.accepts(o, v, false)
	case *wire.Prepare:
		m.asksVote(o, saidPrepare, msg, v.View, v.Seq, v.Digest)
		if v.Replica == wire.ReplicaID(uint64(v.View)%uint64(m.n)) {
			m.fail(i11, o.id, "replica %d prepares its own proposal in view %d", o.id, v.View)
		}
	case *wire.Commit:
		m.asksVote(o, saidCommit, msg, v.View, v.Seq, v.Digest)
	case *wire.Checkpoint:
		m.ownState(o, v.Seq)
		m.says(o, saidCheckpoint, msg, 0, v.Seq, v.Digest, false)
	case *wire.ViewChange:
		m.asksView(o, v)
	case *wire.NewView:
		m.saysNewView(o, v, false)
		m.proposes(o, v, false)
		m.activates(o, v, false)
	default: // may be said twice
	}
}

func (m *Monitor) asksVote(o *observed, kind int, msg wire.Message, view wire.View, seq wire.Seq, d wire.Digest) {
	if view < o.now.left {
		m.fail(i2, o.id, "replica %d signs a %v for (%d, %d) after it asked for view %d",
			o.id, wire.TypeOf(msg), view, seq, o.now.left)
	}
	m.says(o, kind, msg, view, seq, d, false)
}

// says notes a statement about a sequence number.
func (m *Monitor) says(o *observed, kind int, msg wire.Message, view wire.View, seq wire.Seq, d wire.Digest, durable bool) {
	if durable && kind == saidCheckpoint {
		o.spoken.announces(seq)
	} else if durable {
		o.spoken.votes(view, seq)
	}
	k := o.at(seq)
	if k == nil {
		return
	}
	m.checked(i2)
	if before := k.said[kind].of(view); before != nil && before.digest != d {
		m.fail(i2, o.id, "replica %d signs a %v for (%d, %d) with %v, and signed one with %v",
			o.id, wire.TypeOf(msg), view, seq, d, before.digest)
	}
	k.said[kind].note(view, d, durable)
}

// saysView notes a statement that a view has one of in a life.
func (m *Monitor) saysView(o *observed, msg wire.Message, views map[wire.View]*statement, now statement) {
	m.checked(i2)
	if before := views[now.view]; before != nil && before.digest != now.digest {
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
	if durable {
		o.spoken.asks(v.View)
	}
	m.saysView(o, v, o.viewChanges, now)
}

// saysNewView notes a new view.
func (m *Monitor) saysNewView(o *observed, v *wire.NewView, durable bool) {
	now := statement{view: v.View, digest: fingerprint(m.cfg, v), durable: durable}
	for _, s := range o.pastViews[v.View] {
		if s.digest != now.digest {
			m.fail(i2, o.id, "replica %d signs a %v for view %d that is not the one it forgot", o.id, wire.TypeOf(v), v.View)
		}
	}
	if durable {
		o.spoken.votes(v.View, 0)
	}
	m.saysView(o, v, o.newViews, now)
}

// proposes notes the pre-prepares inside a new view of the replica's own.
func (m *Monitor) proposes(o *observed, v *wire.NewView, durable bool) {
	first := highestStable(v).Seq + 1
	for i := range v.Proposals {
		m.says(o, saidPrePrepare, &wire.PrePrepare{}, v.View, first+wire.Seq(i), v.Proposals[i].Digest, durable)
	}
}

// asksView judges a view change: it only goes up (I7), and shows everything that prepared (V1), without which what
// committed may be lost (I17).
func (m *Monitor) asksView(o *observed, v *wire.ViewChange) {
	m.saysViewChange(o, v, false)
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

// keeps takes a vote that became durable.
func (m *Monitor) keeps(o *observed, msg wire.Message) {
	switch v := msg.(type) {
	case *wire.PrePrepare:
		m.says(o, saidPrePrepare, msg, v.View, v.Seq, v.Digest, true)
		m.accepts(o, v, true)
	case *wire.Prepare:
		m.says(o, saidPrepare, msg, v.View, v.Seq, v.Digest, true)
	case *wire.Commit:
		m.says(o, saidCommit, msg, v.View, v.Seq, v.Digest, true)
	case *wire.Checkpoint:
		m.says(o, saidCheckpoint, msg, 0, v.Seq, v.Digest, true)
	case *wire.ViewChange:
		m.saysViewChange(o, v, true)
		o.now.left, o.durable.left = max(o.now.left, v.View), max(o.durable.left, v.View)
	case *wire.NewView:
		m.saysNewView(o, v, true)
		m.proposes(o, v, true)
		m.activates(o, v, true)
	default: // journalled by nobody
	}
}

// Left takes a signed message that left a correct replica, to one other or to all. What is not the replica's own,
// passed on, is not judged: a replica's own statement must be durable (D0), and so must be what it rests on (D1 to D5).
func (m *Monitor) Left(id wire.ReplicaID, msg wire.Message) {
	o := m.of(id)
	if o == nil {
		return
	}
	if by, signed := wire.Sender(m.cfg, msg); !signed || by != id {
		return
	}
	switch v := msg.(type) {
	case *wire.PrePrepare:
		if k := o.at(v.Seq); k != nil && k.said[saidPrePrepare].ofThePast(v.View, v.Digest) {
			return // as below
		}
		m.leaves(o, saidPrePrepare, msg, v.View, v.Seq, v.Digest)
	case *wire.Prepare:
		m.leaves(o, saidPrepare, msg, v.View, v.Seq, v.Digest)
		m.restsOnProposal(o, v)
	case *wire.Commit:
		m.leaves(o, saidCommit, msg, v.View, v.Seq, v.Digest)
		if k := o.at(v.Seq); k != nil {
			m.checked(d2)
			if !k.prepared.has(v.View, v.Digest, true) {
				m.fail(d2, o.id, "replica %d commits (%d, %d) without a durable prepared certificate", o.id, v.View, v.Seq)
			}
		}
	case *wire.Checkpoint:
		m.leaves(o, saidCheckpoint, msg, 0, v.Seq, v.Digest)
		if k := o.at(v.Seq); k != nil {
			m.checked(d5)
			if !k.root.has(0, v.Digest, true) {
				m.fail(d5, o.id, "replica %d announces a state after %d that it does not have", o.id, v.Seq)
			}
		}
	case *wire.ViewChange:
		m.leavesView(o, msg, o.viewChanges[v.View], v.View)
	case *wire.NewView:
		if past := o.pastViews[v.View]; len(past) > 0 && past.any(fingerprint(m.cfg, v), false) {
			return // it heard from others what an earlier life had told them, and passes it on
		}
		m.leavesView(o, msg, o.newViews[v.View], v.View)
	default: // rests on nothing
	}
}

// leaves is D0 for a vote: the very statement is in the journal.
func (m *Monitor) leaves(o *observed, kind int, msg wire.Message, view wire.View, seq wire.Seq, d wire.Digest) {
	k := o.at(seq)
	if k == nil {
		return
	}
	m.checked(d0)
	if !k.said[kind].has(view, d, true) {
		m.fail(d0, o.id, "a %v of replica %d for (%d, %d) leaves before it is durable", wire.TypeOf(msg), o.id, view, seq)
	}
}

func (m *Monitor) leavesView(o *observed, msg wire.Message, s *statement, view wire.View) {
	m.checked(d0)
	if s == nil || !s.durable {
		m.fail(d0, o.id, "a %v of replica %d for view %d leaves before it is durable", wire.TypeOf(msg), o.id, view)
	}
}

// restsOnProposal is D1 and D4: before a prepare, the pre-prepare, its body and the view are durable.
func (m *Monitor) restsOnProposal(o *observed, v *wire.Prepare) {
	k := o.at(v.Seq)
	if k == nil {
		return
	}
	m.checked(d1)
	if !k.accepted.has(v.View, v.Digest, true) {
		m.fail(d1, o.id, "replica %d prepares (%d, %d) without a durable pre-prepare", o.id, v.View, v.Seq)
	}
	if v.Digest != wire.NullDigest && !k.bodies.any(v.Digest, true) {
		m.fail(d1, o.id, "replica %d prepares (%d, %d) without a durable body", o.id, v.View, v.Seq)
	}
	if v.View > 0 {
		m.checked(d4)
		if s := o.activated[v.View]; (s == nil || !s.durable) && !m.longAgo(o, v.View) {
			m.fail(d4, o.id, "replica %d prepares in view %d without a durable new view", o.id, v.View)
		}
	}
}

// longAgo reports whether what was said about a view may have been forgotten.
func (m *Monitor) longAgo(o *observed, v wire.View) bool { return v+keptViews < o.durable.left }
