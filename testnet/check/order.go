package check

import (
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// order is what is known about what all correct replicas must agree on.
type order struct {
	slots map[wire.Seq]*agreed
	top   wire.Seq // highest sequence number that any replica executed
	floor wire.Seq // everything up to this sequence number was dropped
}

// agreed is what the replicas agree on at one sequence number. Where the replica by is zero, nothing is known yet.
type agreed struct {
	committed said      // I1: the digest that was executed or certified
	view      wire.View // the lowest view with a known commit certificate, if there is one
	proven    bool
	answered  said // I3: the digest of all replies
	state     said // I5: the digest of the state
	genuine   bool // its requests were checked (I16)
}

// said is a digest, and the replica that reported it first.
type said struct {
	digest wire.Digest
	by     wire.ReplicaID
	given  bool // some replica has reported a digest
}

// maxOrder bounds how many sequence numbers are remembered, even if a replica is far behind.
const maxOrder = 1 << 16

func newOrder() order { return order{slots: make(map[wire.Seq]*agreed)} }

// at returns what is agreed at a sequence number; nil if that was forgotten.
func (a *order) at(seq wire.Seq) *agreed {
	if s := a.slots[seq]; s != nil {
		return s
	}
	if seq <= a.floor {
		return nil
	}
	s := &agreed{}
	a.slots[seq] = s
	return s
}

// agree records the digest that was reported first, and reports later ones that differ from it.
func agree(known *said, now said) (first said, differs bool) {
	if !known.given {
		*known = now
		known.given = true
		return now, false
	}
	return *known, known.digest != now.digest
}

// commits handles a commit certificate that a replica holds (I1), and checks the NewViews of higher views against it
// (I17).
func (m *Monitor) commits(o *observed, cert *wire.CommitCert) {
	s := m.order.at(cert.Seq)
	if s == nil {
		return
	}
	m.decided(o, s, cert.Seq, cert.Digest)
	if !s.proven || cert.View < s.view {
		s.view, s.proven = cert.View, true
		for _, c := range m.changes {
			m.stays(o.id, c, cert.Seq, s)
		}
	}
}

func (m *Monitor) decided(o *observed, s *agreed, seq wire.Seq, d wire.Digest) {
	if first, differs := agree(&s.committed, said{digest: d, by: o.id}); m.breaks(i1, differs) {
		m.fail(i1, o.id, "replica %d committed %v at %d, replica %d committed %v", first.by, first.digest, seq, o.id, d)
	}
}

// executes takes a batch that the core hands to execution: it must be the next one (I8), have the same digest as
// everywhere (I1), have a commit certificate (I11), and every request must be its client's (I16).
func (m *Monitor) executes(o *observed, e port.Execute, later []port.Effect) {
	m.executesNothing(o, e.Seq)
	if m.breaks(i8, e.Seq != o.handed+1) {
		m.fail(i8, o.id, "replica %d executes %d after %d", o.id, e.Seq, o.handed)
	}
	o.handed = e.Seq
	s := m.order.at(e.Seq)
	if s == nil || o.forgot(place{seq: e.Seq}) {
		return
	}
	d := e.Body.Digest()
	if len(later) > 0 { // the certificate is recorded after the execution
		if n, ok := later[0].(port.Note); ok {
			m.wrote(o, n.Record, false)
		}
	}
	if m.breaks(i11, !o.any(kindDecided, e.Seq, d, false)) {
		m.fail(i11, o.id, "replica %d executes %v at %d without a commit certificate", o.id, d, e.Seq)
	}
	m.decided(o, s, e.Seq, d)
	m.marks(o, e.Seq, later)
	m.genuine(o.id, e.Seq, e.Body)
}

// marks checks N4: a checkpoint is taken after every K batches, nulls included, or the window would never move (I6).
func (m *Monitor) marks(o *observed, seq wire.Seq, later []port.Effect) {
	if seq%m.cfg.CheckpointInterval != 0 {
		return
	}
	m.checked(i6)
	for _, effect := range later {
		if s, ok := effect.(port.Snapshot); ok && s.Seq == seq {
			return
		}
	}
	m.fail(i6, o.id, "replica %d takes no checkpoint at %d", o.id, seq)
}

// Applied takes a batch that a correct replica's state machine executed, with its whole replies. After a start a
// replica executes again what lies above the state from which it starts.
func (m *Monitor) Applied(id wire.ReplicaID, seq wire.Seq, body *wire.Body, replies []*wire.Reply) {
	o := m.of(id)
	if o == nil {
		return
	}
	m.executesNothing(o, seq)
	if m.breaks(i8, seq != o.applied+1) {
		m.fail(i8, id, "the state machine of replica %d executes %d after %d", id, seq, o.applied)
	}
	o.applied = seq
	m.order.top = max(m.order.top, seq)
	s := m.order.at(seq)
	if s == nil || o.forgot(place{seq: seq}) {
		return
	}
	d := body.Digest()
	durable := !m.cfg.Optimistic // otherwise it is still being written to the disk
	if m.breaks(d0, !o.any(kindPrepared, seq, d, durable) && !o.any(kindDecided, seq, d, durable)) {
		m.fail(d0, id, "replica %d executes %v at %d, and no certificate for it is durable", id, d, seq)
	}
	if d != wire.NullDigest && !o.any(kindBody, seq, d, durable) {
		m.fail(d0, id, "replica %d executes %v at %d, whose body is not durable", id, d, seq)
	}
	m.decided(o, s, seq, d)
	m.answers(o, s, seq, body, replies)
}

// Root takes the digest of a state that is durable in a correct replica's store (I5, D5).
func (m *Monitor) Root(id wire.ReplicaID, seq wire.Seq, d wire.Digest) {
	o := m.of(id)
	if o == nil {
		return
	}
	o.holds(kindRoot, 0, seq, d, true)
	m.root(o, seq, d)
}

// root checks I5 for a state that a replica has, or that it considers stable.
func (m *Monitor) root(o *observed, seq wire.Seq, d wire.Digest) {
	s := m.order.at(seq)
	if s == nil || !o.holds(kindState, 0, seq, d, true) {
		return
	}
	if first, differs := agree(&s.state, said{digest: d, by: o.id}); m.breaks(i5, differs) {
		m.fail(i5, o.id, "after %d replica %d has the state %v, replica %d has %v", seq, first.by, first.digest, o.id, d)
	}
}

// forget drops what is so far below every correct replica's stable checkpoint that no start can need it.
func (m *Monitor) forget(o *observed) {
	keep := 6 * m.cfg.LogWindow
	o.forget(o.durable.certified - min(o.durable.certified, keep))
	lowest := m.order.top
	for _, other := range m.replicas {
		if m.correct(other.id) {
			lowest = min(lowest, other.durable.certified)
		}
	}
	floor := max(lowest-min(lowest, keep), m.order.top-min(m.order.top, maxOrder))
	for ; m.order.floor < floor; m.order.floor++ {
		delete(m.order.slots, m.order.floor+1)
	}
}
