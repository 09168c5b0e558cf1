package check

import (
	"tagma/pbft/wire"
)

// change is the part of a NewView that the Monitor needs to check that O contains the committed batches.
type change struct {
	view    wire.View
	first   wire.Seq      // the first sequence number of O
	digests []wire.Digest // of the batches in O, from first on
	id      wire.Digest
}

// newView checks a new view that a correct replica entered: V is a quorum (I11), O follows from V (V3), and nothing
// that committed before is lost (I17).
func (m *Monitor) newView(by wire.ReplicaID, v *wire.NewView, id wire.Digest) {
	for _, c := range m.changes {
		if c.id == id {
			return
		}
	}
	m.views[v.View] = true
	m.checked(i11)
	var voters crowd
	for i := range v.ViewChanges {
		vc := &v.ViewChanges[i]
		switch {
		case int(vc.Replica) >= m.n || vc.View != v.View:
			m.fail(i11, by, "the new view %d rests on a view change of replica %d to %d", v.View, vc.Replica, vc.View)
		case !voters.add(vc.Replica):
			m.fail(i11, by, "the new view %d counts replica %d twice", v.View, vc.Replica)
		}
		m.recountViewChange(by, vc)
	}
	if len(v.ViewChanges) < m.q {
		m.fail(i11, by, "the new view %d rests on %d view changes, and %d are a quorum", v.View, len(v.ViewChanges), m.q)
	}
	c := &change{view: v.View, first: highestStable(v).Seq + 1, id: id}
	for i := range v.Proposals {
		c.digests = append(c.digests, v.Proposals[i].Digest)
	}
	m.follows(by, v, c)
	for seq, end := m.order.floor+1, m.order.top+2*m.cfg.LogWindow; seq <= end; seq++ {
		if s := m.order.slots[seq]; s != nil {
			m.stays(by, c, seq, s)
		}
	}
	if m.changes = append(m.changes, c); len(m.changes) > keptViews {
		m.changes = m.changes[1:]
	}
}

// follows checks V3: each entry of O has the digest that prepared in the highest view shown in V, or is null.
func (m *Monitor) follows(by wire.ReplicaID, v *wire.NewView, c *change) {
	m.checked(i17)
	type prepared struct {
		view   wire.View
		digest wire.Digest
	}
	best, last := make(map[wire.Seq]prepared), c.first-1
	for i := range v.ViewChanges {
		for _, p := range v.ViewChanges[i].Prepared {
			if p.Seq < c.first {
				continue
			}
			if b, there := best[p.Seq]; !there || p.View > b.view {
				best[p.Seq] = prepared{p.View, p.Digest}
			}
			last = max(last, p.Seq)
		}
	}
	if want := int(last + 1 - c.first); want != len(c.digests) {
		m.fail(i17, by, "the new view %d proposes %d batches, and its view changes ask for %d", v.View, len(c.digests), want)
		return
	}
	for i, d := range c.digests {
		want := wire.NullDigest
		if b, there := best[c.first+wire.Seq(i)]; there {
			want = b.digest
		}
		if d != want {
			m.fail(i17, by, "the new view %d proposes %v at %d, and its view changes ask for %v", v.View, d, c.first+wire.Seq(i), want)
		}
	}
}

// stays checks I17: a batch that committed in a lower view is in O, or O begins above its sequence number.
func (m *Monitor) stays(by wire.ReplicaID, c *change, seq wire.Seq, s *agreed) {
	if s.view >= c.view || seq < c.first || !s.proven {
		return
	}
	if i := int(seq - c.first); m.breaks(i17, i >= len(c.digests) || c.digests[i] != s.committed.digest) {
		m.fail(i17, by, "the new view %d drops %v, which committed at (%d, %d)", c.view, s.committed.digest, s.view, seq)
	}
}

// highestStable is the stable checkpoint above which O begins.
func highestStable(v *wire.NewView) *wire.StableCert {
	best := &wire.StableCert{}
	for i := range v.ViewChanges {
		if s := &v.ViewChanges[i].Stable; s.Seq > best.Seq {
			best = s
		}
	}
	return best
}

// accuses checks E1 for evidence that a replica reports: every other replica accepts it, and it is never against a
// correct replica.
func (m *Monitor) accuses(o *observed, e wire.Evidence) {
	if err := e.Verify(m.cfg, m.holds); m.breaks(e1, err != nil) {
		m.fail(e1, o.id, "replica %d shows what proves nothing: %v", o.id, err)
	}
	if int(e.Replica) < m.n && m.correct(e.Replica) {
		m.fail(e1, o.id, "replica %d accuses the correct replica %d of %s", o.id, e.Replica, e.Kind)
	}
}
