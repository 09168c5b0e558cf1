package replica

import (
	"testing"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// X3: a liar always offers a newer checkpoint than the others do, and then refuses to serve it. This replica
// nevertheless fetches the others' checkpoint.
func TestX3_OffersThatAreNotKeptAreTakenLast(t *testing.T) {
	w := newWorld(t, 4, 1000)
	w.checkpoint(12, 1000, 1)
	w.tell(*w.donors[1].newest())
	w.donors[1].spoil = func(m *wire.FetchState, _ []*wire.Data) []*wire.Data {
		if m.Seq > 0 { // each time the liar offers another checkpoint
			w.checkpoint(w.donors[1].newest().Seq+testK, 1000, 1)
			w.tell(*w.donors[1].newest())
		}
		return []*wire.Data{{Seq: m.Seq, Offer: w.donors[1].newest()}}
	}
	w.untilWhole(3, 8)
}

// X5, D8.9: if the only donor with a useful checkpoint does not serve it, the others must be asked for a newer
// checkpoint. Otherwise, while clients send nothing, the replica would wait for ever.
func TestX5_WhoIsOnlyPromisedSomethingOfUseStarves(t *testing.T) {
	w := newWorld(t, 4, 100)
	fill(t, w.store, 11, 100)
	w.checkpoint(12, 100, 1)
	w.donors[1].spoil = func(m *wire.FetchState, _ []*wire.Data) []*wire.Data {
		return []*wire.Data{{Seq: m.Seq, Offer: w.donors[1].newest()}}
	}
	w.until(10, "the others are asked for a newer checkpoint", func() bool { return count[port.Starving](w.host) > 0 })
	w.checkpoint(16, 100, 2, 3)
	w.untilWhole(20, 16)
}

// X5: nothing is written below the versions in the store. If only checkpoints below them are offered, the others are
// asked for a newer one.
func TestX5_WhatLiesBelowTheStoreIsOfNoUse(t *testing.T) {
	w := newWorld(t, 4, 100)
	fill(t, w.store, 11, 100)
	held := w.store.last
	w.until(3, "it starves", func() bool { return count[port.Starving](w.host) > 0 })
	if w.mover.phase != Choosing || w.store.last != held || w.mover.report.Rounds > 0 {
		t.Errorf("it is %q after %d rounds and wrote up to %d", w.mover.phase, w.mover.report.Rounds, w.store.last)
	}
	w.checkpoint(12, 100)
	w.untilWhole(3, 12)
}

// X1, X6: no batch is executed twice. So a checkpoint below the last executed batch is not useful, but one at that batch
// is.
func TestX6_WhatWasExecutedIsNotFetched(t *testing.T) {
	w := newWorld(t, 4, 100)
	w.mover.position = 9
	w.until(3, "it starves", func() bool { return count[port.Starving](w.host) > 0 })
	w.mover.position = 8
	w.untilWhole(3, 8)
}
