package across

import (
	"slices"

	"tagma/statemachine/attest"
	"tagma/statemachine/commit"
)

// lie drives a transaction as its shape says.
func (d *driver) lie(m *Made, done func()) {
	t := m.T
	switch m.Shape {
	case Squats:
		d.each(t, func(part int, then func(bool)) {
			d.send(d.group(t.Parts[part].Group), commit.Prepare(t), func([]byte) { then(true) })
		}, func() { done() })
	case Early:
		d.decide(t, nil, func() { d.carry(t, false, done) })
	case Forges:
		d.prepared(t, func() { d.decide(t, d.forged(t), func() { d.finishAll(t, d.forged(t), done) }) })
	case Splits:
		d.split(t, done)
	case Replays:
		d.carry(t, false, func() { d.replay(4, done) })
	case Races:
		d.prepared(t, func() {
			d.decide(t, nil, func() {})
			d.carry(t, false, done)
		})
	default:
		d.carry(t, false, done)
	}
}

// each does something for each part but the coordinator's, one after the other, as long as more is true.
func (d *driver) each(t *commit.Transaction, do func(part int, then func(more bool)), done func()) {
	var next func(part int)
	next = func(part int) {
		switch {
		case part == len(t.Parts):
			done()
		case t.Parts[part].Group == t.Coordinator:
			next(part + 1)
		default:
			do(part, func(more bool) {
				if more {
					next(part + 1)
				} else {
					done()
				}
			})
		}
	}
	next(0)
}

func (d *driver) prepared(t *commit.Transaction, done func()) {
	d.each(t, func(part int, then func(bool)) {
		d.send(d.group(t.Parts[part].Group), commit.Prepare(t), func([]byte) { then(true) })
	}, done)
}

func (d *driver) decide(t *commit.Transaction, receipts []*attest.Certificate, done func()) {
	d.send(d.group(t.Coordinator), commit.Decide(t, receipts), func([]byte) { done() })
}

// forged are receipts that prove nothing: of liars alone, of one of them several times, of another transaction, fact or
// epoch.
func (d *driver) forged(t *commit.Transaction) (all []*attest.Certificate) {
	facts := []commit.State{commit.StatePrepared, commit.StateRefused, commit.StateCommitted, commit.StateAborted}
	for i := range t.Parts {
		all = append(all, d.forge(d.group(t.Parts[i].Group), t.ID(), facts[d.random.IntN(len(facts))]))
	}
	slices.SortFunc(all, func(a, b *attest.Certificate) int { return slices.Compare(a.Cluster[:], b.Cluster[:]) })
	return all
}

// forge is a certificate by the liars of a group, made up to look like more than it is.
func (d *driver) forge(group int, tid commit.TID, fact commit.State) *attest.Certificate {
	g := &d.groups[group]
	c := &attest.Certificate{Cluster: g.ID, Epoch: g.Epoch, Statement: commit.Statement(g.Machine, tid, fact)}
	if g.Forge != nil {
		c.Signatures = g.Forge(c.Statement)
	}
	have := func(r int) bool {
		return slices.ContainsFunc(c.Signatures, func(s attest.Signature) bool { return s.Replica == r })
	}
	switch other := d.old[group]; d.random.IntN(5) {
	case 0: // with a correct replica's signature under something else
		if other != nil {
			for _, s := range other.Signatures {
				if !have(s.Replica) {
					c.Signatures = append(c.Signatures, s)
				}
			}
		}
	case 1: // one signature under the names of all
		for r := range g.Keys {
			if len(c.Signatures) > 0 && !have(r) {
				c.Signatures = append(c.Signatures, attest.Signature{Replica: r, Sig: c.Signatures[0].Sig})
			}
		}
	case 2:
		c.Epoch++
	case 3: // a good one of another transaction
		if other != nil {
			return other
		}
	default: // f signatures
	}
	slices.SortFunc(c.Signatures, func(a, b attest.Signature) int { return a.Replica - b.Replica })
	return c
}

// finishAll shows receipts to all participants, whatever they prove.
func (d *driver) finishAll(t *commit.Transaction, receipts []*attest.Certificate, done func()) {
	d.each(t, func(part int, then func(bool)) {
		shown := receipts[d.random.IntN(len(receipts))]
		d.send(d.group(t.Parts[part].Group), commit.Finish(t.ID(), shown), func([]byte) { then(true) })
	}, done)
}

// receipt collects what a group vouches for; nil if it vouches for nothing.
func (d *driver) receipt(group int, tid commit.TID, done func(*attest.Certificate)) {
	d.p.Attest(group, commit.ReadRecord(tid), func(c *attest.Certificate) {
		if c != nil {
			d.old[group] = c
		}
		done(c)
	})
}

// split drives a transaction to its decision, and shows that to the first participant alone. The others are shown a forged
// one of the opposite.
func (d *driver) split(t *commit.Transaction, done func()) {
	var receipts []*attest.Certificate
	finish := func(decision *attest.Certificate) {
		shown := decision
		d.each(t, func(part int, then func(bool)) {
			d.send(d.group(t.Parts[part].Group), commit.Finish(t.ID(), shown), func([]byte) { then(true) })
			at := d.group(t.Coordinator)
			shown = d.forge(at, t.ID(), opposite(&d.groups[at], decision))
		}, done)
	}
	d.each(t, func(part int, then func(bool)) {
		g := d.group(t.Parts[part].Group)
		d.send(g, commit.Prepare(t), func([]byte) {
			d.receipt(g, t.ID(), func(c *attest.Certificate) {
				if c != nil {
					receipts = append(receipts, c)
				}
				then(c != nil)
			})
		})
	}, func() {
		d.decide(t, receipts, func() {
			d.receipt(d.group(t.Coordinator), t.ID(), func(c *attest.Certificate) {
				if c == nil { // there is no decision yet
					done()
					return
				}
				finish(c)
			})
		})
	})
}

// opposite is the decision that a receipt does not prove.
func opposite(g *Group, c *attest.Certificate) commit.State {
	if _, fact, _ := commit.FactOf(&g.Group, c); fact == commit.StateCommitted {
		return commit.StateAborted
	}
	return commit.StateCommitted
}

// replay sends operations again that drivers sent before, to any group.
func (d *driver) replay(n int, done func()) {
	if n == 0 || len(d.seen) == 0 {
		done()
		return
	}
	op := d.seen[d.random.IntN(len(d.seen))]
	d.p.Do(d.random.IntN(len(d.groups)), op, func([]byte) { d.replay(n-1, done) })
}
