package demo

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"tagma/client"
	"tagma/statemachine/kv"
	"tagma/testnet/check"
	"tagma/testnet/observe"
	"tagma/testnet/report"
)

// workload is clients that write. Every write has a key of its own, so reading back shows each single one: that it is
// there (I9) and that it happened once, however often it was sent (I3).
type workload struct {
	sessions []*client.Client
	began    time.Time
	stop     chan struct{}
	workers  sync.WaitGroup
	cancel   context.CancelFunc

	mu     sync.Mutex
	counts report.Operations
	writes []check.Write
	acks   []observe.Ack // in the order of their arrival
	failed error         // the first operation that failed
}

// begin starts all workers of all sessions.
func begin(ctx context.Context, sessions []*client.Client, workers int, seed uint64) *workload {
	ctx, cancel := context.WithCancel(ctx)
	w := &workload{sessions: sessions, began: time.Now(), stop: make(chan struct{}), cancel: cancel}
	for i, c := range sessions {
		for j := range workers {
			random := rand.New(rand.NewPCG(seed, uint64(i*workers+j)))
			w.workers.Go(func() { w.work(ctx, c, fmt.Sprintf("client%d/worker%02d", i, j), random) })
		}
	}
	return w
}

// work writes one key after the other until the end. The client library sends again what is not answered.
func (w *workload) work(ctx context.Context, c *client.Client, name string, random *rand.Rand) {
	for n := 0; ; n++ {
		select {
		case <-w.stop:
			return
		case <-ctx.Done():
			return
		default:
		}
		value := make([]byte, valueSize/2)
		for i := range value {
			value[i] = byte(random.Uint32())
		}
		write := check.Write{Key: fmt.Sprintf("%s/%05d", name, n), Value: hex.EncodeToString(value)}
		w.mu.Lock()
		w.counts.Submitted++
		w.mu.Unlock()
		sent := time.Now()
		result, err := c.Do(ctx, kv.Put([]byte(write.Key), []byte(write.Value)))
		if err == nil {
			_, err = kv.DecodePut(result.Output())
		}
		w.note(write, sent, err)
	}
}

func (w *workload) note(write check.Write, sent time.Time, err error) {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case err == nil:
		w.counts.Acknowledged++
		write.Acknowledged = true
		w.acks = append(w.acks, observe.Ack{At: now.Sub(w.began), Took: now.Sub(sent)})
	case errors.Is(err, client.ErrUnknown):
		w.counts.Unknown++
	default:
		w.counts.Failed++
		if w.failed == nil {
			w.failed = err
		}
		return
	}
	w.writes = append(w.writes, write)
}

// progress is how many operations are acknowledged, and how long ago the last one was.
func (w *workload) progress() (acknowledged int, silent time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	last := time.Duration(0)
	if n := len(w.acks); n > 0 {
		last = w.acks[n-1].At
	}
	return len(w.acks), time.Since(w.began) - last
}

// end lets the requests under way finish, at most for a while, and returns how long the workload lasted. What is still
// open then has an unknown outcome.
func (w *workload) end(patience time.Duration) time.Duration {
	close(w.stop)
	timer := time.AfterFunc(patience, w.cancel)
	w.workers.Wait()
	timer.Stop()
	w.cancel()
	return time.Since(w.began)
}
