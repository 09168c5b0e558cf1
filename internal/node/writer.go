package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tagma/pbft"
	"tagma/statemachine"
)

// flushEvery is how many applied batches make a write to the store due, and flushWithin how long the first of them waits
// at most. A write of one batch costs as many syncs as one of many, and they compete with those of the journal.
const (
	flushEvery  = 64
	flushWithin = 100 * time.Millisecond
)

// writer has applied batches written to the store, and checkpoints taken, one at a time on a goroutine beside execution.
// All its methods belong to the executor's goroutine.
type writer struct {
	service    *statemachine.Service
	due        *time.Timer
	overdue    bool     // the first unwritten batch has waited long enough
	unwritten  int      // batches
	checkpoint pbft.Seq // waits for the write that is under way; 0: none does
	results    chan written
	writing    bool
}

// written is what became of a write, and of the checkpoint at its end if it has one.
type written struct {
	checkpoint pbft.Seq
	root       [32]byte
	err        error
}

func newWriter(service *statemachine.Service) *writer {
	due := time.NewTimer(flushWithin)
	due.Stop()
	return &writer{service: service, due: due, results: make(chan written, 1)}
}

// applied counts a batch.
func (w *writer) applied() {
	if w.unwritten++; w.unwritten == 1 {
		w.due.Reset(flushWithin)
	}
}

// begin starts a write if one is due and none is under way.
func (w *writer) begin() {
	if w.writing || w.checkpoint == 0 && w.unwritten < flushEvery && !w.overdue {
		return
	}
	group, result := w.service.Seal(), written{checkpoint: w.checkpoint}
	w.checkpoint, w.unwritten, w.overdue, w.writing = 0, 0, false, true
	w.due.Stop()
	go func() {
		if result.checkpoint != 0 {
			result.root, result.err = group.Checkpoint()
		} else {
			result.err = group.Write()
		}
		w.results <- result
	}()
}

// settle takes the result of a write; for a checkpoint it returns the event.
func (w *writer) settle(result written) (pbft.Event, error) {
	w.writing = false
	if err := w.service.Settle(result.err); err != nil {
		return nil, fmt.Errorf("write to the store: %w", err)
	}
	if result.checkpoint == 0 {
		return nil, nil
	}
	return pbft.Snapshotted{Seq: result.checkpoint, Digest: result.root}, nil
}

// stop waits for a write that is under way. When the replica stops because something failed it does not wait long: the
// disk may be gone, and the process must end (D6).
func (w *writer) stop(ctx context.Context) {
	w.due.Stop()
	if !w.writing {
		return
	}
	var late <-chan time.Time
	if why := context.Cause(ctx); !errors.Is(why, context.Canceled) && !errors.Is(why, context.DeadlineExceeded) {
		late = time.After(closePatience)
	}
	select {
	case result := <-w.results:
		_, _ = w.settle(result) // a failure shows again at the next write
	case <-late:
	}
}
