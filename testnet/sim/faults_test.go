package sim

import (
	"errors"
	"testing"
	"time"

	"tagma/pbft/wire"
	"tagma/testnet/byzantine"
	"tagma/testnet/links"
	"tagma/testnet/sim/disk"
)

// mustSettle fails the test unless, in time, no client waits any more and these replicas have executed the same batches.
func (w *World) mustSettle(t testing.TB, d time.Duration, ids ...wire.ReplicaID) {
	t.Helper()
	err := w.RunUntilTrue(d, "everybody has executed the same and no client waits", func() bool {
		for _, c := range w.clients {
			if len(c.waits) > 0 {
				return false
			}
		}
		for _, id := range ids {
			n, first := w.nodes[id], w.nodes[ids[0]]
			if n.replica == nil || first.replica == nil || n.replica.Position().Executed != first.replica.Position().Executed {
				return false
			}
		}
		return true
	})
	if err != nil {
		for _, l := range w.Last(40) {
			t.Log(l)
		}
		t.Fatalf("%v: %s", err, w.Describe())
	}
}

func loaded(seed uint64) Options {
	return Options{
		Seed: seed, Config: small(), Clients: 4, SyncJitter: time.Millisecond,
		Workload: Workload{Kind: Registers, Think: 40 * time.Millisecond, Until: 4 * time.Second},
	}
}

// kill -9, or a power failure, at every moment of every kind of message.
func TestCrashAt_EveryMessageTypeAtEveryMoment(t *testing.T) {
	power := []disk.Loss{disk.All, disk.Tail, disk.Holes}
	for _, kind := range []wire.Type{
		wire.TypePrePrepare, wire.TypePrepare, wire.TypeCommit, wire.TypeCheckpoint, wire.TypeSuspect, wire.TypeViewChange,
		wire.TypeNewView, wire.TypeStatus, wire.TypeReply,
	} {
		t.Run(kind.String(), func(t *testing.T) {
			fired := 0
			for when := BeforeDurable; when <= AfterFirstSend; when++ {
				for i, loss := range []disk.Loss{disk.Kill, power[int(when)%len(power)]} {
					// If f+1 Suspects of others arrive first, the replica need not send its own. So several seeds are
					// tried.
					for try := range uint64(4) {
						if crashes(t, try*10000+uint64(kind)*100+uint64(when)*10+uint64(i), kind, when, loss) {
							fired++
							break
						}
					}
				}
			}
			if fired < 4 {
				t.Errorf("I18: %d of 6 crashes happened", fired)
			}
		})
	}
}

// crashes makes a replica crash at a moment and start again. It reports whether the crash happened.
func crashes(t *testing.T, seed uint64, kind wire.Type, when Moment, loss disk.Loss) (fired bool) {
	o := loaded(seed)
	o.Until = 2500 * time.Millisecond
	w := mustNew(t, o)
	victim := wire.ReplicaID(1) // a backup at first, and the primary of view 1
	if kind == wire.TypePrePrepare {
		victim = 0
	}
	w.At(500*time.Millisecond, func() {
		w.CrashAt(victim, kind, when, loss, func() { fired = true })
		switch kind { // some messages are sent only when the primary is gone
		case wire.TypeSuspect, wire.TypeViewChange, wire.TypeNewView:
			w.Crash(0, disk.Kill)
		default:
		}
	})
	w.At(2*time.Second, func() {
		for id := range wire.ReplicaID(4) {
			if err := w.Restart(id); err != nil {
				t.Errorf("replica %d: %v", id, err)
			}
		}
	})
	w.mustRun(t, o.Until)
	w.mustSettle(t, 20*time.Second, 0, 1, 2, 3)
	if r := w.Linearizable(time.Minute); !r.Held || r.Checked == 0 {
		t.Errorf("I4: %v moment %d %s: %+v", kind, when, loss, r)
	}
	return fired
}

