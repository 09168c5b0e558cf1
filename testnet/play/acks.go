package play

import (
	"fmt"
	"slices"
	"time"

	"tagma/testnet/report"
)

// Ack is one acknowledged operation: when, since the workload began, and how long it took.
type Ack struct{ At, Took time.Duration }

// after are the acknowledgements at or after a moment.
func after(acks []Ack, at time.Duration) []Ack {
	first, _ := slices.BinarySearchFunc(acks, at, func(a Ack, at time.Duration) int { return int(a.At - at) })
	return acks[first:]
}

// recovered is when an operation that was submitted at or after a moment was first acknowledged.
func recovered(acks []Ack, since time.Duration) (time.Duration, bool) {
	for _, a := range after(acks, since) { // only those can have been submitted since
		if a.At-a.Took >= since {
			return a.At, true
		}
	}
	return 0, false
}

// Rate is so many in a time, per second.
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

// Starved says that the system kept us waiting for a good part of the view timeout, "" if it did not. An order takes several
// steps on several replicas, so a quarter for one step of one process is enough to miss it: how many views and how much
// time a run took then says something about the machine, and nothing about the protocol.
func Starved(waited, viewTimeout time.Duration) string {
	if waited <= viewTimeout/4 {
		return ""
	}
	return fmt.Sprintf("the machine let a process wait for %v, and the view timeout is %v", waited.Round(time.Millisecond), viewTimeout)
}
