package flood

import (
	"context"
	"fmt"
	"sync"
	"time"

	"tagma/client"
	"tagma/crypto"
	"tagma/statemachine/kv"
	"tagma/testnet/local"
	"tagma/testnet/report"
)

// honest are clients that wait for each answer.
type honest []*client.Client

func (r *run) dial(ctx context.Context) (honest, error) {
	ctx, cancel := context.WithTimeout(ctx, local.Patience)
	defer cancel()
	var clients honest
	for i := range r.Honest {
		key, err := crypto.ReadKey(r.cluster.ClientKey(i + 1))
		if err != nil {
			return clients, err
		}
		c, err := client.DialCluster(ctx, r.cluster.File, key)
		if err != nil {
			return clients, err
		}
		clients = append(clients, c)
	}
	return clients, nil
}

func (h honest) close() {
	for _, c := range h {
		_ = c.Close() // what it did is counted already
	}
}

// work has the clients put so many values, or as many as they can while patience lasts, and measures it. What is under
// way then may take as long again.
func (h honest) work(ctx context.Context, r *run, name string, operations int) Measured {
	r.show.Begin(name, fmt.Sprintf("%d honest clients, %d requests under way", len(h), len(h)*r.Workers))
	ctx, cancel := context.WithTimeout(ctx, 2*r.Patience)
	defer cancel()
	t := &tally{began: time.Now(), goal: operations, show: r.show}
	var workers sync.WaitGroup
	for _, c := range h {
		for range r.Workers {
			workers.Go(func() {
				for n, more := t.next(r.Patience); more; n, more = t.next(r.Patience) {
					sent := time.Now()
					if put(ctx, c, fmt.Sprintf("%s/%d", name, n)) == nil {
						t.acknowledged(time.Since(sent))
					}
				}
			})
		}
	}
	workers.Wait()
	m := t.measured()
	r.show.End("%.0f a second, p50 %.0f ms, p99 %.0f ms", m.OpsPerSecond, m.Latency.P50, m.Latency.P99)
	return m
}

func put(ctx context.Context, c *client.Client, key string) error {
	result, err := c.Do(ctx, kv.Put([]byte(key), make([]byte, valueBytes)))
	if err == nil {
		_, err = kv.DecodePut(result.Output())
	}
	return err
}

// tally counts what honest clients do.
type tally struct {
	began time.Time
	goal  int
	show  Progress

	mu        sync.Mutex
	submitted int
	took      []time.Duration
}

// next numbers an operation, unless there are enough or time is over.
func (t *tally) next(patience time.Duration) (n int, more bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.submitted == t.goal || time.Since(t.began) > patience {
		return 0, false
	}
	t.submitted++
	return t.submitted, true
}

func (t *tally) acknowledged(took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.took = append(t.took, took)
	t.show.Advance(len(t.took), t.goal, "acknowledged")
}

func (t *tally) measured() Measured {
	lasted := time.Since(t.began)
	return Measured{
		Submitted: t.submitted, Acknowledged: len(t.took), Millis: lasted.Milliseconds(),
		OpsPerSecond: report.Round(float64(len(t.took)) / lasted.Seconds()), Latency: report.Latencies(t.took),
	}
}

// valueBytes is the size of what is written, by honest clients and by flooding ones.
const valueBytes = 100
