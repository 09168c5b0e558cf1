package bench

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
)

// WriteSummary writes one line of CSV under a heading: the whole run.
func (r *Result) WriteSummary(w io.Writer) error {
	number := func(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }
	return table(w, [][]string{
		{"submitted", "acknowledged", "failed", "unknown", "busy", "elapsed_ms", "ops_per_s", "p50_ms", "p95_ms", "p99_ms", "p999_ms", "max_ms", "mean_ms"},
		{
			strconv.Itoa(r.Operations.Submitted), strconv.Itoa(r.Operations.Acknowledged), strconv.Itoa(r.Operations.Failed),
			strconv.Itoa(r.Operations.Unknown), strconv.Itoa(r.Operations.Busy), number(r.ElapsedMS),
			number(r.Throughput.OpsPerSecond), number(r.Latency.P50), number(r.Latency.P95), number(r.Latency.P99),
			number(r.Latency.P999), number(r.Latency.Max), number(r.Latency.Mean),
		},
	})
}

// WriteIntervals writes one line of CSV for each second of the run.
func (r *Result) WriteIntervals(w io.Writer) error {
	rows := [][]string{{"second", "ops", "p50_ms", "p99_ms", "max_ms"}}
	for i, v := range r.Intervals {
		rows = append(rows, []string{
			strconv.Itoa(i + 1), strconv.Itoa(v.Ops), fmt.Sprint(v.P50), fmt.Sprint(v.P99), fmt.Sprint(v.Max),
		})
	}
	return table(w, rows)
}

// WriteHistogram writes the distribution of the latencies, in milliseconds, in the text form that the plotters of
// HdrHistogram read.
func (r *Result) WriteHistogram(w io.Writer) error {
	_, err := r.Histogram.PercentilesPrint(w, 5, 1000)
	return err
}

func table(w io.Writer, rows [][]string) error {
	c := csv.NewWriter(w)
	return c.WriteAll(rows)
}
