package sim

import (
	"errors"
	"testing"
	"time"

	"tagma/pbft/wire"
	"tagma/statemachine/kv"
	"tagma/testnet/sim/disk"
)

// X, K1: clients revert while one replica loses its disk and fetches the state from the others. All continue with the same
// state, since the history that a revert needs is part of the state.
func TestRevert_AWipedReplicaRevertsAsTheOthersDo(t *testing.T) {
	reverts, tooOld, later := 0, 0, 0
	for seed := range uint64(10) {
		o := loaded(seed)
		o.History = 60
		w := mustNew(t, o)
		w.At(1500*time.Millisecond, func() {
			w.Crash(2, disk.Kill)
			w.Wipe(2)
		})
		w.At(2*time.Second, func() { w.mustRestart(t, 2) })
		w.mustRun(t, 4*time.Second)
		w.mustSettle(t, 20*time.Second, 0, 1, 2, 3)
		if c := w.Counts(); c.Forgotten == 0 || c.Transfers == 0 {
			t.Errorf("I18: %d starts found that something may be forgotten, %d states were fetched", c.Forgotten, c.Transfers)
		}
		for _, op := range w.History() {
			if op.Op != nil || !op.Known || op.Outcome != wire.OutcomeExecuted {
				continue
			}
			switch r, err := kv.DecodeRevert(op.Results[0]); {
			case err == nil:
				reverts++
				if r.Put+r.Deleted > 0 && op.Invoked > 3*time.Second {
					later++
				}
			case errors.Is(err, kv.NotKept):
				tooOld++
			case !errors.Is(err, kv.ErrResult): // the operation was a put
				t.Errorf("a revert: %v", err)
			}
		}
	}
	if reverts < 50 || later == 0 || tooOld == 0 {
		t.Errorf("%d reverts, %d of them changed something after the replica was filled, %d were too old", reverts, later, tooOld)
	}
}
