package node

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/statemachine"
	"tagma/statemachine/memstore"
)

// slow is a storage whose writes and checkpoints end only when the test allows it.
type slow struct {
	*memstore.Store
	proceed chan struct{}
	rooted  []uint64
}

func (s *slow) Write(sets []statemachine.WriteSet) error {
	<-s.proceed
	return s.Store.Write(sets)
}

func (s *slow) Checkpoint(seq uint64) ([32]byte, error) {
	<-s.proceed
	s.rooted = append(s.rooted, seq)
	return s.Store.Checkpoint(seq)
}

// K1, D5: a slow disk delays a checkpoint, but not execution. A write is never made before an earlier checkpoint is
// finished, so the root is that of the state at its own sequence number.
func TestK1_BatchesExecuteBesideWritesAndCheckpointsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		storage := &slow{Store: memstore.New(), proceed: make(chan struct{})}
		x, _, done := newTestExecutor(t, storage)
		reference := newReference(t)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- x.run(ctx) }()
		next := wire.Seq(0)
		execute := func(n int) {
			t.Helper()
			for range n {
				next++
				x.Do(port.Execute{Seq: next, Body: body(next)})
				if e := (<-done).(port.Executed); e.Seq != next { // a deadlock fails the bubble
					t.Fatalf("executed %d, want %d", e.Seq, next)
				}
				reference.apply(next)
			}
		}
		snapshot := func() [32]byte {
			t.Helper()
			x.Do(port.Snapshot{Seq: next})
			root, err := reference.Checkpoint(uint64(next))
			if err != nil {
				t.Fatal(err)
			}
			return root
		}
		snapshotted := func(seq wire.Seq, root [32]byte) {
			t.Helper()
			if e := (<-done).(port.Snapshotted); e.Seq != seq || e.Digest != root {
				t.Fatalf("snapshot %d, want %d; equal roots: %t", e.Seq, seq, e.Digest == root)
			}
		}

		execute(flushEvery)     // this begins a write, which does not end yet
		execute(2 * flushEvery) // beside it
		root := snapshot()
		x.Do(port.Execute{Seq: next + 1, Body: body(next + 1)})
		synctest.Wait()
		if len(done) != 0 {
			t.Fatalf("%T before the write ahead of the checkpoint ended: its state would hold a later batch", <-done)
		}
		storage.proceed <- struct{}{} // the write
		next++
		if e := (<-done).(port.Executed); e.Seq != next {
			t.Fatalf("executed %d, want %d", e.Seq, next)
		}
		at := next - 1
		reference.apply(next)
		execute(3)
		storage.proceed <- struct{}{} // the write of the checkpoint
		execute(3)
		storage.proceed <- struct{}{} // its root
		snapshotted(at, root)

		root = snapshot()
		storage.proceed <- struct{}{}
		storage.proceed <- struct{}{}
		snapshotted(next, root)
		if len(storage.rooted) != 2 {
			t.Errorf("checkpoints at %v", storage.rooted)
		}
		stop()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	})
}

// The end waits for a running write, so that nothing writes to a store that is being closed.
func TestTheExecutorEndsAfterItsWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		storage := &slow{Store: memstore.New(), proceed: make(chan struct{})}
		x, _, done := newTestExecutor(t, storage)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- x.run(ctx) }()
		for seq := wire.Seq(1); seq <= flushEvery; seq++ {
			x.Do(port.Execute{Seq: seq, Body: body(seq)})
			<-done
		}
		stop()
		synctest.Wait()
		if len(ended) != 0 {
			t.Fatal("ended during the write")
		}
		storage.proceed <- struct{}{}
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		if err := x.executor.Service.Flush(); err != nil {
			t.Fatal(err)
		}
		if v, err := storage.View(flushEvery); err != nil {
			t.Error(err)
		} else {
			v.Close()
		}
	})
}

// D6: a replica whose journal failed ends even if its store hangs, because nothing waits for that write. A replica that
// is told to stop waits for the write.
func TestD6_AStoreThatHangsDoesNotKeepAFailedReplicaAlive(t *testing.T) {
	for _, why := range []error{errors.New("the journal failed"), nil} {
		synctest.Test(t, func(t *testing.T) {
			storage := &slow{Store: memstore.New(), proceed: make(chan struct{})}
			x, _, done := newTestExecutor(t, storage)
			ctx, stop := context.WithCancelCause(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- x.run(ctx) }()
			for seq := wire.Seq(1); seq <= flushEvery; seq++ {
				x.Do(port.Execute{Seq: seq, Body: body(seq)})
				<-done
			}
			synctest.Wait() // the write stands still
			stop(why)
			<-time.After(time.Minute)
			if waits := len(ended) == 0; waits != (why == nil) {
				t.Errorf("stopped because of %v: waits %t", why, waits)
			}
			close(storage.proceed)
			synctest.Wait()
			if len(ended) == 0 {
				t.Error("the executor has not ended")
			}
		})
	}
}
