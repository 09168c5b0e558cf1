package check

import (
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// Stepped handles one event that was passed to a correct replica's core, and the resulting effects. It must be called
// before any of them is performed.
func (m *Monitor) Stepped(id wire.ReplicaID, ev port.Event, effects []port.Effect) {
	o := m.of(id)
	if o == nil {
		return
	}
	switch ev := ev.(type) {
	case port.Received:
		m.received(o, ev, effects)
	case port.Snapshotted:
		m.root(o, ev.Seq, ev.Digest)
	default: // a clock, or the end of an execution
	}
	for i, effect := range effects {
		switch e := effect.(type) {
		case port.Persist:
			m.wrote(o, e.Record, false)
		case port.Note:
			m.wrote(o, e.Record, false)
		case port.Broadcast:
			m.asked(o, e.Msg)
		case port.Execute:
			m.executes(o, e, effects[i+1:])
		case port.Accuse:
			m.accuses(o, e.Evidence)
		case port.Entered:
			m.enters(o, e.View)
		case port.Transfer:
			o.fetching = true
		case port.Resume:
			m.resumes(o, e.Seq)
		case port.Offer:
			m.offers(o, &e.Cert)
		case port.Forgot:
			o.mute = true
		case port.Diverged:
			m.fail(i5, o.id, "the state of replica %d after %d is %v, and the stable one %v", o.id,
				e.Cert.Seq, e.Own, e.Cert.Digest)
		default: // other effects need not be checked
		}
	}
}

// Durable handles a record that became durable on a correct replica's disk. That includes broadcast votes, as Sent
// records, and the records of an anchor. A record that was lost must not be reported.
func (m *Monitor) Durable(id wire.ReplicaID, rec wire.Record) {
	if o := m.of(id); o != nil {
		m.writes(o, rec)
		m.wrote(o, rec, true)
	}
}

// Restarted handles a start of a correct replica from its disk, at the state after a sequence number. The first start,
// at the initial state, need not be reported.
func (m *Monitor) Restarted(id wire.ReplicaID, at wire.Seq) {
	if o := m.of(id); o != nil {
		o.restart(at, m.cfg.LogWindow)
	}
}

// wrote handles a record that the core wants to write, or that has become durable.
func (m *Monitor) wrote(o *observed, rec wire.Record, durable bool) {
	switch r := rec.(type) {
	case *wire.Accepted:
		m.accepts(o, r.PrePrepare, durable)
	case *wire.Fetched:
		o.noteBody(r.Seq, r.Body, durable)
	case *wire.Prepared:
		c := &r.Cert
		if o.holds(kindPrepared, c.View, c.Seq, c.Digest, durable) {
			m.recountPrepared(o.id, c)
		}
	case *wire.Certified:
		o.noteBody(r.Cert.Seq, r.Body, durable)
		m.decides(o, &r.Cert, durable)
	case *wire.Committed:
		m.decides(o, &r.Cert, durable)
	case *wire.Stable:
		m.stabilises(o, &r.Cert, durable)
	case *wire.Activated:
		m.activates(o, r.NewView, durable)
	case *wire.Sent:
		if durable {
			m.keeps(o, r.Msg)
		}
	case *wire.Installed:
		m.installs(o, &r.Cert, durable)
	case *wire.Recovering:
		if durable {
			m.recovers(o, r)
		}
	case *wire.Early:
		o.early = o.early || durable
	case *wire.Clean:
		o.early = o.early && !durable
	case *wire.Head, *wire.Void, *wire.Witness: // these repeat what other records of the anchor say, or what other replicas said
	}
}

// accepts handles a pre-prepare that the replica accepts. It must be above the low watermark (I6); Standing checks the
// high watermark.
func (m *Monitor) accepts(o *observed, p *wire.PrePrepare, durable bool) {
	o.noteBody(p.Seq, p.Body, durable)
	o.holds(kindAccepted, p.View, p.Seq, p.Digest, durable)
	if durable {
		return
	}
	if m.breaks(i6, p.Seq <= o.stable) {
		m.fail(i6, o.id, "replica %d accepts a pre-prepare for %d, and its low watermark is %d", o.id, p.Seq, o.stable)
	}
	o.highest = max(o.highest, p.Seq)
}

func (m *Monitor) decides(o *observed, cert *wire.CommitCert, durable bool) {
	if o.holds(kindDecided, cert.View, cert.Seq, cert.Digest, durable) {
		m.recountCommitted(o.id, cert)
		m.commits(o, cert)
	}
}

func (m *Monitor) stabilises(o *observed, cert *wire.StableCert, durable bool) {
	if cert.Seq > 0 {
		m.root(o, cert.Seq, cert.Digest)
	}
	if cert.Seq > o.now.certified {
		m.recountStable(o.id, cert)
		o.now.certified = cert.Seq
	}
	if durable && cert.Seq > o.durable.certified {
		o.durable.certified = cert.Seq
		m.forget(o)
	}
}

// activates handles a NewView that became active at a replica.
func (m *Monitor) activates(o *observed, v *wire.NewView, durable bool) {
	d := fingerprint(v)
	if o.holds(kindActivated, v.View, 0, d, durable) {
		m.newView(o.id, v, d)
	}
	first := highestStable(v)
	for i := range v.Proposals {
		o.holds(kindAccepted, v.View, first.Seq+1+wire.Seq(i), v.Proposals[i].Digest, durable)
	}
	o.now.left = max(o.now.left, v.View)
	if durable {
		o.durable.left = max(o.durable.left, v.View)
		o.durable.entered = max(o.durable.entered, v.View)
	}
	if first.Seq > 0 {
		m.stabilises(o, first, durable)
	}
}

// enters checks I7 for a view that becomes active.
func (m *Monitor) enters(o *observed, v wire.View) {
	if m.breaks(i7, v <= o.now.entered || v < o.now.left) {
		m.fail(i7, o.id, "replica %d enters view %d after view %d, having asked for view %d", o.id, v, o.now.entered, o.now.left)
	}
	if o.of(place{kind: kindActivated, view: v}) == nil {
		m.fail(i7, o.id, "replica %d enters view %d without a new view", o.id, v)
	}
	o.now.entered = max(o.now.entered, v)
}
