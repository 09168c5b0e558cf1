package check

import (
	"tagma/pbft/wire"
)

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
	at, d := placeOf(msg)
	switch v := msg.(type) {
	case *wire.ViewChange:
		m.leavesView(o, at, o.viewChanges[v.View])
	case *wire.NewView: // one of an earlier life it may have heard from others, and passes it on
		if past := o.pastViews[v.View]; len(past) == 0 || !past.any(fingerprint(m.cfg, v), false) {
			m.leavesView(o, at, o.newViews[v.View])
		}
	default:
		if k := o.at(at.seq); at.kind != 0 && k != nil {
			m.leaves(o, k, at, d)
		}
	}
}

func (m *Monitor) leavesView(o *observed, at place, s *statement) {
	m.checked(d0)
	if s == nil || !s.durable {
		m.fail(d0, o.id, "a %v of replica %d for view %d leaves before it is durable", at.kind, o.id, at.view)
	}
}

// leaves is D0 for a vote, the very statement is in the journal, and D1 to D5 for what it rests on.
func (m *Monitor) leaves(o *observed, k *memo, at place, d wire.Digest) {
	if at.kind == wire.TypePrePrepare && k.of(at.kind).ofThePast(at.view, d) {
		return // as a new view
	}
	rests := func(r rule, holds bool, what string) {
		m.checked(r)
		if !holds {
			m.fail(r, o.id, "a %v of replica %d for (%d, %d) leaves %s", at.kind, o.id, at.view, at.seq, what)
		}
	}
	rests(d0, k.of(at.kind).has(at.view, d, true), "before it is durable")
	switch at.kind {
	case wire.TypePrepare:
		rests(d1, k.accepted.has(at.view, d, true), "without a durable pre-prepare")
		rests(d1, d == wire.NullDigest || k.bodies.any(d, true), "without a durable body")
		if at.view > 0 {
			s := o.activated[at.view]
			long := at.view+keptViews < o.durable.left // what was said about the view may have been forgotten
			rests(d4, s != nil && s.durable || long, "without a durable new view")
		}
	case wire.TypeCommit:
		rests(d2, k.prepared.has(at.view, d, true), "without a durable prepared certificate")
	case wire.TypeCheckpoint:
		rests(d5, k.root.has(0, d, true), "and announces a state that it does not have")
	default: // rests on nothing
	}
}
