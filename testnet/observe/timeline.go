package observe

import (
	"context"
	"fmt"
	"time"

	"tagma/testnet/report"
)

// Ack is one acknowledged operation: when, since the workload began, and how long it took.
type Ack struct{ At, Took time.Duration }

// Silence is the longest time between two acknowledgements that overlaps a span of time: the gap that a fault tore which
// was noticed in that span. It is zero if there is none.
func Silence(acks []Ack, after, before time.Duration) (from, lasted time.Duration) {
	for i := 1; i < len(acks); i++ {
		a, b := acks[i-1].At, acks[i].At
		if a <= before && b >= after && b-a > lasted {
			from, lasted = a, b-a
		}
	}
	return from, lasted
}

// NextAck is when the first operation at or after a moment was acknowledged.
func NextAck(acks []Ack, at time.Duration) (time.Duration, bool) {
	for _, a := range acks {
		if a.At >= at {
			return a.At, true
		}
	}
	return 0, false
}

// Recovered is when an operation that was submitted at or after a moment was first acknowledged. Acknowledgements are in
// the order of their arrival.
func Recovered(acks []Ack, since time.Duration) (time.Duration, bool) {
	for _, a := range acks {
		if a.At-a.Took >= since {
			return a.At, true
		}
	}
	return 0, false
}

// Throughput is that of the whole workload, and of its part before a moment.
func Throughput(acks []Ack, before, lasted time.Duration) report.Throughput {
	early := 0
	for _, a := range acks {
		if a.At <= before {
			early++
		}
	}
	t := report.Throughput{OpsPerSecond: Rate(len(acks), lasted), Baseline: Rate(early, before)}
	if t.Baseline > 0 {
		t.Ratio = report.Round(t.OpsPerSecond / t.Baseline)
	}
	return t
}

// Rate is so many in a time, per second.
func Rate(n int, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return report.Round(float64(n) / d.Seconds())
}

// Latencies sums up how long operations took.
func Latencies(acks []Ack) report.Latency {
	took := make([]time.Duration, len(acks))
	for i, a := range acks {
		took[i] = a.Took
	}
	return report.Latencies(took)
}

// Starved says that the system kept us waiting for a good part of the view timeout, "" if it did not. An order takes several
// steps on several replicas, so a quarter for one step of one process is enough to miss it: how many views and how much
// time a run took then says something about the machine, and nothing about the protocol.
func Starved(waited, viewTimeout time.Duration) string {
	if waited <= viewTimeout/4 {
		return ""
	}
	return fmt.Sprintf("the machine let a process wait for %v, and the view timeout is %v", waited.Round(time.Millisecond), viewTimeout)
}

// LongestPause is how late, at the worst, the system let a goroutine run that wants to every 20 ms, until ctx ended. When
// that comes near the view timeout, replicas cannot tell a primary that is starved from one that is silent.
func LongestPause(ctx context.Context) (longest time.Duration) {
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
