package demo

import (
	"context"
	"time"

	"tagma/testnet/report"
)

// silence is the longest time between two acknowledgements that overlaps a span of time: the gap that a fault tore which
// was noticed in that span. It is zero if there is none.
func silence(acks []ack, after, before time.Duration) (from, lasted time.Duration) {
	for i := 1; i < len(acks); i++ {
		a, b := acks[i-1].at, acks[i].at
		if a <= before && b >= after && b-a > lasted {
			from, lasted = a, b-a
		}
	}
	return from, lasted
}

// nextAck is when the first operation at or after a moment was acknowledged.
func nextAck(acks []ack, at time.Duration) (time.Duration, bool) {
	for _, a := range acks {
		if a.at >= at {
			return a.at, true
		}
	}
	return 0, false
}

// throughput is that of the whole workload, and of its part before a moment.
func throughput(acks []ack, before, lasted time.Duration) report.Throughput {
	early := 0
	for _, a := range acks {
		if a.at <= before {
			early++
		}
	}
	t := report.Throughput{OpsPerSecond: rate(len(acks), lasted), Baseline: rate(early, before)}
	if t.Baseline > 0 {
		t.Ratio = report.Round(t.OpsPerSecond / t.Baseline)
	}
	return t
}

func rate(n int, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return report.Round(float64(n) / d.Seconds())
}

func latencies(acks []ack) report.Latency {
	took := make([]time.Duration, len(acks))
	for i, a := range acks {
		took[i] = a.took
	}
	return report.Latencies(took)
}

// longestPause is how late, at the worst, the system let a goroutine run that wants to every 20 ms, until ctx ended. When
// that comes near the view timeout, replicas cannot tell a primary that is starved from one that is silent.
func longestPause(ctx context.Context) (longest time.Duration) {
	const every = 20 * time.Millisecond
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for last := time.Now(); ; {
		select {
		case <-ctx.Done():
			return longest
		case now := <-ticker.C:
			longest = max(longest, time.Since(last)-every)
			last = now
		}
	}
}
