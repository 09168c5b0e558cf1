package check

import (
	"tagma/pbft/wire"
)

// Forgot takes that a correct replica may have forgotten what it signed: its disk is gone, old, rotten or of another
// life. What it had durable is void, and what it said binds it for ever (I2). It writes and signs nothing before the
// record of its recovery is durable, and then keeps its silence (I19). It starts again with Restarted, and what its new
// journal holds is told by Durable, the state in its store by Root. Telling it again before that changes nothing.
func (m *Monitor) Forgot(id wire.ReplicaID) {
	if o := m.of(id); o != nil {
		o.lose()
		o.amnesiac, o.lost = true, max(m.order.top, o.spoken.seq)+m.cfg.LogWindow
	}
}

// Remembers takes back that a replica knows of its loss: it starts from a journal of the life that it was in, either
// because a disk came back that was only missing (D8.12), or because it does not know that the copy is an old one.
// Restarted and Durable follow.
func (m *Monitor) Remembers(id wire.ReplicaID) {
	if o := m.of(id); o != nil {
		o.amnesiac = false
	}
}

// lose voids what was durable and turns what was said into what an earlier life said.
func (o *observed) lose() {
	o.restart(0) // what was not durable was never said
	for _, k := range o.memos {
		for i := range k.said {
			for j := range k.said[i] {
				s := &k.said[i][j]
				s.durable, s.past = false, true
			}
		}
		for _, s := range []*statements{&k.accepted, &k.prepared, &k.decided, &k.bodies, &k.root} {
			*s = (*s)[:0]
		}
	}
	bury(o.viewChanges, &o.pastChanges)
	bury(o.newViews, &o.pastViews)
	clear(o.activated)
	o.now, o.durable = standing{}, standing{}
	o.stable, o.silence = 0, nil
}

// bury moves what was said about views to what an earlier life said.
func bury(views map[wire.View]*statement, past *map[wire.View]statements) {
	if *past == nil {
		*past = make(map[wire.View]statements)
	}
	for v, s := range views {
		if list := (*past)[v]; !list.any(s.digest, false) {
			(*past)[v] = append(list, *s)
		}
	}
	clear(views)
}

// recovers is I19 for the record that a life begins with: nobody can hold a statement of an earlier one above it.
func (m *Monitor) recovers(o *observed, r *wire.Recovering) {
	m.checked(i19)
	if _, again := o.spoken.lives[r.Life]; again && o.amnesiac {
		m.fail(i19, o.id, "replica %d goes on with the life %v, whose journal it lost", o.id, r.Life)
	}
	q, why := o.spoken.recovers(r)
	if why != "" {
		m.fail(i19, o.id, "replica %d recovers %s", o.id, why)
	}
	o.silence, o.amnesiac = &q, false
}

// writes is I19 for a record that became durable: a replica that has forgotten writes nothing before its recovery
// (D8.3).
func (m *Monitor) writes(o *observed, rec wire.Record) {
	if !o.amnesiac {
		return
	}
	switch rec.(type) {
	case *wire.Head, *wire.Recovering:
	default:
		m.checked(i19)
		m.fail(i19, o.id, "replica %d writes a %T before it knows from where on it contradicts nothing it forgot", o.id, rec)
	}
}

// speaks is I19 for what a core wants signed.
func (m *Monitor) speaks(o *observed, msg wire.Message) {
	if !o.amnesiac && !o.mute && o.silence == nil {
		return
	}
	at, _ := placeOf(msg)
	if !at.forbidden() {
		return
	}
	m.checked(i19)
	why := ""
	switch {
	case o.amnesiac:
		why = "before it knows from where on it contradicts nothing it forgot"
	case o.mute:
		why = "after it was shown that it has forgotten one"
	default:
		why = o.silence.breaks(at.view, o.now.certified)
	}
	if why != "" {
		m.fail(i19, o.id, "replica %d signs a %v for view %d %s", o.id, at.kind, at.view, why)
	}
}
