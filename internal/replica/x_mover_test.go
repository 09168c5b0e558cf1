package replica

import (
	"testing"
	"time"

	"tagma/checkpoint/store"
	"tagma/internal/alone"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// X3, X4: the whole state is fetched from the others. A second transfer fetches only what has changed since (X9).
func TestX9_ASecondTransferFetchesWhatChanged(t *testing.T) {
	alone.Test(t)
	w := newWorld(t, 4, 5000)
	w.untilWhole(4, 8)
	first := w.mover.Progress()
	if first.Keys != 5000 || first.Finished != 1 || first.Rounds != 1 || first.Blamed > 0 {
		t.Errorf("the first transfer: %+v", first)
	}
	w.checkpoint(12, 5000)
	w.tell(w.donors[1].offers[1])
	w.untilWhole(4, 12)
	if p := w.mover.Progress(); p.Keys > 200 || p.Keys == 0 || p.Bytes > first.Bytes/4 || p.Finished != 2 {
		t.Errorf("the second transfer: %+v", p)
	}
}

// X2: the newest checkpoint that is offered is fetched, no matter which replica answers first.
func TestX2_TheNewestOfferIsFetched(t *testing.T) {
	for _, newest := range []wire.ReplicaID{1, 2, 3} {
		w := newWorld(t, 4, 1000)
		w.checkpoint(12, 1000, newest)
		w.tell(*w.donors[newest].newest())
		w.untilWhole(3, 8)
		if p := w.mover.Progress(); w.whole != 12 || p.Rounds != 1 {
			t.Errorf("replica %d alone has 12: whole at %d after %d rounds", newest, w.whole, p.Rounds)
		}
	}
}

// X3: a donor that lies delays a transfer by about one timeout at most, if others serve the same checkpoint.
func TestX3_AnotherDonorIsUsedInPlaceOfOneThatLies(t *testing.T) {
	refusal := func(d *scripted) func(*wire.Data) *wire.Data {
		return func(data *wire.Data) *wire.Data { return &wire.Data{Seq: data.Seq, Offer: d.newest()} }
	}
	for _, c := range []struct {
		name   string
		within float64
		blamed bool
		lie    func(w *world, d *scripted)
	}{
		{"answers that do not fit their hash", 1, true, func(_ *world, d *scripted) { d.spoil = spoiled(bad) }},
		{"silence behind the pin", 2, false, func(_ *world, d *scripted) {
			d.spoil = spoiled(func(*wire.Data) *wire.Data { return nil })
		}},
		{"touches in place of answers", 2, false, func(_ *world, d *scripted) {
			d.spoil = spoiled(func(data *wire.Data) *wire.Data { return &wire.Data{Seq: data.Seq} })
		}},
		{"no offer", 1, false, func(_ *world, d *scripted) {
			d.spoil = func(*wire.FetchState, []*wire.Data) []*wire.Data { return nil }
		}},
		{"an empty offer", 1, false, func(_ *world, d *scripted) { d.offers = nil }},
		{"an older offer", 1, false, func(w *world, _ *scripted) { w.checkpoint(12, 3000, 2, 3) }},
		{"refusals in the middle", 1, false, func(_ *world, d *scripted) {
			spoil, n := refusal(d), 0
			d.spoil = spoiled(func(data *wire.Data) *wire.Data {
				if n++; n > 3 {
					return spoil(data)
				}
				return data
			})
		}},
		{"a checkpoint of its own, and then silence", 3.5, false, func(w *world, d *scripted) {
			w.checkpoint(12, 3000, 1)
			w.tell(*d.newest())
			d.spoil = spoiled(func(*wire.Data) *wire.Data { return nil })
		}},
		{"a checkpoint of its own, and then lies", 2, true, func(w *world, d *scripted) {
			w.checkpoint(12, 3000, 1)
			w.tell(*d.newest())
			d.spoil = spoiled(bad)
		}},
		{"a checkpoint of its own, and then a refusal", 2, false, func(w *world, d *scripted) {
			w.checkpoint(12, 3000, 1)
			w.tell(*d.newest())
			d.spoil = func(m *wire.FetchState, _ []*wire.Data) []*wire.Data {
				return []*wire.Data{{Seq: m.Seq, Offer: d.newest()}}
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			alone.Test(t)
			w := newWorld(t, 4, 3000)
			c.lie(w, w.donors[1])
			if took := w.untilWhole(10, 8); took > c.within {
				t.Errorf("it took %.2f timeouts, want %.2f at most", took, c.within)
			}
			if p := w.mover.Progress(); (p.Blamed > 0) != c.blamed || p.Keys < 3000 {
				t.Errorf("blamed %d times (%s), %d keys", p.Blamed, p.LastBlame, p.Keys)
			}
		})
	}
}

// D8.3: nothing is written for a checkpoint before a record of that checkpoint or a later one is durable. Otherwise a
// crash could leave a store that is ahead of its journal.
func TestD8_3_NothingIsWrittenBeforeTheRecordOfTheTarget(t *testing.T) {
	w := newWorld(t, 4, 100)
	w.checkpoint(12, 100)
	for _, d := range w.donors[1:] {
		d.offers = d.offers[1:]
	}
	w.deaf = true
	for range 32 {
		w.step()
	}
	if count[port.Received](w.host) == 0 {
		t.Error("the core was not told of the newer checkpoint")
	}
	if w.mover.phase != Choosing || w.store.MaxVersion() > 0 {
		t.Errorf("it is %q and wrote up to %d before the record", w.mover.phase, w.store.MaxVersion())
	}
	w.deaf = false
	w.untilWhole(4, 12)
}

// X2, X7: donors that were unreachable for a while do not count as liars. One more replica is down, so there are no
// other donors.
func TestX7_DonorsThatWereCutOffAreUsedAgain(t *testing.T) {
	alone.Test(t)
	for cut, within := range map[float64]float64{0.5: 2.5, 1.5: 3.5, 2.25: 2, 3: 2, 8: 2} {
		w := newWorld(t, 4, 6000)
		w.rate = 1
		w.donors[3] = nil
		w.until(4, "it fetches", func() bool { return w.mover.Progress().Keys > 500 })
		w.cut = true
		for range int(cut * 16) {
			w.step()
		}
		w.cut, w.onItsWay, w.host.sent = false, nil, nil
		took := w.untilWhole(10, 8)
		if p := w.mover.Progress(); p.Blamed > 0 || took > within {
			t.Errorf("cut off for %.1f timeouts it is whole %.1f later, and blamed %d times: %s", cut, took, p.Blamed, p.LastBlame)
		}
	}
}

// When no other donor is left, a donor whose answer had a wrong hash is asked again, because the fault may be this
// replica's own.
func TestX3_TheOnlyDonorLeftIsForgiven(t *testing.T) {
	w := newWorld(t, 4, 2000)
	w.donors[2], w.donors[3] = nil, nil // down, and trusted
	n := 0
	w.donors[1].spoil = spoiled(func(d *wire.Data) *wire.Data {
		if n++; n == 1 {
			return bad(d)
		}
		return d
	})
	w.untilWhole(10, 8)
	if p := w.mover.Progress(); p.Blamed != 1 {
		t.Errorf("blamed %d times", p.Blamed)
	}
}

// X7: an answer to an earlier round for the same checkpoint counts as late, not as a lie.
func TestX7_LateAnswersOfAnEarlierRoundBlameNobody(t *testing.T) {
	w := newWorld(t, 4, 2000)
	var late []*wire.Data
	slow := true
	for _, d := range w.donors[1:] {
		d.spoil = spoiled(func(data *wire.Data) *wire.Data {
			if slow {
				late = append(late, data)
				return nil
			}
			return data
		})
	}
	w.until(8, "a second round begins", func() bool { return w.mover.report.Rounds == 2 && w.mover.phase == Fetching })
	slow = false
	before := w.mover.Progress().Keys
	for id := wire.ReplicaID(1); id < 4; id++ {
		for _, d := range late {
			w.mover.Data(id, wire.Own(d), w.host.now)
		}
	}
	if p := w.mover.Progress(); p.Blamed > 0 || p.Keys != before {
		t.Errorf("%d answers that were late: blamed %d times (%s), %d keys", len(late), p.Blamed, p.LastBlame, p.Keys-before)
	}
	w.untilWhole(6, 8)
	if p := w.mover.Progress(); p.Blamed > 0 {
		t.Errorf("blamed: %s", p.LastBlame)
	}
}

// X2, X9: donors take longer to index a state than the mover first waits, and newer checkpoints come all the time. The
// mover must wait longer and longer. Otherwise it would give up every round for a newer checkpoint, which the donors
// would have to index first.
func TestX9_AStateThatTakesLongToIndexIsFetchedUnderLoad(t *testing.T) {
	w := newWorld(t, 4, 500)
	since := map[wire.Seq]time.Duration{}
	for _, d := range w.donors[1:] {
		d.spoil = spoiled(func(data *wire.Data) *wire.Data {
			if since[data.Seq] == 0 {
				since[data.Seq] = w.host.now
			}
			if w.host.now-since[data.Seq] < 5*w.cfg.ViewTimeout {
				return nil
			}
			return data
		})
	}
	seq, next := wire.Seq(8), w.host.now
	w.each = func() {
		if w.host.now >= next {
			seq += testK
			next = w.host.now + w.cfg.ViewTimeout
			w.checkpoint(seq, 500)
		}
	}
	t.Logf("whole after %.0f timeouts", w.untilWhole(40, 8))
}

// X7: if all donors stop serving the checkpoint during a transfer, a newer one is fetched. What was already fetched is
// not fetched again.
func TestX7_ANewerCheckpointContinuesWhereTheOldOneWasLetGo(t *testing.T) {
	alone.Test(t)
	w := newWorld(t, 4, 20000)
	w.rate = 1
	w.until(10, "half is there", func() bool { return w.mover.Progress().Share > 0.5 })
	half := w.mover.Progress().Keys
	w.checkpoint(12, 20000)
	for _, d := range w.donors[1:] {
		d.Close()
		d.offers = d.offers[1:]
	}
	w.untilWhole(10, 12)
	p := w.mover.Progress()
	if p.Rounds != 2 || p.Keys > 20000+20000/10 || p.Keys < half {
		t.Errorf("%d rounds, %d keys written of 20000, %d of them in the first", p.Rounds, p.Keys, half)
	}
}

// X1: a newer target does not disturb the running transfer.
func TestX1_ANewerTargetIsFetchedNext(t *testing.T) {
	w := newWorld(t, 4, 5000)
	w.until(4, "it fetches", func() bool { return w.mover.phase == Fetching })
	w.checkpoint(12, 5000)
	w.tell(w.donors[1].offers[1])
	w.untilWhole(4, 8)
	if w.whole != 8 || w.mover.report.Rounds != 1 {
		t.Errorf("whole at %d after %d rounds", w.whole, w.mover.report.Rounds)
	}
}

// K2, X5: a state that may be wrong is fetched again, at a checkpoint below what was executed, and only wrong entries
// are fetched. A running transfer begins again.
func TestK2_AStateInDoubtIsTakenInAnew(t *testing.T) {
	alone.Test(t)
	for _, phase := range []Phase{Idle, Choosing, Loading, Fetching} {
		w := newWorld(t, 4, 20000)
		w.mover.Close()
		w.mover.doubt = false
		root := fill(t, w.store, 8, 20000)
		fill(t, w.store, 9, 20000)
		for _, key := range []string{"key 000123", "key 000456"} {
			if err := w.store.on.Write([]store.Entry{{Key: []byte("s" + key), Value: []byte("rotten"), Version: 8}}); err != nil {
				t.Fatal(err)
			}
		}
		if phase != Idle { // a transfer to a newer checkpoint is running
			w.checkpoint(12, 20000)
			w.mover.target = w.donors[1].offers[1]
			w.tell(w.donors[1].offers[1])
			w.until(4, "it comes to "+string(phase), func() bool { return w.mover.phase == phase })
		}
		if err := w.mover.want(port.Transfer{Target: w.core, Doubt: true}, 9); err != nil {
			t.Fatal(err)
		}
		w.untilWhole(8, 8)
		p := w.mover.Progress()
		if w.store.renews != 1 || w.mover.doubt || p.Keys > 1000 || phase == Idle && p.Keys != 2 {
			t.Errorf("from phase %q: %d generations, still in doubt %v, %d keys fetched", phase, w.store.renews, w.mover.doubt, p.Keys)
		}
		if phase == Idle && (w.whole != 8 || w.store.root(t, 8) != root) {
			t.Errorf("whole at %d", w.whole)
		}
	}
}

// K2: copied entries are read back. If the disk returns other bytes, these entries are fetched.
func TestK2_WhatIsCopiedIsReadBack(t *testing.T) {
	w := newWorld(t, 4, 5000)
	w.mover.Close()
	root := fill(t, w.store, 8, 5000)
	if err := w.mover.want(port.Transfer{Target: w.core, Doubt: true}, 8); err != nil {
		t.Fatal(err)
	}
	w.until(4, "it copies", func() bool { return w.mover.phase == Copying })
	if err := w.store.on.Write([]store.Entry{{Key: []byte("skey 000123"), Value: []byte("rotten"), Version: 8}}); err != nil {
		t.Fatal(err)
	}
	w.untilWhole(4, 8)
	if p := w.mover.Progress(); p.Keys != 1 || p.Rounds != 2 || w.store.root(t, 8) != root {
		t.Errorf("%+v", p)
	}
}

// X4: if the store turns out to be ahead of the checkpoint, that is no failure: the mover chooses another checkpoint.
func TestX4_AStoreThatIsAheadChoosesAgain(t *testing.T) {
	w := newWorld(t, 4, 100)
	w.until(2, "it reads its store", func() bool { return w.mover.phase == Loading })
	fill(t, w.store, 9, 100)
	w.until(2, "it chooses again", func() bool { return w.mover.phase == Choosing })
	w.checkpoint(12, 100)
	w.untilWhole(4, 12)
}