func TestCrash_AllAtOnceWithTheirUnsyncedDataKeepsWhatWasAcknowledged(t *testing.T) {
	for _, loss := range []disk.Loss{disk.All, disk.Tail, disk.Holes} {
		for seed := range uint64(3) {
			w := mustNew(t, loaded(seed))
			w.At(1500*time.Millisecond, func() {
				for id := range wire.ReplicaID(4) {
					w.Crash(id, loss)
				}
			})
			w.At(2*time.Second, func() {
				for id := range wire.ReplicaID(4) {
					if err := w.Restart(id); err != nil {
						t.Errorf("%s: replica %d: %v", loss, id, err)
					}
				}
			})
			w.mustRun(t, 4*time.Second)
			w.mustSettle(t, 20*time.Second, 0, 1, 2, 3)
			if r := w.Linearizable(time.Minute); !r.Held || r.Checked == 0 {
				t.Errorf("I9: %+v", r)
			}
		}
	}
}

// D8.3, D9: a replica notices that its journal is damaged. It recovers and does not contradict the votes that it has
// forgotten (I19).
func TestD9_ARottenReplicaIsNoticedAndComesBack(t *testing.T) {
	for seed := range uint64(10) {
		w := mustNew(t, loaded(seed))
		w.mustRun(t, time.Second)
		w.Crash(2, disk.Kill)
		if !w.Disk(2).FlipBit(w.damage) {
			t.Fatal("nothing is written")
		}
		if err := w.Restart(2); err != nil || w.Counts().Forgotten != 1 {
			t.Errorf("D9: seed %d: after a bit turned: %v, and %d starts noticed", seed, err, w.Counts().Forgotten)
		}
		w.mustRun(t, 2*time.Second)
		w.mustSettle(t, 20*time.Second, 0, 1, 2, 3)
	}
}

func TestDisk_AFailingOneStopsItsReplicaAtOnce(t *testing.T) {
	w := mustNew(t, loaded(1))
	w.mustRun(t, time.Second)
	w.Condemn(3)
	w.Disk(3).FailAfter(10, disk.ErrIO)
	w.mustRun(t, 4*time.Second)
	if w.Up(3) || !errors.Is(w.Why(3), disk.ErrIO) {
		t.Errorf("D6: up %t, %v", w.Up(3), w.Why(3))
	}
	w.mustSettle(t, 5*time.Second, 0, 1, 2)
}

func TestStore_AFailingOneStopsItsReplicaAndLosesNothing(t *testing.T) {
	w := mustNew(t, loaded(1))
	w.mustRun(t, time.Second)
	full := errors.New("no room")
	w.Condemn(3)
	w.FailStore(3, full)
	w.mustRun(t, 4*time.Second)
	if w.Up(3) || !errors.Is(w.Why(3), full) {
		t.Errorf("D6: up %t, %v", w.Up(3), w.Why(3))
	}
	w.FailStore(3, nil)
	if err := w.Restart(3); err != nil {
		t.Fatal(err)
	}
	w.mustSettle(t, 5*time.Second, 0, 1, 2, 3)
}

// X1, X5: if the store is lost and the journal is whole, the state is fetched from others. If the journal is lost as
// well, the replica may have forgotten votes.
func TestX5_AWipedStoreBesideAJournalIsFilledAgain(t *testing.T) {
	o := loaded(1)
	o.SegmentBytes = 16 << 10 // small segments, so that the journal does not go back to the first batch
	w := mustNew(t, o)
	w.mustRun(t, 2*time.Second)
	w.Crash(1, disk.Kill)
	w.nodes[1].medium, w.nodes[1].strayed = newMedium(), true
	if err := w.Restart(1); err != nil {
		t.Fatal(err)
	}
	w.mustSettle(t, 20*time.Second, 0, 1, 2, 3)
	if c := w.Counts(); c.Forgotten != 0 || c.Transfers != 1 {
		t.Errorf("D8.3: %d starts found that something may be forgotten, %d states were fetched", c.Forgotten, c.Transfers)
	}
	w.Crash(1, disk.Kill)
	w.nodes[1].disk, w.nodes[1].harmed = disk.New(), true
	if err := w.Restart(1); err != nil {
		t.Fatal(err)
	}
	if c := w.Counts(); c.Forgotten != 1 {
		t.Errorf("D8.3: a state without a journal: %d starts noticed", c.Forgotten)
	}
	w.mustSettle(t, 20*time.Second, 0, 1, 2, 3)
}

