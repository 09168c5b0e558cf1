package replica

import (
	"errors"
	"fmt"
	"testing"

	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/statemachine"
)

// echo is a machine that stores each operation under the operation itself as the key.
type echo struct{}

func (echo) Apply(tx statemachine.Txn, op []byte) []byte { tx.Put(op, op); return op }

func (echo) Query(statemachine.Reader, []byte) []byte { return nil }

// executing is an executor over a store in memory.
type executing struct {
	*Executor
	t     testing.TB
	host  *testHost
	store *testStore
	log   []string // what was told
}

func newExecuting(t testing.TB) *executing {
	cfg := testConfig(4)
	x := &executing{t: t, host: &testHost{}, store: loaded(t, newMedium())}
	service, err := statemachine.New(echo{}, x.store, statemachine.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	x.Executor = NewExecutor(&cfg, x.host, x.store, service)
	x.Durable = func(seq wire.Seq, _ wire.Digest) { x.log = append(x.log, fmt.Sprintf("durable %d", seq)) }
	x.Adopted = func(seq wire.Seq, _ wire.Digest) { x.log = append(x.log, fmt.Sprintf("adopted %d", seq)) }
	t.Cleanup(service.Close)
	return x
}

func (x *executing) execute(from, to wire.Seq) {
	for seq := from; seq <= to; seq++ {
		x.Put(port.Execute{Seq: seq, Body: body(seq, 20)})
	}
}

// work does every step that is possible before a job ends.
func (x *executing) work() {
	x.t.Helper()
	for {
		more, err := x.Step()
		if err != nil {
			x.t.Fatal(err)
		}
		if !more {
			return
		}
	}
}

func (x *executing) at(want wire.Seq, jobs, waiting int) {
	x.t.Helper()
	if got := wire.Seq(x.Service.Executed()); got != want || len(x.host.jobs) != jobs || x.Waiting() != waiting {
		x.t.Errorf("executed %d, %d jobs, %d pieces of work wait; want %d, %d and %d", got, len(x.host.jobs), x.Waiting(), want, jobs,
			waiting)
	}
}

// D5, K1: a checkpoint waits for the write before it. Later work waits until the checkpoint's own write has begun. No
// write contains batches from both sides of a checkpoint.
func TestD5_NoWriteCrossesACheckpoint(t *testing.T) {
	x := newExecuting(t)
	x.execute(1, 3)
	x.work()
	x.Due()
	x.work()
	x.at(3, 1, 0) // the first write has begun and not ended
	x.execute(4, 4)
	x.Put(port.Snapshot{Seq: 4})
	x.execute(5, 6)
	x.work()
	x.at(4, 1, 2)
	x.host.settle()
	if x.store.last != 3 {
		t.Errorf("the first write took up to %d", x.store.last)
	}
	x.work()
	x.at(6, 1, 0) // this is executed while the checkpoint is being written
	if count[port.Snapshotted](x.host) > 0 {
		t.Error("the checkpoint is told before it is durable")
	}
	x.host.settle()
	if x.store.last != 4 || count[port.Snapshotted](x.host) != 1 || len(x.log) != 1 || x.log[0] != "durable 4" {
		t.Errorf("written up to %d, told %v", x.store.last, x.log)
	}
	if x.store.root(t, 4) == [32]byte{} || count[port.Executed](x.host) != 6 {
		t.Errorf("%d batches told", count[port.Executed](x.host))
	}
}

// Several batches are written together, when enough of them wait or the first has waited long enough. Only one write
// runs at a time.
func TestD5_BatchesAreWrittenTogetherBesideOthers(t *testing.T) {
	x := newExecuting(t)
	x.execute(1, flushEvery-1)
	x.work()
	x.at(flushEvery-1, 0, 0)
	if x.host.flush != flushWithin {
		t.Errorf("a write is due within %v", x.host.flush)
	}
	x.execute(flushEvery, 3*flushEvery)
	x.work()
	x.at(3*flushEvery, 1, 0)
	x.host.settle()
	if x.store.last != flushEvery {
		t.Errorf("written up to %d", x.store.last)
	}
	x.work()
	x.host.settle()
	x.work()
	x.at(3*flushEvery, 0, 0)
	x.Due() // nothing waits
	x.work()
	x.at(3*flushEvery, 0, 0)
	if x.store.last != 3*flushEvery {
		t.Errorf("written up to %d", x.store.last)
	}
}

// X4: a transfer begins when everything that was applied is in the store. Of several transfers in a row only the last
// one counts. If one of them says that the state may be wrong, that is remembered.
func TestX4_ATransferWaitsForTheWrites(t *testing.T) {
	x := newExecuting(t)
	x.execute(1, 3)
	x.Put(port.Transfer{Target: cert(8, wire.Digest{1}), Doubt: true})
	x.Put(port.Transfer{Target: cert(12, wire.Digest{2})})
	x.work()
	x.at(3, 1, 1)
	if x.Mover().Active() {
		t.Error("it began before the write was over")
	}
	x.host.settle()
	x.work()
	x.at(3, 0, 0)
	if m := x.Mover(); !m.Active() || m.target.Seq != 12 || m.position != 3 || !m.doubt || x.store.last != 3 {
		t.Errorf("active %v, target %d from %d, in doubt %v, written up to %d", m.Active(), m.target.Seq, m.position, m.doubt,
			x.store.last)
	}
}

// X6: after a transfer, execution continues from the fetched state with the next batch.
func TestX6_ExecutionResumesFromTheStateThatWasFetched(t *testing.T) {
	source := newExecuting(t)
	source.execute(1, 8)
	source.Put(port.Snapshot{Seq: 8})
	source.work()
	source.host.settle()
	root := source.host.events[len(source.host.events)-1].(port.Snapshotted).Digest

	x := newExecuting(t)
	x.execute(1, 2)
	x.Put(port.Transfer{Target: cert(8, root)})
	x.work()
	x.host.settle()
	x.work()
	donor := NewDonor(x.cfg, source.store, &Votes{}, func(_ wire.ReplicaID, m wire.Message) {
		x.Mover().Data(1, wire.Own(m), x.host.now)
	})
	donor.Offer(cert(8, root))
	for n := 0; count[port.Transferred](x.host) == 0; n++ {
		if n > 100 {
			t.Fatalf("the transfer is %q", x.Mover().phase)
		}
		x.host.now += x.cfg.ViewTimeout / 16
		x.Mover().Tick(x.host.now)
		sent := x.host.sent
		x.host.sent = nil
		for _, l := range sent {
			if l.to == 1 {
				donor.Ask(2, l.m.(*wire.FetchState), x.host.now)
			}
		}
		for donor.Step(x.host.now) {
			continue
		}
		x.host.settle()
	}
	x.Put(port.Resume{Seq: 8})
	x.execute(9, 9)
	x.work()
	x.at(9, 0, 0)
	if len(x.log) != 1 || x.log[0] != "adopted 8" || x.Mover().Active() {
		t.Errorf("told %v", x.log)
	}
	b := body(5, 20)
	if reply, done := x.Lookup(b.Requests[0]); !done || reply.Seq != 5 {
		t.Error("a reply of a batch that was fetched is not known")
	}
}

// X6, D6: work at a wrong sequence number is an error, and so is the switch to a state that was not fetched.
func TestD6_WhatDoesNotBelongHereIsAFailure(t *testing.T) {
	for _, work := range []port.Effect{port.Resume{Seq: 8}, port.Offer{}} {
		x := newExecuting(t)
		x.Put(work)
		if more, err := x.Step(); more || err == nil {
			t.Errorf("%T: %v, %v", work, more, err)
		}
	}
}

// K4: when old states may be discarded, the store discards them at once, whatever work is queued.
func TestK4_TheStoreForgetsBesideWhatIsQueued(t *testing.T) {
	x := newExecuting(t)
	x.execute(1, 8)
	x.Put(port.Snapshot{Seq: 8})
	x.work()
	x.host.settle()
	x.execute(9, 9)
	x.Put(port.Truncate{Below: 6, Discard: 8})
	if x.store.Floor() != 8 || x.Waiting() != 1 {
		t.Errorf("the store reaches back to %d, %d pieces of work wait", x.store.Floor(), x.Waiting())
	}
}

// D6: a failure of the store is final. After it nothing is executed, written or reported.
func TestD6_AFailureOfTheStoreIsFinal(t *testing.T) {
	for name, last := range map[string]port.Effect{"write": nil, "checkpoint": port.Snapshot{Seq: 3}} {
		x := newExecuting(t)
		x.execute(1, 3)
		if last != nil {
			x.Put(last)
		}
		x.work()
		x.Due()
		x.work()
		x.store.on.fail = errCrashed
		x.host.settle()
		x.store.on.fail = nil
		told := len(x.host.events)
		x.execute(4, 4)
		for range 3 {
			if more, err := x.Step(); more || !errors.Is(err, errCrashed) {
				t.Errorf("%s: goes on with %v, %v", name, more, err)
			}
		}
		if len(x.host.events) != told || len(x.host.jobs) > 0 || count[port.Snapshotted](x.host) > 0 || x.Service.Executed() != 3 {
			t.Errorf("%s: something was done after the failure", name)
		}
	}
}

// C5: a long result is replaced by its digest, except at the designated replica. Observers get the whole result before
// that.
func TestC5_LongResultsAreShortenedButForOne(t *testing.T) {
	x := newExecuting(t)
	var watched int
	x.Applied = func(_ port.Execute, replies []*wire.Reply) { watched += len(replies[0].Results[0]) }
	whole := 0
	for seq := wire.Seq(1); seq <= 32; seq++ {
		b := body(seq, 3000)
		b.Requests[0].Ops[0][0] = byte(seq)
		x.Put(port.Execute{Seq: seq, Body: b})
		x.work()
		reply := x.host.events[len(x.host.events)-1].(port.Executed).Replies[0]
		if long := reply.ResultDigest == nil; long != (wire.WholeReplier(reply.Request, 4) == x.cfg.Self) {
			t.Errorf("the reply to %d is whole: %v", seq, long)
		} else if long {
			whole++
		}
	}
	if watched != 32*3000 || whole == 0 || whole == 32 {
		t.Errorf("%d bytes watched, %d whole replies", watched, whole)
	}
}
