package sim

import (
	"testing"
	"time"

	"tagma/pbft/wire"
)

// small is a configuration whose windows and batches fill soon: K = 4, L = 8, T = 1 s.
func small() wire.Config {
	return wire.Config{CheckpointInterval: 4, LogWindow: 8, MaxBatch: 4, ViewTimeout: time.Second}
}

func mustNew(t testing.TB, o Options) *World {
	t.Helper()
	w, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *World) mustRun(t testing.TB, until time.Duration) {
	t.Helper()
	if err := w.RunUntil(until); err != nil {
		for _, l := range w.Last(60) {
			t.Log(l)
		}
		t.Fatal(err)
	}
}

func TestWorld_FourCorrectReplicasServeTheirClients(t *testing.T) {
	for _, signatures := range []Signatures{Fast, Ed25519} {
		w := mustNew(t, Options{Seed: 1, Config: small(), Clients: 3, Signatures: signatures})
		w.mustRun(t, 3*time.Second)
		if w.Acknowledged() < 500 {
			t.Errorf("%d operations were acknowledged", w.Acknowledged())
		}
		if c := w.Counts(); c.Entered != 0 || c.Refused != 0 {
			t.Errorf("without a fault: %+v", c)
		}
		for id := range wire.ReplicaID(4) {
			if in, up := w.Inspect(id); !up || in.Stable == 0 {
				t.Errorf("replica %d: %+v", id, in)
			}
		}
	}
}

func TestWorld_OneSeedIsOneRun(t *testing.T) {
	seen := map[string]uint64{}
	for seed := range uint64(20) {
		var hashes [2]string
		for i := range hashes {
			w := mustNew(t, Options{Seed: seed, Config: small(), Clients: 3, SyncJitter: time.Millisecond})
			w.mustRun(t, time.Second)
			hashes[i] = w.Hash()
		}
		if hashes[0] != hashes[1] {
			t.Errorf("seed %d: %s and %s", seed, hashes[0], hashes[1])
		}
		if other, twice := seen[hashes[0]]; twice {
			t.Errorf("seeds %d and %d are the same run", seed, other)
		}
		seen[hashes[0]] = seed
	}
}
