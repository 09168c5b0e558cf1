package pbft

import (
	"testing"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// D8.10: no replica refuses an old view change: its validity depends on its bytes alone, so a view change that its author
// has forgotten still counts towards a new view.
func TestD8_10_AViewChangeOfAForgottenLifeCounts(t *testing.T) {
	l := newLab(t, 4, 1)
	l.from(3, l.viewChange(1, 3, wire.StableCert{})) // of a life that replica 3 has forgotten
	views := broadcasts[*wire.NewView](l.from(0, l.viewChange(1, 0, wire.StableCert{})))
	if len(views) != 1 || views[0].ViewChanges[2].Replica != 3 {
		t.Errorf("%d new views rest on it", len(views))
	}
}

// D8.10, E1: two view changes for one view convict, unless their stable checkpoints lie a window apart: then the second
// one may be of a replica that had forgotten the first.
func TestD8_10_ASecondViewChangeConvictsOnlyWithinAWindow(t *testing.T) {
	for stable, convicts := range map[wire.Seq]bool{0: true, 4: true, 8: false, 12: false} {
		l := newLab(t, 4, 1)
		first := l.viewChange(1, 3, wire.StableCert{}, l.preparedCert(0, 1, wire.NullBody))
		second := l.viewChange(1, 3, wire.StableCert{})
		if stable > 0 {
			second = l.viewChange(1, 3, l.stableCert(stable))
		}
		l.from(3, first)
		accused := all[port.Accuse](l.from(3, second))
		if got := len(accused) > 0; got != convicts {
			t.Errorf("a second view change with h = %d: convicts %v", stable, got)
		}
		e := wire.Evidence{Replica: 3, Kind: wire.Equivocation, First: first, Second: second}
		if err := e.Verify(&l.cfg, wireHolds); (err == nil) != convicts {
			t.Errorf("a second view change with h = %d, as evidence: %v", stable, err)
		}
	}
}

// D8.11: V* rests on this. A replica signs a suspect of a view, by its own timer, only where the view was active here
// or Q view changes for it are held: not in a view that it only waits for, and not before it knows what it forgot.
func TestD8_11_NobodySuspectsAViewThatWasNeitherActiveNorJustified(t *testing.T) {
	l := newLab(t, 4, 3)
	l.from(2, l.suspect(0, 2))
	l.from(0, l.viewChange(1, 0, wire.StableCert{})) // now in view 1, inactive, with two view changes
	for range 20 {
		wantCount(t, broadcasts[*wire.Suspect](l.wait(l.cfg.ViewTimeout)), 0, "suspects of a view without Q view changes")
	}
	l.from(1, l.viewChange(1, 1, wire.StableCert{}))
	wantCount(t, broadcasts[*wire.Suspect](l.wait(2*l.cfg.ViewTimeout)), 1, "suspects of a view with Q view changes")

	l = newRecoveringLab(t, 3, 12, 5) // follows view 4, which it knows to be justified only
	for range 20 {
		wantCount(t, broadcasts[*wire.Suspect](l.wait(l.cfg.ViewTimeout)), 0, "suspects of a view that is only known to be justified")
	}
	l = newLab(t, 4, 3)
	l.boot(Applied{}, false, l.inView0()...)
	for range 20 {
		wantCount(t, broadcasts[*wire.Suspect](l.wait(time.Second)), 0, "suspects while it asks")
	}
}
