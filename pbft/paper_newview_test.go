package pbft

import (
	"slices"
	"testing"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// §4.4: the primary of the new view sends the NewView with Q valid view changes, including its own, as soon as it has
// them.
func TestPaper44_ThePrimarySendsTheNewViewAtQ(t *testing.T) {
	l := newLab(t, 4, 1)
	effects := l.from(2, l.viewChange(1, 2, wire.StableCert{})) // and the own one
	wantCount(t, broadcasts[*wire.NewView](effects), 0, "new views with two")
	nv := broadcasts[*wire.NewView](l.from(3, l.viewChange(1, 3, wire.StableCert{})))
	wantCount(t, nv, 1, "new views")
	if _, err := wire.Verify(&l.cfg, nv[0], wireHolds); err != nil {
		t.Fatal(err)
	}
	wantCount(t, broadcasts[*wire.NewView](l.from(0, l.viewChange(1, 0, wire.StableCert{}))), 0, "second new views")
}

// §4.4, V3: the computation of O: min-s is the highest stable checkpoint in V, max-s the highest prepared number. Each
// number between them gets the digest of the highest view, or null if there is none.
func TestPaper44_V3_TheComputationOfO(t *testing.T) {
	l := newLab(t, 4, 0)
	a, b, c := l.batch(1, "a"), l.batch(2, "b"), l.batch(3, "c")
	v := []wire.ViewChange{
		*l.viewChange(9, 0, l.stableCert(4), l.preparedCert(3, 5, a), l.preparedCert(1, 7, b)),
		*l.viewChange(9, 1, wire.StableCert{}, l.preparedCert(8, 4, c), l.preparedCert(7, 5, b), l.preparedCert(2, 7, c)),
		*l.viewChange(9, 2, wire.StableCert{}),
	}
	want := []wire.Digest{b.Digest(), wire.NullDigest, c.Digest()} // for 5, 6 and 7, because the checkpoint at 4 is stable
	got := wire.Choose(v)
	if len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Fatalf("O = %v, want %v", got, want)
	}
}

// §4.4: if nothing prepared above min-s, O is empty.
func TestPaper44_V3_OMayBeEmpty(t *testing.T) {
	l := newLab(t, 4, 0)
	v := []wire.ViewChange{
		*l.viewChange(9, 0, l.stableCert(4)),
		*l.viewChange(9, 1, wire.StableCert{}, l.preparedCert(1, 4, wire.NullBody)),
	}
	wantCount(t, wire.Choose(v), 0, "proposals")
}

// §4.4, V4: a backup computes O again, and refuses a NewView with another O. It then acts as if the view's timer had
// ended (V7).
func TestPaper44_V4_AWrongOIsRefused(t *testing.T) {
	for name, change := range map[string]func(m *wire.NewView){
		"null instead of a batch": func(m *wire.NewView) { m.Proposals[0].Digest = wire.NullDigest },
		"a batch instead of null": func(m *wire.NewView) { m.Proposals[1].Digest = m.Proposals[0].Digest },
		"an order changed": func(m *wire.NewView) {
			m.Proposals[0], m.Proposals[2] = m.Proposals[2], m.Proposals[0]
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, 4, 3)
			l.suspected(1)
			var vcs []*wire.ViewChange
			for id := range wire.ReplicaID(3) {
				vcs = append(vcs, l.viewChange(1, id, wire.StableCert{},
					l.preparedCert(0, 1, l.batch(1, "a")), l.preparedCert(0, 3, l.batch(2, "b"))))
			}
			m := l.newViewFrom(1, vcs...)
			change(m)
			l.signBy(m, 1)
			effects := l.from(1, m)
			if d := all[port.Dropped](effects); len(d) != 1 || d[0].Why != port.ReasonWrongNewView {
				t.Fatalf("drops %v", d)
			}
			wantCount(t, broadcasts[*wire.Suspect](effects), 1, "suspects")
			wantCount(t, all[port.Entered](effects), 0, "views entered")
		})
	}
}

