package sim

import (
	"testing"
	"time"

	"tagma/testnet/sim/disk"
)

// D8, X: a replica whose disk is gone comes back by itself, and takes part again.
func TestD8_AWipedReplicaComesBack(t *testing.T) {
	for seed := range uint64(10) {
		o := loaded(seed)
		w := mustNew(t, o)
		w.At(1500*time.Millisecond, func() {
			w.Crash(2, disk.Kill)
			w.Wipe(2)
		})
		w.At(2*time.Second, func() {
			if err := w.Restart(2); err != nil {
				t.Errorf("%v", err)
			}
		})
		w.mustRun(t, 4*time.Second)
		w.mustSettle(t, 20*time.Second, 0, 1, 2, 3)
		c := w.Counts()
		if c.Forgotten == 0 || c.Transfers == 0 {
			t.Errorf("I18: %d starts found that something may be forgotten, %d states were fetched", c.Forgotten, c.Transfers)
		}
		t.Logf("%+v", c)
	}
}
