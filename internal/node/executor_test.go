package node

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"tagma/pbft"
	"tagma/statemachine"
	"tagma/statemachine/kv"
	"tagma/statemachine/memstore"
)

func newTestExecutor(t *testing.T, storage statemachine.Storage) (*executor, *pbft.Config, chan pbft.Event) {
	t.Helper()
	cfg := pbft.Config{Members: make([]pbft.PublicKey, 4), CheckpointInterval: 8, LogWindow: 32}
	service, err := statemachine.New(kv.Machine{}, storage, statemachine.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	done := newLanes(&cfg).executed
	return newExecutor(&cfg, service, storage, done), &cfg, done
}

func body(seq pbft.Seq) *pbft.Body {
	return &pbft.Body{Time: int64(seq), Requests: []*pbft.Request{{
		ID: pbft.RequestID{Session: 1, T: uint64(seq)}, AckedBelow: uint64(seq), Ops: [][]byte{kv.Put([]byte{byte(seq)}, nil)},
	}}}
}

// The core hands over a window of batches and their checkpoints ahead of what it heard was executed, behind a checkpoint
// that still waits. An executor that stands still must not hold up the driver's turn: a deadlock fails the bubble.
func TestTheDriverNeverWaitsForTheExecutor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, cfg, done := newTestExecutor(t, memstore.New())
		for seq := pbft.Seq(1); seq <= 8; seq++ {
			x.Execute(seq, body(seq))
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- x.run(ctx) }()
		for seq := pbft.Seq(1); seq <= 8; seq++ {
			if e := (<-done).(pbft.Executed); e.Seq != seq || len(e.Replies) != 1 {
				t.Fatalf("executed %+v, want %d", e, seq)
			}
		}
		stop()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		x.Snapshot(8) // not taken yet, while the core has heard of batch 8
		for seq := pbft.Seq(9); seq <= 8+cfg.LogWindow; seq++ {
			x.Execute(seq, body(seq))
			if seq%cfg.CheckpointInterval == 0 {
				x.Snapshot(seq)
			}
		}
		ctx, stop = context.WithCancel(t.Context())
		go func() { ended <- x.run(ctx) }()
		for want := pbft.Seq(8); want <= 40; want += 8 {
			for {
				if s, ok := (<-done).(pbft.Snapshotted); ok {
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

// An executor that nobody listens to any more ends with its context, however full the lane is.
func TestTheExecutorEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, cfg, _ := newTestExecutor(t, memstore.New())
		x.done = make(chan pbft.Event)
		for seq := pbft.Seq(1); seq <= cfg.LogWindow; seq++ {
			x.Execute(seq, body(seq))
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

// sick is a storage whose writes fail.
type sick struct{ *memstore.Store }

func (sick) Write([]statemachine.WriteSet) error { return errStore }

func TestD6_AStoreThatFailsEndsTheExecutor(t *testing.T) {
	x, _, done := newTestExecutor(t, sick{memstore.New()})
	x.Execute(1, body(1))
	if err := x.run(t.Context()); !errors.Is(err, errStore) {
		t.Fatalf("ended with %v", err)
	}
	if e := (<-done).(pbft.Executed); e.Seq != 1 { // the journal has it: it is true whatever the store does
		t.Fatalf("told of %+v", e)
	}
}
