package driver

import (
	"testing"

	"tagma/pbft/wire"
)

// Pairs of statements of one type that differ only in their content.
var contradictions = []struct{ first, second wire.Message }{
	{&wire.PrePrepare{View: 1, Seq: 5}, &wire.PrePrepare{View: 1, Seq: 5, Digest: wire.Digest{1}}},
	{&wire.Prepare{View: 1, Seq: 5, Replica: 1}, &wire.Prepare{View: 1, Seq: 5, Replica: 1, Digest: wire.Digest{1}}},
	{&wire.Commit{View: 1, Seq: 5, Replica: 1}, &wire.Commit{View: 1, Seq: 5, Replica: 1, Digest: wire.Digest{1}}},
	{&wire.Checkpoint{Seq: 4, Replica: 1}, &wire.Checkpoint{Seq: 4, Replica: 1, Digest: wire.Digest{1}}},
	{&wire.ViewChange{View: 5, Replica: 1}, &wire.ViewChange{View: 5, Replica: 1, Stable: wire.StableCert{Seq: 4}}},
	{newView(5), newView(5, 1)},
	{newView(5, 1), &wire.PrePrepare{View: 5, Seq: 5, Digest: wire.Digest{2}}},
	{&wire.PrePrepare{View: 5, Seq: 5, Digest: wire.Digest{2}}, newView(5, 1)},
}

// newView is a NewView above a stable checkpoint at 4, whose O has digests that begin with these bytes.
func newView(v wire.View, proposals ...byte) *wire.NewView {
	m := &wire.NewView{View: v, ViewChanges: []wire.ViewChange{{View: v, Stable: wire.StableCert{Seq: 4}}}}
	for _, b := range proposals {
		m.Proposals = append(m.Proposals, wire.Proposal{Digest: wire.Digest{b}})
	}
	return m
}

func TestD7_TheGuardRefusesASecondDifferentStatement(t *testing.T) {
	cfg := configOf(1, 4)
	for _, c := range contradictions {
		g := NewGuard(cfg, nil)
		for range 2 { // signing the same bytes again is no contradiction
			if err := g.Admit(cfg, c.first); err != nil {
				t.Fatal(err)
			}
		}
		if g.Admit(cfg, c.second) == nil {
			t.Errorf("signed %+v and then %+v", c.first, c.second)
		}
	}
}

func TestD7_TheGuardKnowsWhatTheJournalHolds(t *testing.T) {
	cfg := configOf(1, 4)
	for _, c := range contradictions {
		if NewGuard(cfg, []wire.Record{&wire.Sent{Msg: c.first}}).Admit(cfg, c.second) == nil {
			t.Errorf("after a restart %+v contradicts %+v", c.second, c.first)
		}
	}
	own, foreign := &wire.Activated{NewView: newView(5, 1)}, &wire.Activated{NewView: newView(6, 1)}
	g := NewGuard(cfg, []wire.Record{own, foreign})
	if g.Admit(cfg, newView(5, 2)) == nil {
		t.Error("the NewView in an anchor was signed otherwise")
	}
	if err := g.Admit(cfg, &wire.Prepare{View: 6, Seq: 5, Replica: 1}); err != nil {
		t.Errorf("another primary's NewView binds its backups: %v", err)
	}
}

func TestD3_TheGuardRefusesVotesInAViewThatWasLeft(t *testing.T) {
	cfg := configOf(1, 4)
	for _, g := range []*Guard{
		NewGuard(cfg, []wire.Record{&wire.Sent{Msg: &wire.ViewChange{View: 6, Replica: 1}}}), guarded(t, cfg),
	} {
		for _, m := range []wire.Message{
			&wire.PrePrepare{View: 5, Seq: 9}, &wire.Prepare{View: 4, Seq: 9, Replica: 1},
			&wire.Commit{View: 5, Seq: 9, Replica: 1}, &wire.ViewChange{View: 5, Replica: 1}, newView(5),
		} {
			if g.Admit(cfg, m) == nil {
				t.Errorf("signed %+v after a view change to 6", m)
			}
		}
		for _, m := range []wire.Message{
			&wire.Checkpoint{Seq: 8, Replica: 1}, &wire.Suspect{View: 1, Replica: 1}, &wire.Prepare{View: 6, Seq: 9, Replica: 1},
		} {
			if err := g.Admit(cfg, m); err != nil {
				t.Errorf("%+v: %v", m, err)
			}
		}
	}
}

func guarded(t *testing.T, cfg *wire.Config) *Guard {
	t.Helper()
	g := NewGuard(cfg, nil)
	if err := g.Admit(cfg, &wire.ViewChange{View: 6, Replica: 1}); err != nil {
		t.Fatal(err)
	}
	return g
}

// S4: the guard's memory is bounded by the window: it forgets old sequence numbers, and views that were left.
func TestS4_TheGuardForgetsWhatCanNeverBeVotedOnAgain(t *testing.T) {
	cfg := configOf(1, 4)
	g := NewGuard(cfg, nil)
	for seq := wire.Seq(1); seq <= 9; seq++ {
		for _, m := range []wire.Message{&wire.Prepare{Seq: seq, Replica: 1}, &wire.Checkpoint{Seq: seq, Replica: 1}} {
			if err := g.Admit(cfg, m); err != nil {
				t.Fatal(err)
			}
		}
	}
	if g.Forget(8); g.holds() != 2 {
		t.Fatalf("%d statements are held above 8, want 2", g.holds())
	}
	if err := g.Admit(cfg, &wire.ViewChange{View: 1, Replica: 1}); err != nil {
		t.Fatal(err)
	}
	if g.holds() != 2 {
		t.Fatalf("%d statements are held, want the checkpoint and the view change", g.holds())
	}
}

// S4: the guard still forgets if a replica continues far above, or if its journal begins below what the guard has
// already forgotten.
func TestS4_TheGuardForgetsAcrossGaps(t *testing.T) {
	cfg := configOf(1, 4)
	g := NewGuard(cfg, nil)
	for _, seq := range []wire.Seq{1_000_000, 1_000_001, 5, 1_000_002} {
		if err := g.Admit(cfg, &wire.Commit{Seq: seq, Replica: 1}); err != nil {
			t.Fatal(err)
		}
		if seq == 1_000_001 {
			g.Forget(1_000_000)
		}
	}
	if g.holds() != 3 {
		t.Fatalf("%d statements are held, want those for 5, 1000001 and 1000002", g.holds())
	}
	if g.Forget(1_000_001); g.holds() != 1 {
		t.Fatalf("%d statements are held, want the one for 1000002", g.holds())
	}
	if g.Admit(cfg, &wire.Commit{Seq: 1_000_002, Replica: 1, Digest: wire.Digest{1}}) == nil {
		t.Error("a second commit is admitted")
	}
	if err := g.Admit(cfg, &wire.Commit{Seq: 1_000_003, Replica: 1, Digest: wire.Digest{1}}); err != nil {
		t.Errorf("the memory of what was forgotten is in the way: %v", err)
	}
}

func (g *Guard) holds() (n int) {
	for _, held := range g.signed {
		n += len(held)
	}
	return n
}