// §4.4: the other reasons for which a NewView is invalid. See also V2.
func TestPaper44_V4_WhatVoidsANewView(t *testing.T) {
	for name, change := range map[string]func(l *lab, m *wire.NewView){
		"fewer than Q":             func(_ *lab, m *wire.NewView) { m.ViewChanges = m.ViewChanges[:2] },
		"one replica twice":        func(_ *lab, m *wire.NewView) { m.ViewChanges[1] = m.ViewChanges[0] },
		"another view's":           func(l *lab, m *wire.NewView) { m.ViewChanges[2] = *l.viewChange(3, 2, wire.StableCert{}) },
		"an invalid one":           func(_ *lab, m *wire.NewView) { m.ViewChanges[0].Suspects = nil },
		"a proposal too many":      func(_ *lab, m *wire.NewView) { m.Proposals = append(m.Proposals, wire.Proposal{}) },
		"a signature of nobody's":  func(_ *lab, m *wire.NewView) { m.Sig[0] ^= 1 },
		"a proposal not signed":    func(_ *lab, m *wire.NewView) { m.Proposals[0].Sig[0] ^= 1 },
		"not the primary's at all": func(l *lab, m *wire.NewView) { l.signBy(m, 2) },
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, 4, 3)
			var vcs []*wire.ViewChange
			for id := range wire.ReplicaID(3) {
				vcs = append(vcs, l.viewChange(1, id, wire.StableCert{}, l.preparedCert(0, 1, wire.NullBody)))
			}
			m := l.newViewFrom(1, vcs...)
			change(l, m)
			if _, err := wire.Verify(&l.cfg, m, wireHolds); err == nil {
				t.Fatal("verified")
			}
		})
	}
}

// §4.4, V4: a replica that is below min-s takes over that checkpoint with the NewView.
func TestPaper44_V4_WhoIsBehindAdoptsMinS(t *testing.T) {
	l := newLab(t, 4, 3)
	vcs := []*wire.ViewChange{l.viewChange(1, 0, l.stableCert(8)), l.viewChange(1, 1, wire.StableCert{}), l.viewChange(1, 2, wire.StableCert{})}
	l.from(1, l.newViewFrom(1, vcs...))
	if l.r.log.Low != 8 || !l.r.active || l.r.handed != 0 {
		t.Fatalf("h = %d, executed %d", l.r.log.Low, l.r.handed)
	}
}

// §4.4: the replica votes for slots of O above its own h, and not for those at or below it.
func TestV6_OGoesThroughAllPhasesAboveTheOwnH(t *testing.T) {
	l := newLab(t, 4, 3)
	l.from(0, &wire.StableNotice{Cert: l.stableCert(4)})
	var vcs []*wire.ViewChange
	for id := range wire.ReplicaID(3) {
		vcs = append(vcs, l.viewChange(1, id, wire.StableCert{}, l.preparedCert(0, 3, wire.NullBody), l.preparedCert(0, 6, wire.NullBody)))
	}
	p := broadcasts[*wire.Prepare](l.from(1, l.newViewFrom(1, vcs...)))
	wantCount(t, p, 2, "prepares")
	if p[0].Seq != 5 || p[1].Seq != 6 || p[0].Digest != wire.NullDigest {
		t.Fatalf("prepares %+v, %+v", p[0], p[1])
	}
}

// §4.4, V6: a batch executed before the view change is not executed again.
func TestPaper44_V6_NothingIsExecutedTwice(t *testing.T) {
	l := newLab(t, 4, 3)
	b := l.batch(1, "a")
	l.commitAll(0, 1, b)
	var vcs []*wire.ViewChange
	for id := range wire.ReplicaID(3) {
		vcs = append(vcs, l.viewChange(1, id, wire.StableCert{}, l.preparedCert(0, 1, b)))
	}
	effects := l.from(1, l.newViewFrom(1, vcs...))
	for _, id := range []wire.ReplicaID{0, 2} {
		effects = append(effects, l.from(id, l.prepare(1, 1, b.Digest(), id))...)
	}
	for id := range wire.ReplicaID(3) {
		effects = append(effects, l.from(id, l.commit(1, 1, b.Digest(), id))...)
	}
	wantCount(t, broadcasts[*wire.Commit](effects), 1, "commits in the new view")
	wantCount(t, all[port.Execute](effects), 0, "executions")
}

