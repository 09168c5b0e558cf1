package sim

import (
	"testing"
	"time"

	"tagma/pbft"
)

// The target is that simulated time passes 500 times as fast as real time, for four replicas under load on one core.
// "x_real" is that factor; run with GOMAXPROCS=1.
func BenchmarkWorld(b *testing.B) {
	for _, load := range []struct {
		name string
		Workload
		clients int
	}{
		{"idle", Workload{Kind: None}, 0},
		{"8 clients thinking 300ms", Workload{Kind: Mixed, Think: 300 * time.Millisecond}, 8},
		{"8 clients thinking 100ms", Workload{Kind: Mixed, Think: 100 * time.Millisecond}, 8},
		{"8 clients closed loop", Workload{Kind: Mixed}, 8},
		{"64 clients closed loop", Workload{Kind: Mixed}, 64},
	} {
		b.Run(load.name, func(b *testing.B) {
			w := mustNew(b, Options{
				Seed: 1, Clients: load.clients, Workload: load.Workload,
				Config: pbft.Config{CheckpointInterval: 16, LogWindow: 64, ViewTimeout: time.Second},
			})
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				w.mustRun(b, w.Now()+time.Second)
			}
			b.StopTimer()
			b.ReportMetric(w.Now().Seconds()/b.Elapsed().Seconds(), "x_real")
			b.ReportMetric(float64(w.Acknowledged())/w.Now().Seconds(), "ops/sim_s")
			b.ReportMetric(float64(w.Counts().Messages)/b.Elapsed().Seconds(), "messages/s")
		})
	}
}
