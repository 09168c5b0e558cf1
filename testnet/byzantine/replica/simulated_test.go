package replica_test

import (
	"fmt"
	"testing"
	"time"

	"tagma/pbft/driver"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine"
	"tagma/testnet/byzantine/replica"
	"tagma/testnet/sim"
)

// T is the view timeout of these runs.
const T = 500 * time.Millisecond

// lie is a case: an attacker in the simulator, with the real journal, sessions, state and links, and the bounds that
// must hold.
type lie struct {
	choice string
	// If the attacker is the primary: how many views honest replicas enter at most, and whether there is evidence
	// against it.
	views   int
	convict bool
	leads   bool   // it lies only while it is the primary
	never   string // why it cannot lie at all in these runs
}

var lies = []lie{
	{choice: "bad-new-view", never: "no view changes; see below"},
	{choice: "banked-suspect", never: "nobody suspects anything"},
	{choice: "censor", views: 1},
	{choice: "clock-skew", views: 1},
	{choice: "clock-skew,by=-1h"},
	{choice: "collude,with=0", views: 1, convict: true, leads: true},
	{choice: "corrupt", views: 1},
	{choice: "corrupt,what=digest", views: 1},
	{choice: "corrupt,what=reply"},
	{choice: "crash", views: 1},
	{choice: "early"},
	{choice: "early,what=time"},
	{choice: "early,what=reply"},
	{choice: "equivocate", views: 1, convict: true, leads: true},
	{choice: "equivocate,phase=commit"},
	{choice: "exhaust", never: "it is for real links"},
	{choice: "forged-certificates"},
	{choice: "greedy-fetch"},
	{choice: "lying-checkpoint"},
	{choice: "lying-checkpoint,how=far"},
	{choice: "lying-reply"},
	{choice: "lying-reply,how=t"},
	{choice: "lying-reply,how=view"},
	{choice: "lying-status"},
	{choice: "lying-status,how=ahead"},
	{choice: "lying-view-change,provoke=yes", views: 1, leads: true},
	{choice: "malformed"},
	{choice: "mutate", views: 1},
	{choice: "old-view-change", never: "no view changes"},
	{choice: "outrun,for=0", leads: true},
	{choice: "outrun,how=withhold,for=0", leads: true},
	{choice: "poison-transfer", never: "nobody fetches a state"},
	{choice: "receive-omission", views: 1},
	{choice: "replay"},
	{choice: "replayed-requests", leads: true},
	{choice: "send-omission", views: 1},
	{choice: "sequence-abuse", views: 1, leads: true},
	{choice: "sequence-abuse,how=high", views: 1, leads: true},
	{choice: "sequence-abuse,how=above", views: 1, leads: true},
	{choice: "sequence-abuse,how=max", views: 1, leads: true},
	{choice: "sequence-abuse,how=twice", leads: true},
	{choice: "sequence-abuse,how=invented", views: 1, leads: true},
	{choice: "silent", views: 1},
	{choice: "slow", views: 1},
	{choice: "slow-backup", views: 1},
	{choice: "slow-primary", views: 1, leads: true},
	{choice: "tiny-operations", never: "its accomplice is not there; see below"},
	{choice: "twins", views: 1, convict: true},
	{choice: "view-change-storm"},
}

// run runs clients before, during and after the attack, which lasts from 4T to 14T. It returns how many operations were
// acknowledged in three periods of 4T: before the attack, at its end, and after it.
func run(t *testing.T, l lie, liar wire.ReplicaID, witness *replica.Witness) (w *sim.World, before, during, after int) {
	t.Helper()
	// listens puts the witness between the liar and its core, and between the liar and the driver.
	listens := func(side func(replica.Core) replica.Core) sim.Wrap {
		return func(_ *sim.World, id wire.ReplicaID, core driver.Core) driver.Core {
			if id == liar {
				return side(core)
			}
			return core
		}
	}
	c, err := byzantine.ParseChoice(l.choice)
	if err != nil {
		t.Fatal(err)
	}
	w, err = sim.New(sim.Options{
		Seed: 1, Clients: 3, Workload: sim.Workload{Think: 40 * time.Millisecond},
		Config:    wire.Config{CheckpointInterval: 8, LogWindow: 16, ViewTimeout: T},
		Malicious: []sim.Malicious{{Replica: liar, Choice: c, From: 4 * T, Until: 14 * T}},
		Inside:    listens(witness.Within), Around: listens(witness.Around),
	})
	if err != nil {
		t.Fatal(err)
	}
	until := func(at time.Duration) int {
		if err := w.RunUntil(at); err != nil {
			t.Fatal(err)
		}
		return w.Acknowledged()
	}
	before = until(4 * T)
	middle := until(10 * T)
	during = until(14*T) - middle
	start := until(16 * T)
	after = until(20*T) - start
	return w, before, during, after
}

