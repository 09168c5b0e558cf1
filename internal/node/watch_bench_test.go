package node

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"tagma/statemachine/kv"
)

// BenchmarkWatch measures what watchers cost: four replicas and all clients in this process, a fixed number of changes a
// second, and 0 or many watchers. One op is one change. It reports the processor time of everything, and how long after a
// put began its watchers were told.
func BenchmarkWatch(b *testing.B) {
	for _, c := range []struct {
		name           string
		watchers, rate int
		disjoint       bool
	}{
		{"none at 1000 a second", 0, 1000, true},
		{"1000 of disjoint prefixes at 1000 a second", 1000, 1000, true},
		{"none at 500 a second", 0, 500, false},
		{"100 of everything at 500 a second", 100, 500, false},
	} {
		b.Run(c.name, func(b *testing.B) { benchmarkWatch(b, c.watchers, c.rate, c.disjoint) })
	}
}

func benchmarkWatch(b *testing.B, watchers, rate int, disjoint bool) {
	p := watched(100_000)
	p.CheckpointInterval, p.LogWindow = 0, 0
	bed := newTestbed(b, 4, p)
	bed.startAll()
	c, _ := bed.dial()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var mu sync.Mutex
	var took []time.Duration
	begun := make([]time.Time, b.N)
	var told sync.WaitGroup
	store := kv.NewClient(c)
	from, err := store.Revision(ctx)
	if err != nil {
		b.Fatal(err)
	}
	key := func(n int) string { return fmt.Sprintf("%04d/", n%1000) }
	for i := range watchers {
		prefix, want := "", b.N
		if disjoint {
			prefix, want = key(i), 0
			for n := range b.N {
				if key(n) == prefix {
					want++
				}
			}
		}
		told.Add(1)
		go func() {
			defer told.Done()
			for u, err := range store.Watch(ctx, prefix, from) {
				if err != nil {
					b.Error(err)
					return
				}
				now := time.Now()
				mu.Lock()
				for _, e := range u.Events {
					n, _ := strconv.Atoi(string(e.Pair.Value[:10]))
					took = append(took, now.Sub(begun[n]))
				}
				mu.Unlock()
				if want -= len(u.Events); want <= 0 {
					return
				}
			}
		}()
	}
	before := processorTime(b)
	b.ResetTimer()
	began := time.Now()
	var puts sync.WaitGroup
	for n := range b.N {
		at := began.Add(time.Duration(n) * time.Second / time.Duration(rate))
		if wait := time.Until(at); wait > 0 {
			timer := time.NewTimer(wait)
			<-timer.C
		}
		mu.Lock()
		begun[n] = time.Now()
		mu.Unlock()
		puts.Go(func() {
			if _, err := store.Put(ctx, key(n)+"k", fmt.Appendf(nil, "%010d%090d", n, 0)); err != nil {
				b.Error(err)
			}
		})
	}
	puts.Wait()
	told.Wait()
	elapsed := time.Since(began)
	b.ReportMetric((processorTime(b)-before).Seconds()/elapsed.Seconds(), "processors")
	b.ReportMetric(float64(b.N)/elapsed.Seconds(), "changes/s")
	if len(took) > 0 {
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms-p50")
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "ms-p99")
	}
}

// processorTime is what this process has used.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
