package check

import (
	"fmt"

	"tagma/pbft/wire"
)

// spoken is the highest sequence number and view that a replica has signed in all its lives. A recovery must be above
// them (D8.6). A recovery may be lower than an earlier one if the replica signed nothing in between, because other
// replicas may have answered.
type spoken struct {
	seq   wire.Seq  // the highest sequence number in a statement
	view  wire.View // the lowest view that a recovery may name: above all votes' views, not below a view change's
	lives map[wire.Life]silence
}

// silence says which votes a recovery forbids (D8.7).
type silence struct {
	until wire.Seq  // no vote before a checkpoint at this number is stable
	since wire.View // no vote for a view below this one, ever
}

// says notes a statement.
func (s *spoken) says(at place) {
	s.seq = max(s.seq, at.seq)
	switch at.kind {
	case wire.TypeCheckpoint:
	case wire.TypeViewChange:
		s.view = max(s.view, at.view)
	default:
		s.view = max(s.view, at.view+1)
	}
}

// breaks returns in which way a vote in a view, or a view change to it, violates the silence of a replica whose stable
// checkpoint is h; "" if it does not.
func (q *silence) breaks(view wire.View, h wire.Seq) string {
	switch {
	case h < q.until:
		return fmt.Sprintf("at the stable checkpoint %d, and is to be silent up to %d", h, q.until)
	case view < q.since:
		return fmt.Sprintf("and may vote again since view %d", q.since)
	default:
		return ""
	}
}

// Forgot says that a correct replica may have forgotten what it signed, because its disk is gone, old, rotten or of
// another life. What it had made durable does not count any more, but it must never contradict what it signed (I2). It
// must write and sign nothing before the record of its recovery is durable, and must keep its silence afterwards (I19).
// The caller reports its start by Restarted, the content of its new journal by Durable, and the state in its store by
// Root. Calling Forgot again before that changes nothing.
func (m *Monitor) Forgot(id wire.ReplicaID) {
	if o := m.of(id); o != nil {
		o.lose()
		o.amnesiac, o.lost = true, max(m.order.top, o.spoken.seq)+m.cfg.LogWindow
	}
}

// Remembers reverses a Forgot: the replica starts with a journal of its former life. Either a missing disk is there
// again (D8.12), or the replica does not know that the disk is an old copy. The caller reports the start by Restarted
// and Durable.
func (m *Monitor) Remembers(id wire.ReplicaID) {
	if o := m.of(id); o != nil {
		o.amnesiac = false
	}
}

// recovers checks I19 for the first record of a life: its recovery must be above everything that the replica has signed
// before. A journal repeats this record in every anchor.
func (m *Monitor) recovers(o *observed, r *wire.Recovering) {
	m.checked(i19)
	said, now := &o.spoken, silence{until: r.Until, since: r.View}
	before, again := said.lives[r.Life]
	if again && o.amnesiac {
		m.fail(i19, o.id, "replica %d goes on with the life %v, whose journal it lost", o.id, r.Life)
	}
	switch {
	case again && before != now:
		m.fail(i19, o.id, "replica %d recovers up to %d and since view %d, and said up to %d and since view %d",
			o.id, now.until, now.since, before.until, before.since)
	case again:
	case now.until < said.seq:
		m.fail(i19, o.id, "replica %d recovers up to %d only, and signed a statement about %d", o.id, now.until, said.seq)
	case now.since < said.view:
		m.fail(i19, o.id, "replica %d recovers since view %d, and what it signed allows view %d at the earliest",
			o.id, now.since, said.view)
	}
	if said.lives == nil {
		said.lives = make(map[wire.Life]silence)
	}
	said.lives[r.Life] = now
	o.silence, o.amnesiac = &now, false
}

// beforeRecovery is the reason why a replica that has forgotten must not sign or write anything yet.
const beforeRecovery = "before it knows from where on it contradicts nothing it forgot"

// writes checks I19 for a record that became durable: a replica that has forgotten must write nothing before its
// recovery (D8.3).
func (m *Monitor) writes(o *observed, rec wire.Record) {
	if !o.amnesiac {
		return
	}
	switch rec.(type) {
	case *wire.Head, *wire.Recovering:
	default:
		m.checked(i19)
		m.fail(i19, o.id, "replica %d writes a %T %s", o.id, rec, beforeRecovery)
	}
}

// speaks checks I19 for a message that a core wants to have signed.
func (m *Monitor) speaks(o *observed, at place) {
	unsaid := o.now.certified < o.unsaid
	if !o.amnesiac && !o.mute && o.silence == nil && !unsaid || !at.forbidden() {
		return
	}
	why := ""
	switch {
	case o.amnesiac:
		why = beforeRecovery
	case o.mute:
		why = "after it was shown that it has forgotten one"
	case unsaid: // D8.14
		why = fmt.Sprintf("at the stable checkpoint %d, and what it voted for up to %d is in no journal", o.now.certified, o.unsaid)
	case o.silence != nil:
		why = o.silence.breaks(at.view, o.now.certified)
	}
	if m.breaks(i19, why != "") {
		m.fail(i19, o.id, "replica %d signs a %v %s", o.id, at, why)
	}
}

// halted reports whether so many replicas are silent because of unclean stops that no quorum is left (D8.14).
func (m *Monitor) halted() bool {
	lost := 0
	for _, o := range m.replicas {
		if o.now.certified < o.unclean {
			lost++
		}
	}
	return lost > m.f
}
