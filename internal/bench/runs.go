package bench

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Runs are the results of repeating the same load; there is at least one.
type Runs []*Result

// Spread says how far a figure varies over several runs. The median of an even number is the lower of the middle two.
type Spread struct {
	Min    float64 `json:"min"`
	Median float64 `json:"median"`
	Max    float64 `json:"max"`
}

// Repeat runs the same load several times and shows the progress. Only the first run has a warm-up.
func Repeat(ctx context.Context, callers []Caller, opt Options, times int, view *View) (Runs, error) {
	runs := Runs{}
	for range times {
		result, err := Run(ctx, callers, opt, view.Every(), view.Show)
		view.Clear()
		if err != nil {
			return nil, err
		}
		runs = append(runs, result)
		opt.Warmup = 0
		opt.Seed++
	}
	return runs, nil
}

// Spread returns how far a figure varies among the runs.
func (r Runs) Spread(figure func(*Result) float64) Spread {
	values := make([]float64, len(r))
	for i, result := range r {
		values[i] = figure(result)
	}
	slices.Sort(values)
	return Spread{Min: values[0], Median: values[(len(values)-1)/2], Max: values[len(values)-1]}
}

// Median returns the run with the median throughput.
func (r Runs) Median() *Result {
	sorted := slices.SortedFunc(slices.Values(r), func(a, b *Result) int {
		return cmp.Compare(a.Throughput.OpsPerSecond, b.Throughput.OpsPerSecond)
	})
	return sorted[(len(sorted)-1)/2]
}

// Unfinished counts the operations of all runs that failed, and those whose outcome is unknown, with the first error.
func (r Runs) Unfinished() (failed, unknown int, firstError string) {
	for _, result := range r {
		failed += result.Operations.Failed
		unknown += result.Operations.Unknown
		if firstError == "" {
			firstError = result.FirstError
		}
	}
	return failed, unknown, firstError
}

// Failure returns an error if operations failed or their outcome is unknown.
func (r Runs) Failure() error {
	failed, unknown, first := r.Unfinished()
	if failed+unknown == 0 {
		return nil
	}
	return fmt.Errorf("%d operations failed and the outcome of %d is unknown; the first error: %s", failed, unknown, first)
}

// histogram is the histogram of all runs together.
func (r Runs) histogram() *hdrhistogram.Histogram {
	all := hdrhistogram.New(shortest, longest, digits)
	for _, result := range r {
		all.Merge(result.Histogram)
	}
	return all
}