// §4.4: a null is executed like any other batch and counts for checkpoints (N4).
func TestPaper44_N4_NullsExecuteAndCount(t *testing.T) {
	l := newLab(t, 4, 3)
	var snapshots []port.Snapshot
	for s := wire.Seq(1); s <= 4; s++ {
		snapshots = append(snapshots, all[port.Snapshot](l.commitAll(0, s, wire.NullBody))...)
	}
	if len(snapshots) != 1 || snapshots[0].Seq != 4 || l.r.handed != 4 {
		t.Fatalf("snapshots %v after %d nulls", snapshots, l.r.handed)
	}
}

// V4: the new primary continues above max-s, and orders the requests in its pool.
func TestV4_ThePrimaryContinuesAfterO(t *testing.T) {
	l := newLab(t, 4, 1)
	l.fromClient(l.request(1, "waiting"))
	l.from(2, l.viewChange(1, 2, wire.StableCert{}, l.preparedCert(0, 1, wire.NullBody)))
	pp := broadcasts[*wire.PrePrepare](l.from(3, l.viewChange(1, 3, wire.StableCert{})))
	wantCount(t, pp, 1, "pre-prepares")
	if pp[0].Seq != 2 || pp[0].View != 1 {
		t.Fatalf("proposes %d in view %d, want 2 in view 1", pp[0].Seq, pp[0].View)
	}
}

// V7: if a NewView fails its check, the backup acts as if the view's timer had ended, as it does for a wrong O. But it
// does so only if it holds Q view changes: no replica suspects a view for which the timer does not run (D8.11).
func TestV7_ANewViewThatFailsItsCheckCountsAsExpiry(t *testing.T) {
	l := newLab(t, 4, 3)
	l.step(port.BadNewView{View: 1})
	wantCount(t, broadcasts[*wire.Suspect](l.wait(10*time.Millisecond)), 0, "suspects of a view that nobody asked for")
	l.suspected(1)
	l.step(port.BadNewView{View: 2})
	wantCount(t, broadcasts[*wire.Suspect](l.wait(10*time.Millisecond)), 0, "suspects for a new view of another view")
	l.step(port.BadNewView{View: 1})
	wantCount(t, broadcasts[*wire.Suspect](l.wait(10*time.Millisecond)), 0, "suspects before Q view changes")
	l.from(0, l.viewChange(1, 0, wire.StableCert{}))
	l.from(2, l.viewChange(1, 2, wire.StableCert{}))
	s := broadcasts[*wire.Suspect](l.wait(10 * time.Millisecond))
	wantCount(t, s, 1, "suspects")
	if s[0].View != 1 {
		t.Errorf("it suspects view %d", s[0].View)
	}
}

// The same in a whole cluster: if a primary's NewView is invalid, replicas replace the primary before the new-view timer
// ends.
func TestV7_APrimaryWithANewViewThatDoesNotHoldIsReplacedAtOnce(t *testing.T) {
	c := begin(t, 7)
	liar := c.nodes[1]
	liar.faulty = true
	liar.lie = func(_ wire.ReplicaID, m wire.Message) []wire.Message {
		if v, is := m.(*wire.NewView); is {
			twice := *v
			twice.ViewChanges = slices.Clone(v.ViewChanges)
			twice.ViewChanges[1] = twice.ViewChanges[0]
			return []wire.Message{c.sign(1, &twice)}
		}
		return []wire.Message{m}
	}
	c.nodes[0].crash()
	c.until(4*c.nodes[2].cfg.ViewTimeout, "view 1 is left or entered", func() bool { return c.nodes[2].replica.view >= 1 })
	c.until(c.nodes[2].cfg.ViewTimeout/2, "view 2 is active", func() bool {
		return c.nodes[3].replica.view == 2 && c.nodes[3].replica.active
	})
}
