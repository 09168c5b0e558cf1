package sim

import (
	"math/rand/v2"
	"testing"
	"time"

	"tagma/checkpoint/store"
	"tagma/pbft/wire"
	"tagma/testnet/sim/disk"
)

// K2: a running replica finds damage on its disk, and fetches the state into a new generation of its store. Two replicas
// are damaged at the same time. They are repaired without a newer checkpoint, because no checkpoint becomes stable
// without them. After a crash at any moment, either the old or the new generation is there.
func TestK2_DamagedStoresAreMendedWhileTheyRun(t *testing.T) {
	both := 0
	for seed := range uint64(12) {
		w := mustNew(t, loaded(seed))
		var harmed [4]bool // by replica: a key of the newest checkpoint is damaged
		chance := rand.New(rand.NewPCG(seed, 5))
		w.At(5*time.Second, func() { // clients write nothing from now on, so no newer checkpoint becomes stable by itself
			for _, n := range w.nodes[1:3] {
				for range 8 {
					w.RotStore(n.id, chance)
				}
				found := n.mustSearch(t)
				harmed[n.id] = found.Damaged()
			}
		})
		crash := 5*time.Second + time.Duration(chance.IntN(3000))*time.Millisecond
		w.At(crash, func() { w.Crash(1, []disk.Loss{disk.Kill, disk.All, disk.Holes}[seed%3]) })
		w.At(crash+300*time.Millisecond, func() { w.mustRestart(t, 1) })
		w.mustRun(t, 14*time.Second)
		w.mustSettle(t, 20*time.Second, 0, 1, 2, 3)
		if p := w.nodes[2].exec.Mover().Progress(); harmed[2] && (p.Finished != 1 || p.Keys > 8) {
			t.Errorf("seed %d: %d states were fetched, of the last one %d keys for 8 bits", seed, p.Finished, p.Keys)
		}
		if harmed[1] && harmed[2] {
			both++
		}
		for _, n := range w.nodes {
			if found := n.mustSearch(t); found.Damaged() {
				t.Errorf("seed %d: replica %d in the end: %+v", seed, n.id, found)
			}
		}
	}
	if both < 3 {
		t.Errorf("two replicas were harmed at once in %d runs only", both)
	}
}

// mustSearch does the same as searched, for a replica that must have a checkpoint.
func (n *node) mustSearch(t *testing.T) store.Findings {
	t.Helper()
	found, err := n.searched()
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// K2: a replica whose state differs in one key notices at the next stable checkpoint, fetches the state from the others, and
// votes for their checkpoints again, with or without a crash in between.
func TestK2_AFlippedStateIsMended(t *testing.T) {
	for seed := range uint64(12) {
		w := mustNew(t, loaded(seed))
		w.At(time.Second, func() { w.FlipState(2, "") })
		if seed%2 == 1 {
			w.At(1200*time.Millisecond+time.Duration(seed)*50*time.Millisecond, func() { w.Crash(2, disk.Kill) })
			w.At(2*time.Second, func() { w.mustRestart(t, 2) })
		}
		transfers := w.Counts().Transfers
		w.mustRun(t, 8*time.Second)
		w.mustSettle(t, 20*time.Second, 0, 1, 2, 3)
		if w.Flips(2) != 1 || seed%2 == 0 && w.Counts().Transfers == transfers {
			t.Errorf("seed %d: %d bits turned, %d states fetched", seed, w.Flips(2), w.Counts().Transfers-transfers)
		}
		in, _ := w.Inspect(2)
		if in.Diverged || in.LeftBehind {
			t.Errorf("seed %d: still diverged %v, left behind %v", seed, in.Diverged, in.LeftBehind)
		}
		if e := w.Evidence(); len(e) > 0 {
			t.Errorf("seed %d: it is convicted: %v", seed, e)
		}
	}
}

// K2: a plan that damages a state is judged by the damage that is left at the end, and this judgement can fail.
func TestK2_APlanIsJudgedByWhatIsLeftOfItsDamage(t *testing.T) {
	for _, do := range []FaultKind{StateFlip, StoreRot} {
		p := &Plan{
			Seed: 1, Replicas: 4, Machine: "kv", Clients: 2, SegmentBytes: 64 << 10, Duration: 6 * time.Second, Heal: 4 * time.Second,
			CheckpointInterval: 4, LogWindow: 8, MaxBatch: 4, ViewTimeout: 200 * time.Millisecond, MaxViewTimeout: time.Second,
			Workload: Workload{Kind: Puts, Until: 6 * time.Second, Think: 20 * time.Millisecond, Outstanding: 1}, Forgetful: []wire.ReplicaID{2},
			Faults: []Fault{{Do: do, At: time.Second, Replica: 2}},
		}
		p.Faults[0].Until = 3 * time.Second
		out, err := Run(p)
		if err != nil {
			t.Fatal(err)
		}
		if out.Violation != nil || out.Fired != 1 {
			t.Fatalf("%s: %d fired, %v", do, out.Fired, out.Violation)
		}
		w := out.World
		w.RotStore(2, rand.New(rand.NewPCG(1, 2)))
		if w.nodes[2].mustBeWhole(); w.Violation() == nil {
			t.Errorf("%s: a store that is damaged in the end is nothing to the judge", do)
		}
	}
}
