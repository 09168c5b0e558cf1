package pbft

import (
	"slices"
	"testing"
	"time"

	"tagma/pbft/amnesia"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// askNonce is the nonce of every start of a lab's replica.
const askNonce = 77

// boot starts the lab's replica from a journal and a state. The replica asks the others what it may have forgotten.
func (l *lab) boot(at Applied, first bool, log ...wire.Record) []port.Effect {
	l.t.Helper()
	r, err := Boot(&l.cfg, log, at, Start{Life: wire.Life{1}, Nonce: askNonce, First: first})
	if err != nil {
		l.t.Fatal(err)
	}
	l.r, l.log = r, slices.Clone(log)
	return l.wait(10 * time.Millisecond)
}

// answer returns the answer of another replica that remembers everything and holds these messages of the lab's replica.
func (l *lab) answer(said ...wire.Message) *wire.HeldBy {
	m := &wire.HeldBy{Nonce: askNonce, Of: l.cfg.Self, Whole: true}
	for _, s := range said {
		l.signBy(s, l.cfg.Self)
		statement, ok := wire.SaidIn(s)
		if !ok {
			l.t.Fatalf("a %s is no statement", wire.TypeOf(s))
		}
		m.Said = append(m.Said, statement)
	}
	return m
}

// answeredBy makes these replicas answer that they hold no message of the lab's replica.
func (l *lab) answeredBy(ids ...wire.ReplicaID) []port.Effect {
	l.t.Helper()
	var all []port.Effect
	for _, id := range ids {
		all = append(all, l.from(id, l.answer())...)
	}
	return all
}

// newRecoveringLab returns a replica that had forgotten what it signed. It may not vote until a certain checkpoint is
// stable, and never below a certain view.
func newRecoveringLab(t *testing.T, self wire.ReplicaID, until wire.Seq, since wire.View) *lab {
	l := newLab(t, 4, self)
	rec := amnesia.Recovery{Until: until, View: since}
	if since > 1 {
		rec.Suspects = l.viewChange(since-1, 0, wire.StableCert{}).Suspects
	}
	r, err := Boot(&l.cfg, rec.Records(&l.cfg, wire.Life{9}), Applied{}, Start{Life: wire.Life{9}})
	if err != nil {
		t.Fatal(err)
	}
	l.r, l.log = r, rec.Records(&l.cfg, wire.Life{9})
	l.wait(10 * time.Millisecond)
	return l
}

// votes lists the messages among the effects that D8.7 forbids.
func votes(effects []port.Effect) []wire.Message {
	var found []wire.Message
	for _, e := range all[port.Broadcast](effects) {
		switch e.Msg.(type) {
		case *wire.PrePrepare, *wire.Prepare, *wire.Commit, *wire.ViewChange, *wire.NewView:
			found = append(found, e.Msg)
		}
	}
	return found
}

// stable shows the replica a certificate of a stable checkpoint.
func (l *lab) stable(s wire.Seq) []port.Effect {
	return l.from(1, &wire.StableNotice{Cert: l.stableCert(s)})
}

// beat lets a time pass in steps of a sixteenth of a timeout, with a heartbeat of the primary in each.
func (l *lab) beat(d time.Duration) []port.Effect {
	var all []port.Effect
	for step := l.cfg.ViewTimeout / 16; d > 0; d -= step {
		m := &wire.Heartbeat{View: l.r.view}
		if by := l.cfg.Primary(m.View); by != l.cfg.Self {
			l.signBy(m, by)
			l.from(by, m)
		}
		all = append(all, l.wait(step)...)
	}
	return all
}

// heldIn finds a statement of a type in an answer.
func heldIn(m *wire.HeldBy, t wire.Type) (wire.Statement, bool) {
	i := slices.IndexFunc(m.Said, func(s wire.Statement) bool { return s.Type == t })
	if i < 0 {
		return wire.Statement{}, false
	}
	return m.Said[i], true
}
