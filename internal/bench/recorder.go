package bench

import (
	"errors"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"tagma/client"
)

// Range and precision of the histograms: microseconds, to three digits.
const (
	shortest = int64(1)
	longest  = int64(time.Hour / time.Microsecond)
	digits   = 3
)

// recorder collects what clients measure.
type recorder struct {
	mu        sync.Mutex
	began     time.Time
	last      time.Time // time of the last answer
	ops       Operations
	took      *hdrhistogram.Histogram // in µs, one value for each answered request
	max       time.Duration
	intervals intervals
	firstErr  error
}

func newRecorder(began time.Time) *recorder {
	return &recorder{
		began: began, last: began,
		took:      hdrhistogram.New(shortest, longest, digits),
		intervals: intervals{took: hdrhistogram.New(shortest, longest, digits)},
	}
}

// submitted counts n operations that are about to be sent.
func (r *recorder) submitted(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ops.Submitted += n
}

// answered counts the outcome of a request with n operations.
func (r *recorder) answered(n int, took time.Duration, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = time.Now()
	if err != nil {
		r.failed(n, err)
		return
	}
	r.ops.Acknowledged += n
	r.max = max(r.max, took)
	micros := min(max(took.Microseconds(), shortest), longest)
	_ = r.took.RecordValue(micros) // fails only if out of range, which it is not
	r.intervals.add(r.last.Sub(r.began), n, micros)
}

func (r *recorder) failed(n int, err error) {
	if r.firstErr == nil {
		r.firstErr = err
	}
	if errors.Is(err, client.ErrBusy) {
		r.ops.Busy += n
	}
	if errors.Is(err, client.ErrUnknown) {
		r.ops.Unknown += n
	} else {
		r.ops.Failed += n
	}
}

// acknowledged is how many operations were acknowledged so far.
func (r *recorder) acknowledged() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ops.Acknowledged
}

// Interval holds the figures of one second of a run.
type Interval struct {
	Ops           int     // operations acknowledged in this second
	P50, P99, Max float64 // in milliseconds, of the requests answered in this second
}

// intervals divides a run into seconds.
type intervals struct {
	done []Interval
	ops  int
	took *hdrhistogram.Histogram // of the current second
}

func (v *intervals) add(at time.Duration, n int, micros int64) {
	for len(v.done) < int(at/time.Second) {
		v.end()
	}
	v.ops += n
	_ = v.took.RecordValue(micros) // in range, as above
}

// end closes the current second.
func (v *intervals) end() {
	v.done = append(v.done, Interval{
		Ops: v.ops, P50: quantile(v.took, 50), P99: quantile(v.took, 99), Max: millis(v.took.Max()),
	})
	v.ops = 0
	v.took.Reset()
}