func TestSimulated_EveryBehaviourIsMaskedWithinItsBound(t *testing.T) {
	named := map[string]bool{}
	for _, l := range lies {
		c, err := byzantine.ParseChoice(l.choice)
		if err != nil {
			t.Fatal(err)
		}
		named[c.Name] = true
		for _, liar := range []wire.ReplicaID{0, 3} {
			t.Run(fmt.Sprintf("%s at %d", l.choice, liar), func(t *testing.T) {
				t.Parallel()
				witness := new(replica.Witness)
				w, before, during, after := run(t, l, liar, witness)
				told := witness.Lies() + w.HostileFrames(liar)
				if lies := l.never == "" && (liar == 0 || !l.leads); lies != (told > 0) {
					t.Errorf("I18: it lied %d times", told)
				}
				if before < 40 || during*10 < before*9 || after*10 < before*9 {
					t.Errorf("in 4T each %d operations were acknowledged before it, %d during and %d after it", before, during, after)
				}
				views, accused := 0, 0
				for id := range wire.ReplicaID(4) {
					if in, up := w.Inspect(id); id != liar && up {
						views = max(views, int(in.View))
					}
				}
				for _, a := range w.Evidence() {
					if a.Evidence.Replica != liar {
						t.Errorf("E1: replica %d is accused", a.Evidence.Replica)
					}
					accused++
				}
				if liar == 3 && views > 0 || views > l.views {
					t.Errorf("view %d was entered", views)
				}
				if liar == 0 && l.convict && accused == 0 {
					t.Error("E1: nobody has proof")
				}
			})
		}
	}
	for _, b := range byzantine.Catalogue() {
		if !named[b.Name] {
			t.Errorf("%s is not tried", b.Name)
		}
	}
}

// The primary of view 0 is paused, and the attacker begins view 1 with a wrong NewView. View 2 is active within 2T after
// that.
func TestSimulated_ABadNewViewIsFollowedByTheNextOne(t *testing.T) {
	for _, how := range []string{"wrong-o", "duplicate", "foreign", "none"} {
		c, err := byzantine.ParseChoice("bad-new-view,how=" + how)
		if err != nil {
			t.Fatal(err)
		}
		w, err := sim.New(sim.Options{
			Seed: 1, Clients: 3, Config: wire.Config{CheckpointInterval: 8, LogWindow: 16, ViewTimeout: T},
			Malicious: []sim.Malicious{{Replica: 1, Choice: c}},
		})
		if err != nil {
			t.Fatal(err)
		}
		w.At(2*T, func() { w.Pause(0) })
		view := func(v wire.View) func() bool {
			return func() bool { in, _ := w.Inspect(2); return in.View >= v && (v < 2 || in.Active) }
		}
		if err := w.RunUntilTrue(6*T, "view 0 is left", view(1)); err != nil {
			t.Fatal(how, err)
		}
		w.Resume(0) // otherwise there would be two faulty replicas
		if err := w.RunUntilTrue(2*T, "view 2 is active", view(2)); err != nil {
			t.Error(how, err)
		}
		acknowledged := w.Acknowledged()
		if err := w.RunUntilTrue(T, "it commits", func() bool { return w.Acknowledged() > acknowledged }); err != nil {
			t.Error(how, err)
		}
	}
}
