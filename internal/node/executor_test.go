package node

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"tagma/internal/replica"
	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/statemachine"
	"tagma/statemachine/kv"
	"tagma/statemachine/memstore"
)

// plain makes a store for an executor from a storage. This store can neither fetch nor serve a state.
type plain struct {
	statemachine.Storage
	replica.Store
}

func (p plain) View(at uint64) (statemachine.StorageView, error) { return p.Storage.View(at) }
func (p plain) Write(sets []statemachine.WriteSet) error         { return p.Storage.Write(sets) }
func (p plain) Checkpoint(seq uint64) ([32]byte, error)          { return p.Storage.Checkpoint(seq) }
func (p plain) Discard(below uint64)                             { p.Storage.Discard(below) }

func newTestExecutor(t *testing.T, storage statemachine.Storage) (*machine, *wire.Config, chan port.Event) {
	t.Helper()
	cfg := wire.Config{Members: make([]wire.PublicKey, 4), CheckpointInterval: 8, LogWindow: 32}
	service, err := statemachine.New(kv.Machine{}, storage, statemachine.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan port.Event, cfg.LogWindow)
	m, began := newMachine(&cfg, plain{Storage: storage}, service, done, newMetrics()), time.Now()
	m.now = func() time.Duration { return time.Since(began) }
	return m, &cfg, done
}

func body(seq wire.Seq) *wire.Body {
	return &wire.Body{Time: int64(seq), Requests: []*wire.Request{{
		ID: wire.RequestID{Session: 1, T: uint64(seq)}, AckedBelow: uint64(seq), Ops: [][]byte{kv.Put([]byte{byte(seq)}, nil)},
	}}}
}

// The core may hand over a window of batches, and checkpoints, before it gets any result. Here the executor stands still
// at an earlier checkpoint. That must not delay the driver's turn; otherwise the test ends in a deadlock.
func TestTheDriverNeverWaitsForTheExecutor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, cfg, done := newTestExecutor(t, memstore.New())
		for seq := wire.Seq(1); seq <= 8; seq++ {
			x.Do(port.Execute{Seq: seq, Body: body(seq)})
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- x.run(ctx) }()
		for seq := wire.Seq(1); seq <= 8; seq++ {
			if e := (<-done).(port.Executed); e.Seq != seq || len(e.Replies) != 1 {
				t.Fatalf("executed %+v, want %d", e, seq)
			}
		}
		stop()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		x.Do(port.Snapshot{Seq: 8}) // the executor must not take this yet, although the core has the result of batch 8
		for seq := wire.Seq(9); seq <= 8+cfg.LogWindow; seq++ {
			x.Do(port.Execute{Seq: seq, Body: body(seq)})
			if seq%cfg.CheckpointInterval == 0 {
				x.Do(port.Snapshot{Seq: seq})
			}
		}
		ctx, stop = context.WithCancel(t.Context())
		go func() { ended <- x.run(ctx) }()
		for want := wire.Seq(8); want <= 40; want += 8 {
			for {
				if s, ok := (<-done).(port.Snapshotted); ok {
					if s.Seq != want {
						t.Fatalf("snapshot %d, want %d", s.Seq, want)
					}
					break
				}
			}
		}
		stop()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	})
}

// If nobody takes an executor's results any more, the executor ends with its context, even if the lane is full.
func TestTheExecutorEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, cfg, _ := newTestExecutor(t, memstore.New())
		x.done = make(chan port.Event)
		for seq := wire.Seq(1); seq <= cfg.LogWindow; seq++ {
			x.Do(port.Execute{Seq: seq, Body: body(seq)})
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- x.run(ctx) }()
		synctest.Wait()
		stop()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	})
}

var errStore = errors.New("the store failed")

// failingStorage is a storage whose writes fail.
type failingStorage struct{ *memstore.Store }

func (failingStorage) Write([]statemachine.WriteSet) error { return errStore }

func TestD6_AStoreThatFailsEndsTheExecutor(t *testing.T) {
	x, _, done := newTestExecutor(t, failingStorage{memstore.New()})
	x.Do(port.Execute{Seq: 1, Body: body(1)})
	if err := x.run(t.Context()); !errors.Is(err, errStore) {
		t.Fatalf("ended with %v", err)
	}
	// The batch is in the journal, so it is executed even if the store cannot be written.
	if e := (<-done).(port.Executed); e.Seq != 1 {
		t.Fatalf("told of %+v", e)
	}
}

// The bounds of one write to the store (D5); the executor uses the same.
const (
	flushEvery  = 64
	flushWithin = 100 * time.Millisecond
)

// reference applies the batches of body one after the other, and knows which root follows.
type reference struct {
	*statemachine.Service
	t *testing.T
}

func newReference(t *testing.T) reference {
	t.Helper()
	service, err := statemachine.New(kv.Machine{}, memstore.New(), statemachine.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return reference{service, t}
}

func (r reference) apply(seq wire.Seq) {
	r.t.Helper()
	b := statemachine.Batch{Seq: uint64(seq), Time: int64(seq)}
	for _, q := range body(seq).Requests {
		b.Requests = append(b.Requests, statemachine.Request{
			Client: q.ID.Client, Session: uint64(q.ID.Session), T: q.ID.T, AckedBelow: q.AckedBelow, Digest: q.Digest(), Ops: q.Ops,
		})
	}
	if _, err := r.Apply(b); err != nil {
		r.t.Fatal(err)
	}
}
