package sim

import (
	"runtime/debug"
	"testing"
	"time"
)

// The target is that simulated time passes 500 times as fast as real time, for four replicas under load on one core.
// "x_cpu" is that factor, measured in processor time; run with GOMAXPROCS=1. GC settings are those of the command.
func BenchmarkWorld(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(800))
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
		for _, watch := range []string{"watched", "unwatched"} {
			b.Run(load.name+" "+watch, func(b *testing.B) {
				w := mustNew(b, Options{
					Seed: 1, Unwatched: watch == "unwatched", Clients: load.clients, Workload: load.Workload,
				})
				b.ReportAllocs()
				b.ResetTimer()
				before := processorTime()
				for range b.N {
					w.mustRun(b, w.Now()+time.Second)
				}
				b.StopTimer()
				used := (processorTime() - before).Seconds()
				b.ReportMetric(w.Now().Seconds()/used, "x_cpu")
				b.ReportMetric(float64(w.Acknowledged())/w.Now().Seconds(), "ops/sim_s")
				b.ReportMetric(float64(w.Counts().Messages)/used, "messages/cpu_s")
			})
		}
	}
}
