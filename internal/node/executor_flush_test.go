package node

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/statemachine"
	"tagma/statemachine/memstore"
)

// counting is a storage that records how many batches each write contains.
type counting struct {
	*memstore.Store
	mu     sync.Mutex
	writes []int
}

func (c *counting) Write(sets []statemachine.WriteSet) error {
	c.mu.Lock()
	c.writes = append(c.writes, len(sets))
	c.mu.Unlock()
	return c.Store.Write(sets)
}

func (c *counting) written() []int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.writes)
}

// Every write to the store is synced, so several batches share one write. A write begins flushWithin after the first
// batch that waits, or when flushEvery batches wait, or before a checkpoint, whichever is first (D5).
func TestD5_BatchesShareWritesToTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		storage := &counting{Store: memstore.New()}
		x, _, done := newTestExecutor(t, storage)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- x.run(ctx) }()
		seq := wire.Seq(0)
		execute := func(n int) {
			for range n {
				seq++
				x.Do(port.Execute{Seq: seq, Body: body(seq)})
				<-done
			}
			synctest.Wait()
		}
		wrote := func(what string, want ...int) {
			t.Helper()
			if got := storage.written(); !slices.Equal(got, want) {
				t.Errorf("%s: writes of %v batches, want %v", what, got, want)
			}
		}
		for range 9 {
			execute(1)
			<-time.After(flushWithin / 10)
		}
		wrote("within flushWithin")
		<-time.After(flushWithin / 10)
		synctest.Wait()
		wrote("after flushWithin", 9)
		execute(3)
		x.Do(port.Snapshot{Seq: seq})
		<-done
		wrote("before a checkpoint", 9, 3)
		execute(flushEvery + 1)
		wrote("after flushEvery", 9, 3, flushEvery)
		<-time.After(flushWithin)
		synctest.Wait()
		wrote("what was left", 9, 3, flushEvery, 1)
		<-time.After(10 * flushWithin)
		wrote("at rest", 9, 3, flushEvery, 1)
		stop()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	})
}