func TestPause_ABackupDisturbsNobody(t *testing.T) {
	w := mustNew(t, loaded(1))
	w.At(time.Second, func() { w.Pause(2) })
	w.At(3*time.Second, func() { w.Resume(2) })
	w.mustRun(t, 4*time.Second)
	if c := w.Counts(); c.Entered != 0 {
		t.Errorf("%d views were entered", c.Entered)
	}
	if w.Acknowledged() < 100 {
		t.Errorf("%d operations were acknowledged", w.Acknowledged())
	}
}

func TestPartition_TwoAndTwoHeals(t *testing.T) {
	w := mustNew(t, loaded(1))
	mustDo := func(c links.Command) {
		if err := w.Command(c); err != nil {
			t.Fatal(err)
		}
	}
	w.At(time.Second, func() { mustDo(links.Command{Do: links.DoPartition, Groups: [][]wire.ReplicaID{{0, 1}, {2, 3}}}) })
	at := 0
	w.At(1200*time.Millisecond, func() { at = w.Acknowledged() })
	w.At(2800*time.Millisecond, func() {
		if w.Acknowledged() != at {
			t.Error("half of the replicas ordered something")
		}
		mustDo(links.Command{Do: links.DoPartition})
	})
	w.mustRun(t, 4*time.Second)
	w.mustSettle(t, 10*time.Second, 0, 1, 2, 3)
	if w.Acknowledged() <= at {
		t.Error("nothing was ordered afterwards")
	}
}

func TestMalicious_AnEquivocatingPrimaryIsReplacedAndProven(t *testing.T) {
	o := loaded(1)
	o.Malicious = []Malicious{{Replica: 0, Choice: byzantine.Choice{Name: "equivocate"}}}
	w := mustNew(t, o)
	w.mustRun(t, 4*time.Second)
	w.mustSettle(t, 10*time.Second, 1, 2, 3)
	if len(w.Evidence()) == 0 || w.Counts().Entered == 0 || w.Acknowledged() < 50 {
		t.Errorf("%d accusations, %+v", len(w.Evidence()), w.Counts())
	}
}

func TestTwins_TwoProcessesUnderOneKeyAreMasked(t *testing.T) {
	for seed := range uint64(6) {
		o := loaded(seed)
		o.Twins = []Twin{{Replica: 0, Peers: []wire.ReplicaID{wire.ReplicaID(1 + seed%3)}}}
		w := mustNew(t, o)
		w.mustRun(t, 4*time.Second)
		w.mustSettle(t, 30*time.Second, 1, 2, 3)
		if w.Acknowledged() < 20 {
			t.Errorf("seed %d: %d operations were acknowledged", seed, w.Acknowledged())
		}
	}
}

// D2, I3: after a crash before an execution, the machine does not have the batch. After a crash after it, the core does
// not have the result. In both cases the replica executes the batch once, and catches up with the others.
func TestCrash_AtBothEndsOfAnExecution(t *testing.T) {
	for when, executed := range map[Moment]uint64{BeforeExecute: 4, AfterExecute: 5} {
		w := mustNew(t, Options{Seed: 1, Config: small(), Clients: 3})
		n, struck, found := w.nodes[2], false, uint64(0)
		w.CrashAtBatch(2, 5, when, disk.Kill, func() {
			struck, found = true, uint64(n.exec.Service.Executed())
		})
		if err := w.RunUntilTrue(time.Second, "the crash", func() bool { return struck }); err != nil {
			t.Fatal(err)
		}
		if w.Up(2) || found != executed {
			t.Errorf("moment %d: up %t, and the machine has executed %d", when, w.Up(2), found)
		}
		if err := w.Restart(2); err != nil {
			t.Fatal(err)
		}
		w.mustRun(t, w.Now()+2*time.Second)
		if in, up := w.Inspect(2); !up || in.Executed < 5 {
			t.Errorf("moment %d: after its restart %+v", when, in)
		}
	}
}
