package sim

import (
	"testing"
	"time"

	"tagma/pbft/wire"
	"tagma/testnet/links"
	"tagma/testnet/sim/disk"
)

// D8, X: a replica that lost its disk recovers by itself, and takes part again.
func TestD8_AWipedReplicaComesBack(t *testing.T) {
	for seed := range uint64(10) {
		w := mustNew(t, loaded(seed))
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
	}
}

func (w *World) mustRestart(t testing.TB, ids ...wire.ReplicaID) {
	t.Helper()
	for _, id := range ids {
		if err := w.Restart(id); err != nil {
			t.Errorf("replica %d: %v", id, err)
		}
	}
}

func (w *World) mustCommand(t testing.TB, c links.Command) {
	t.Helper()
	if err := w.Command(c); err != nil {
		t.Fatal(err)
	}
}

// far is a way in which a correct replica falls far behind the others. All of them end at the same time.
type far struct {
	name    string
	options func(*Options)
	apart   func(t testing.TB, w *World, id wire.ReplicaID) // at 1 s
	back    func(t testing.TB, w *World, id wire.ReplicaID) // at 8 s
}

func isolated(t testing.TB, w *World, id wire.ReplicaID) {
	w.mustCommand(t, links.Command{Do: links.DoIsolate, Targets: []wire.ReplicaID{id}, Direction: links.Both})
}

func rejoined(t testing.TB, w *World, id wire.ReplicaID) {
	w.mustCommand(t, links.Command{Do: links.DoRejoin, Targets: []wire.ReplicaID{id}})
}

var ways = []far{
	{"isolated on a busy cluster", func(*Options) {}, isolated, rejoined},
	{"isolated on a cluster that is idle when it comes back", func(o *Options) { o.Until = 6 * time.Second }, isolated, rejoined},
	{
		"a restart under large values", func(o *Options) {
			o.Kind, o.ValueBytes, o.Think = Puts, 120_000, 100*time.Millisecond
			o.Config.CheckpointInterval, o.Config.LogWindow, o.SegmentBytes = 16, 64, 4<<20
		}, func(_ testing.TB, w *World, id wire.ReplicaID) { w.Crash(id, disk.Kill) },
		func(t testing.TB, w *World, id wire.ReplicaID) { w.mustRestart(t, id) },
	},
	{
		"a restart under load", func(*Options) {}, func(_ testing.TB, w *World, id wire.ReplicaID) { w.Crash(id, disk.Holes) },
		func(t testing.TB, w *World, id wire.ReplicaID) { w.mustRestart(t, id) },
	},
}

// X0, X1, X9: a correct replica is far behind. At the moment when it can catch up, the primary or another backup is lost
// for good. Then no checkpoint is stable without the replica that is behind: if it did not catch up, the cluster would
// halt.
func TestX9_OneBehindAndOneGoneIsNoHalt(t *testing.T) {
	const behind = wire.ReplicaID(3)
	for _, way := range ways {
		for _, gone := range []wire.ReplicaID{0, 1} {
			t.Run(way.name, func(t *testing.T) {
				o := loaded(uint64(gone))
				o.Until = 14 * time.Second
				way.options(&o)
				w := mustNew(t, o)
				w.At(time.Second, func() { way.apart(t, w, behind) })
				w.At(8*time.Second, func() {
					way.back(t, w, behind)
					w.Crash(gone, disk.Kill)
				})
				w.mustRun(t, 8*time.Second)
				before := w.Acknowledged()
				w.mustRun(t, 8*time.Second+6*o.Config.ViewTimeout)
				if more := w.Acknowledged() - before; more < 10 && o.Until > 8*time.Second {
					t.Errorf("%d operations in 6 T after replica %d was gone: %s", more, gone, w.Describe())
				}
				w.mustRun(t, 14*time.Second)
				left := []wire.ReplicaID{1 - gone, 2, behind}
				w.mustSettle(t, 20*time.Second, left...)
			})
		}
	}
}

// K4, X2: the donors of the stable state have started again, and each has a newer state that no other replica has. They must
// still serve the stable state, because no other replica can, and a quorum needs the replica that is behind.
func TestK4_DonorsThatStartAgainServeTheStableState(t *testing.T) {
	o := loaded(3)
	o.Until = 20 * time.Second
	w := mustNew(t, o)
	w.At(time.Second, func() { isolated(t, w, 3) })
	w.At(6*time.Second, func() { // from now on no checkpoint becomes stable, and the window fills
		w.mustCommand(t, links.Command{Do: links.DoRule, Rule: &links.Rule{
			ID: "unstable", Name: "unstable", Action: links.Drop, Match: links.Match{Types: links.Types{wire.TypeCheckpoint}, From: []wire.ReplicaID{2}},
		}})
	})
	w.At(9*time.Second, func() {
		w.Crash(2, disk.Kill)
		for id := range wire.ReplicaID(2) {
			w.Crash(id, disk.Kill)
		}
		w.mustRestart(t, 0, 1)
		rejoined(t, w, 3)
	})
	w.mustRun(t, 9*time.Second)
	for id := range wire.ReplicaID(2) {
		if at := w.nodes[id].data.Applied.Seq; at == 0 {
			t.Fatalf("replica %d starts from nothing", id)
		}
	}
	w.mustRun(t, 20*time.Second)
	w.mustSettle(t, 20*time.Second, 0, 1, 3)
	if w.Counts().Transfers == 0 {
		t.Error("I18: no state was fetched")
	}
}
