package replica

import (
	"testing"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// depose disconnects the honest primary until the others have left its view, and for a while longer.
func (tr *trial) depose(primary int, first wire.RequestID) {
	tr.t.Helper()
	tr.cut[primary] = true
	other := (primary + 2) % len(tr.nodes)
	for range 40 {
		tr.pass(100 * time.Millisecond)
		if tr.nodes[other].replica.Inspect().View > 0 && tr.nodes[other].done[first] {
			break
		}
	}
	delete(tr.cut, primary)
}

// Every quorum of view changes contains the liar's, and still no batch that committed in view 0 is lost (V3, I17).
func TestV3_WhatALiarHidesOthersShow(t *testing.T) {
	for _, how := range []string{"mixed", "empty", "stale"} {
		t.Run(how, func(t *testing.T) {
			tr := begin(t, 2, "lying-view-change,how="+how)
			ids := tr.load(7, 100*time.Millisecond)
			tr.cut[0] = true
			ids = append(ids, tr.submit(8))
			tr.depose(0, ids[7])
			tr.submitted = 8
			ids = append(ids, tr.load(5, 300*time.Millisecond)...)
			told := map[wire.ReplicaID]*wire.ViewChange{}
			for _, p := range tr.sent {
				if m, ok := p.msg.(*wire.ViewChange); ok && p.from == 2 && m.Replica == 2 && m.View == 1 {
					told[p.to] = m
				}
			}
			if len(told) == 0 {
				t.Fatal("it sent no ViewChange")
			}
			for to, m := range told {
				if how != "mixed" && len(m.Prepared) > 0 || how == "stale" && m.Stable.Seq > 0 {
					t.Errorf("replica %d was told the truth", to)
				}
			}
			if how == "mixed" && told[1] != nil && told[3] != nil && len(told[1].Prepared) == len(told[3].Prepared) {
				t.Error("two replicas were told the same")
			}
			tr.mustVerify()
			tr.mustMask(ids...)
			tr.mustNotPass(2)
		})
	}
}

func TestLyingViewChange_ProvokesItsOwnViewChange(t *testing.T) {
	tr := begin(t, 0, "lying-view-change,provoke=yes,how=empty")
	ids := tr.load(3, 2*time.Second)
	if sent, _ := tr.from(wire.TypeViewChange); sent == 0 {
		t.Error("it sent no ViewChange")
	}
	tr.mustMask(ids...)
	tr.mustEnter(1)
}

func TestV7_AStormOfViewChangesMovesNobody(t *testing.T) {
	tr := begin(t, 3, "view-change-storm")
	ids := tr.load(20, 100*time.Millisecond)
	sent, refused := tr.from(wire.TypeViewChange)
	if sent < 3*1000 || refused != sent {
		t.Errorf("of %d ViewChanges %d were refused", sent, refused)
	}
	if suspects, refused := tr.from(wire.TypeSuspect); suspects < 3*1000 || refused != 0 {
		t.Errorf("of %d Suspects %d were refused: they are as valid as any", suspects, refused)
	}
	highest := wire.View(0)
	for _, p := range tr.bad {
		if m, ok := p.msg.(*wire.ViewChange); ok {
			highest = max(highest, m.View)
		}
	}
	if highest != 1000 {
		t.Errorf("it went up to view %d", highest)
	}
	tr.mustMask(ids...)
	tr.mustAnswer(ids...)
	tr.mustEnter()
}

func TestV4_ABadNewViewIsFollowedByTheNextView(t *testing.T) {
	for how, refused := range map[string]bool{"duplicate": true, "foreign": true, "wrong-o": false, "none": false} {
		t.Run(how, func(t *testing.T) {
			tr := begin(t, 1, "bad-new-view,how="+how)
			ids := tr.load(3, 100*time.Millisecond)
			tr.cut[0] = true
			ids = append(ids, tr.submit(4))
			for tr.nodes[2].replica.Inspect().View == 0 {
				tr.pass(10 * time.Millisecond)
			}
			delete(tr.cut, 0)
			tr.pass(2 * time.Second) // the bound
			tr.mustMask(ids...)
			tr.mustEnter(2)
			sent, bad := tr.from(wire.TypeNewView)
			switch {
			case how == "none" && sent != 0, how != "none" && sent == 0:
				t.Errorf("it sent %d NewViews", sent)
			case refused && bad != sent, !refused && bad != 0:
				t.Errorf("of %d NewViews %d were refused", sent, bad)
			case how == "wrong-o" && tr.drops(port.ReasonWrongNewView) == 0:
				t.Error("nobody noticed that O does not follow from V")
			}
			next := tr.submit(5)
			tr.pass(100 * time.Millisecond)
			tr.mustMask(next)
		})
	}
}

// Only the liar prepared the last batch, because all prepares to others were lost. It sends replica 2 a NewView with
// this batch, and replica 3 a NewView without it. Both are valid, and at most one of them gets a quorum.
func TestV4_TwoValidNewViewsAreMasked(t *testing.T) {
	tr := begin(t, 1, "bad-new-view,how=two")
	ids := tr.load(3, 100*time.Millisecond)
	tr.lose = func(p packet) bool {
		prepare, ok := p.msg.(*wire.Prepare)
		return ok && prepare.View == 0 && prepare.Seq == 4 && p.to != 1
	}
	ids = append(ids, tr.submit(4))
	tr.pass(20 * time.Millisecond)
	tr.cut[0] = true
	for tr.nodes[2].replica.Inspect().View == 0 {
		tr.pass(10 * time.Millisecond)
	}
	delete(tr.cut, 0)
	tr.lose = nil
	tr.pass(2500 * time.Millisecond)
	told := map[wire.ReplicaID]*wire.NewView{}
	for _, p := range tr.sent {
		if m, ok := p.msg.(*wire.NewView); ok && p.from == 1 && told[p.to] == nil {
			told[p.to] = m
		}
	}
	if told[2] == nil || told[3] == nil || len(told[2].Proposals) == len(told[3].Proposals) {
		t.Fatalf("they were told the same: %+v", told)
	}
	tr.mustVerify()
	tr.mustMask(ids...)
	tr.mustNotPass(2)
	next := tr.submit(5)
	tr.pass(200 * time.Millisecond)
	tr.mustMask(next)
}
