package replica_test

import (
	"testing"
	"time"

	"tagma/pbft/driver"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine"
	"tagma/testnet/byzantine/replica"
	"tagma/testnet/sim"
	"tagma/testnet/sim/disk"
)

// liar makes a simulated cluster with small windows, one attacker, and clients that send so many operations in a second.
func liar(t *testing.T, at wire.ReplicaID, choice string, rate float64) (*sim.World, *replica.Witness) {
	t.Helper()
	c, err := byzantine.ParseChoice(choice)
	if err != nil {
		t.Fatal(err)
	}
	witness := new(replica.Witness)
	listens := func(side func(replica.Core) replica.Core) sim.Wrap {
		return func(_ *sim.World, id wire.ReplicaID, core driver.Core) driver.Core {
			if id == at {
				return side(core)
			}
			return core
		}
	}
	w, err := sim.New(sim.Options{
		Seed: 1, Clients: 6, Workload: sim.Workload{Kind: "put", ValueBytes: 2000, Keys: 2000, Rate: rate},
		Config:    wire.Config{CheckpointInterval: 10, LogWindow: 20, ViewTimeout: T, MaxBatch: 2},
		Malicious: []sim.Malicious{{Replica: at, Choice: c}},
		Inside:    listens(witness.Within), Around: listens(witness.Around),
	})
	if err != nil {
		t.Fatal(err)
	}
	return w, witness
}

func wipe(t *testing.T, w *sim.World, id wire.ReplicaID) {
	t.Helper()
	w.Crash(id, disk.Kill)
	w.Wipe(id)
	if err := w.Restart(id); err != nil {
		t.Error(err)
	}
}

// inStep reports whether a replica is neither left behind nor diverged, and its stable checkpoint is at most 20 below
// that of another replica.
func inStep(w *sim.World, id, other wire.ReplicaID) func() bool {
	return func() bool {
		in, up := w.Inspect(id)
		there, _ := w.Inspect(other)
		return up && !in.LeftBehind && !in.Diverged && in.Stable > 0 && in.Stable+20 >= there.Stable
	}
}

// X3: a replica that lost everything gets the right state, whatever one donor sends: it asks another donor within T.
func TestX3_ADonorThatLiesIsPassedOver(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	for _, how := range []string{"bad", "endless", "old", "stall", "other", "forged"} {
		t.Run(how, func(t *testing.T) {
			w, _ := liar(t, 1, "poison-transfer,how="+how, 200)
			for _, at := range []time.Duration{6 * T, 14 * T} { // the liar needs an older checkpoint for its lie
				if err := w.RunUntil(at); err != nil {
					t.Fatal(err)
				}
				wipe(t, w, 2)
				before := w.Counts().Transfers
				there := func() bool { return w.Counts().Transfers > before && inStep(w, 2, 0)() }
				if err := w.RunUntilTrue(8*T, "the state is there", there); err != nil {
					t.Fatal(err)
				}
			}
			if w.HostileFrames(1) == 0 {
				t.Error("I18: it did not lie")
			}
			if err := w.RunUntil(w.Now() + 2*T); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// X1: a primary left a backup behind. The backup has fetched the state by the time at which its votes are needed.
func TestX1_WhoeverWasOutrunIsThereWhenItIsNeeded(t *testing.T) {
	for _, how := range []string{"nulls", "withhold"} {
		t.Run(how, func(t *testing.T) {
			w, witness := liar(t, 0, "outrun,target=3,for=6T,how="+how, 500)
			var before wire.Seq
			w.At(T, func() {
				in, _ := w.Inspect(1)
				before = in.Executed
				w.Pause(3)
			})
			w.At(5*T, func() { w.Resume(3) })
			if err := w.RunUntil(5 * T); err != nil {
				t.Fatal(err)
			}
			in, _ := w.Inspect(1)
			if how == "nulls" && in.Executed < before+25*w.Config().LogWindow {
				t.Errorf("I18: it ordered %d in four timeouts", in.Executed-before)
			}
			if err := w.RunUntil(6*T + T/5); err != nil { // the liar is silent now
				t.Fatal(err)
			}
			n := w.Acknowledged()
			if err := w.RunUntilTrue(4*T, "operations go on", func() bool { return w.Acknowledged() > n+50 }); err != nil {
				t.Fatal(err)
			}
			if witness.Lies() == 0 {
				t.Error("I18: it did not lie")
			}
			if in, _ := w.Inspect(1); in.View != 1 {
				t.Errorf("view %d was entered", in.View)
			}
		})
	}
}

// D8.6, V*: an accomplice shows an old ViewChange of a replica that has forgotten it. No committed batch is lost.
func TestD8_6_AnAccompliceCannotUseWhatWasForgotten(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	for forgets := T / 10; forgets <= 2*T; forgets += T / 4 {
		w, witness := liar(t, 1, "old-view-change,of=3", 500)
		w.At(2*T, func() { w.Pause(0) })
		w.At(3*T+forgets, func() { wipe(t, w, 3) })
		w.At(6*T, func() { w.Resume(0) })
		// This causes another view change, in which the accomplice can use the old ViewChange.
		w.At(12*T, func() { w.Pause(2) })
		w.At(14*T, func() { w.Resume(2) })
		if err := w.RunUntil(20 * T); err != nil {
			t.Fatal(err)
		}
		n := w.Acknowledged()
		if err := w.RunUntilTrue(8*T, "operations go on, and all are there", func() bool {
			return w.Acknowledged() > n+50 && inStep(w, 3, 2)() && inStep(w, 0, 2)()
		}); err != nil {
			t.Fatalf("forgotten after %v: %v", forgets, err)
		}
		if witness.Lies() == 0 || w.Counts().Forgotten == 0 {
			t.Errorf("I18: it showed nothing: %d lies, %d replicas forgot", witness.Lies(), w.Counts().Forgotten)
		}
	}
}
