package replica

import (
	"testing"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// A liar that always offers a checkpoint ahead of the others', and then refuses it, does not keep this replica from them.
func TestX3_OffersThatAreNotKeptAreTakenLast(t *testing.T) {
	w := newWorld(t, 4, 1000)
	w.checkpoint(12, 1000, 1)
	w.tell(*w.donors[1].newest())
	w.donors[1].spoil = func(m *wire.FetchState, _ []*wire.Data) []*wire.Data {
		if m.Seq > 0 { // it takes another one each time
			w.checkpoint(w.donors[1].newest().Seq+testK, 1000, 1)
			w.tell(*w.donors[1].newest())
		}
		return []*wire.Data{{Seq: m.Seq, Offer: w.donors[1].newest()}}
	}
	w.untilWhole(3, 8)
}

// X5, D8.9: if a donor does not keep the only useful offer, the others must be asked for a newer checkpoint. Otherwise an
// idle cluster would wait for ever.
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

// X1, X6: no batch is executed again: a checkpoint below the last executed batch is of no use, one at that batch is.
func TestX6_WhatWasExecutedIsNotFetched(t *testing.T) {
	w := newWorld(t, 4, 100)
	w.mover.position = 9
	w.until(3, "it starves", func() bool { return count[port.Starving](w.host) > 0 })
	w.mover.position = 8
	w.untilWhole(3, 8)
}
