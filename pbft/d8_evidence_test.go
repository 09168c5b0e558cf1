package pbft

import (
	"testing"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// D8.10: the validity of a view change depends only on its bytes. So a view change still counts towards a new view if
// its author has forgotten it.
func TestD8_10_AViewChangeOfAForgottenLifeCounts(t *testing.T) {
	l := newLab(t, 4, 1)
	l.from(3, l.viewChange(1, 3, wire.StableCert{})) // this is from an earlier life of replica 3, which has forgotten it
	views := broadcasts[*wire.NewView](l.from(0, l.viewChange(1, 0, wire.StableCert{})))
	if len(views) != 1 || views[0].ViewChanges[2].Replica != 3 {
		t.Errorf("%d new views rest on it", len(views))
	}
}

// D8.10, E1: two view changes of one replica for one view are proof of misbehaviour. The exception is if their stable
// checkpoints are a window or more apart: then the replica may have forgotten the first one before it signed the second.
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

// D8.11: the choice of V* relies on this rule. When its timer ends, a replica signs a Suspect of a view only if the view
// was active here, or if it holds Q view changes for the view. It does not sign one for a view for which it only waits,
// nor before it knows what it has forgotten.
func TestD8_11_NobodySuspectsAViewThatWasNeitherActiveNorJustified(t *testing.T) {
	l := newLab(t, 4, 3)
	l.from(2, l.suspect(0, 2))
	// The replica is in view 1, which is not active, and has two view changes.
	l.from(0, l.viewChange(1, 0, wire.StableCert{}))
	for range 20 {
		wantCount(t, broadcasts[*wire.Suspect](l.wait(l.cfg.ViewTimeout)), 0, "suspects of a view without Q view changes")
	}
	l.from(1, l.viewChange(1, 1, wire.StableCert{}))
	wantCount(t, broadcasts[*wire.Suspect](l.wait(2*l.cfg.ViewTimeout)), 1, "suspects of a view with Q view changes")

	l = newRecoveringLab(t, 3, 12, 5) // this replica is in view 4, of which it only knows that it is justified
	for range 20 {
		wantCount(t, broadcasts[*wire.Suspect](l.wait(l.cfg.ViewTimeout)), 0, "suspects of a view that is only known to be justified")
	}
	l = newLab(t, 4, 3)
	l.boot(Applied{}, false, l.inView0()...)
	for range 20 {
		wantCount(t, broadcasts[*wire.Suspect](l.wait(time.Second)), 0, "suspects while it asks")
	}
}
