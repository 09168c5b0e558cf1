package node

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"tagma/internal/cluster"
	"tagma/statemachine/kv"
)

// BenchmarkPut measures how long one put takes, without and with others at the same time. The four replicas and their
// client run in this process.
func BenchmarkPut(b *testing.B) {
	for _, outstanding := range []int{1, 64} {
		b.Run(fmt.Sprintf("%d at once", outstanding), func(b *testing.B) {
			bed := newTestbed(b, 4, cluster.Protocol{})
			for i := range 4 {
				bed.adjust(i, func(s *Settings) { s.SegmentBytes = DefaultSegmentBytes })
			}
			bed.startAll()
			l := bed.load()
			l.put(20, 100)
			bed.until("all connected", func(rs []Report) bool { return len(rs[0].Connected) == 3 && len(rs[3].Connected) == 3 })
			took := make([]time.Duration, b.N)
			next := make(chan int)
			var workers sync.WaitGroup
			b.ResetTimer()
			for range outstanding {
				workers.Go(func() {
					for i := range next {
						began := time.Now()
						if _, err := kv.NewClient(l.c).Put(l.ctx, fmt.Sprintf("b%d", i), l.value(i, 100)); err != nil {
							b.Error(err)
						}
						took[i] = time.Since(began)
					}
				})
			}
			for i := range b.N {
				next <- i
			}
			close(next)
			workers.Wait()
			b.StopTimer()
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "puts/s")
		})
	}
}
