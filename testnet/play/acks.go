package play

import (
	"slices"
	"time"

	"tagma/testnet/report"
)

// Ack is one acknowledged operation: At is when, since the workload began, and Took is how long it took.
type Ack struct{ At, Took time.Duration }

// After returns the acknowledgements that came at or after a moment.
func After(acks []Ack, at time.Duration) []Ack {
	first, _ := slices.BinarySearchFunc(acks, at, func(a Ack, at time.Duration) int { return int(a.At - at) })
	return acks[first:]
}

// recovered returns when the first operation that was submitted at or after a moment was acknowledged, and whether any was.
func recovered(acks []Ack, since time.Duration) (time.Duration, bool) {
	for _, a := range After(acks, since) { // only these operations can have been submitted since
		if a.At-a.Took >= since {
			return a.At, true
		}
	}
	return 0, false
}

// Rate returns n events in a time as events per second.
func Rate(n int, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return report.Round(float64(n) / d.Seconds())
}

// latencies sums up how long operations took.
func latencies(acks []Ack) report.Latency {
	took := make([]time.Duration, len(acks))
	for i, a := range acks {
		took[i] = a.Took
	}
	return report.Latencies(took)
}

// Silence is the longest time without an acknowledgement that overlaps the span between two moments.
func Silence(acks []Ack, from, to time.Duration) (longest time.Duration) {
	last := time.Duration(0)
	for _, a := range append(acks[:len(acks):len(acks)], Ack{At: to}) {
		if a.At > from && last < to {
			longest = max(longest, a.At-last)
		}
		last = a.At
	}
	return longest
}
