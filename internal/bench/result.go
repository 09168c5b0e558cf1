package bench

import (
	"math"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Result is what was measured. Its JSON has the field names of the report of `tagma-testnet`.
type Result struct {
	Operations Operations `json:"operations"`
	Throughput Throughput `json:"throughput"`
	Latency    Latency    `json:"latency_ms"`
	ElapsedMS  float64    `json:"elapsed_ms"` // from the first request to the last answer
	FirstError string     `json:"first_error,omitempty"`

	Intervals []Interval              `json:"-"` // by second; the last one is shorter
	Histogram *hdrhistogram.Histogram `json:"-"` // of all answered requests, in µs
}

// Operations counts the outcomes of operations.
type Operations struct {
	Submitted    int `json:"submitted"`
	Acknowledged int `json:"acknowledged"`
	Failed       int `json:"failed"`  // answered with an error, or never sent
	Unknown      int `json:"unknown"` // given up before the outcome was known
	Busy         int `json:"busy"`    // how many of the unknown ones ended with the answer that the cluster is overloaded
}

// Throughput is acknowledged operations per second.
type Throughput struct {
	OpsPerSecond float64 `json:"ops_per_s"`
}

// Latency is how long the answered requests took, in milliseconds.
type Latency struct {
	P50  float64 `json:"p50"`
	P95  float64 `json:"p95"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	Max  float64 `json:"max"`
	Mean float64 `json:"mean"`
}

// result computes the result. The recorder must not be used any more.
func (r *recorder) result() *Result {
	elapsed := r.last.Sub(r.began)
	r.intervals.end()
	most := inMillis(r.max)
	// The histogram returns the upper end of the bucket in which a quantile is. That may be above the greatest value.
	of := func(percent float64) float64 { return min(quantile(r.took, percent), most) }
	result := &Result{
		Operations: r.ops,
		ElapsedMS:  inMillis(elapsed),
		Latency: Latency{
			P50: of(50), P95: of(95), P99: of(99), P999: of(99.9),
			Max: most, Mean: round(r.took.Mean() / 1000),
		},
		Intervals: r.intervals.done, Histogram: r.took,
	}
	if elapsed > 0 {
		result.Throughput.OpsPerSecond = round(float64(r.ops.Acknowledged) / elapsed.Seconds())
	}
	if r.firstErr != nil {
		result.FirstError = r.firstErr.Error()
	}
	return result
}

func quantile(h *hdrhistogram.Histogram, percent float64) float64 {
	return millis(h.ValueAtQuantile(percent))
}

func millis(micros int64) float64 { return float64(micros) / 1000 }

func inMillis(d time.Duration) float64 { return round(float64(d) / float64(time.Millisecond)) }

// round keeps three digits after the point, which for milliseconds are the microseconds.
func round(x float64) float64 { return math.Round(x*1000) / 1000 }
