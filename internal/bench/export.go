package bench

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
)

// Save writes all files of the runs into a directory: summary.csv, intervals.csv, latency.hgrm, throughput.svg and
// latency.svg.
func (r Runs) Save(dir string) error {
	for name, write := range map[string]func(io.Writer) error{
		"summary.csv": r.WriteSummary, "intervals.csv": r.WriteIntervals, "latency.hgrm": r.WriteHistogram,
		"throughput.svg": r.PlotThroughput, "latency.svg": r.PlotLatency,
	} {
		file, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		if err := errors.Join(write(file), file.Close()); err != nil {
			return err
		}
	}
	return nil
}

// WriteSummary writes a header and a line of CSV for each run.
func (r Runs) WriteSummary(w io.Writer) error {
	number := func(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }
	rows := [][]string{{
		"submitted", "acknowledged", "failed", "unknown", "busy", "elapsed_ms", "ops_per_s", "p50_ms", "p95_ms", "p99_ms",
		"p999_ms", "max_ms", "mean_ms", "run",
	}}
	for i, run := range r {
		o, l := run.Operations, run.Latency
		rows = append(rows, []string{
			strconv.Itoa(o.Submitted), strconv.Itoa(o.Acknowledged), strconv.Itoa(o.Failed), strconv.Itoa(o.Unknown),
			strconv.Itoa(o.Busy), number(run.ElapsedMS), number(run.Throughput.OpsPerSecond), number(l.P50), number(l.P95),
			number(l.P99), number(l.P999), number(l.Max), number(l.Mean), strconv.Itoa(i + 1),
		})
	}
	return csv.NewWriter(w).WriteAll(rows)
}

// WriteIntervals writes a line of CSV for each second of each run.
func (r Runs) WriteIntervals(w io.Writer) error {
	rows := [][]string{{"second", "ops", "p50_ms", "p99_ms", "max_ms", "run"}}
	for run, result := range r {
		for i, v := range result.Intervals {
			rows = append(rows, []string{
				strconv.Itoa(i + 1), strconv.Itoa(v.Ops), fmt.Sprint(v.P50), fmt.Sprint(v.P99), fmt.Sprint(v.Max),
				strconv.Itoa(run + 1),
			})
		}
	}
	return csv.NewWriter(w).WriteAll(rows)
}

// WriteHistogram writes the latencies of all runs together, in milliseconds, in the text format of HdrHistogram's plotters.
func (r Runs) WriteHistogram(w io.Writer) error {
	_, err := r.histogram().PercentilesPrint(w, 5, 1000)
	return err
}

// PlotThroughput writes an SVG of the operations acknowledged in each second, with a line for each run.
func (r Runs) PlotThroughput(w io.Writer) error {
	c := chart{title: "Throughput", x: axis{name: "second"}, y: axis{name: "operations/s"}}
	for i, run := range r {
		l := line{name: fmt.Sprintf("run %d", i+1)}
		whole := run.Intervals
		if len(whole) > 1 { // the last interval is shorter
			whole = whole[:len(whole)-1]
		}
		for second, v := range whole {
			l.points = append(l.points, point{float64(second + 1), float64(v.Ops)})
		}
		c.lines = append(c.lines, l)
	}
	return c.write(w)
}

// PlotLatency writes an SVG of the latency by percentile, with a line for each run. The axis is such that 90 %, 99 %,
// 99.9 % and so on are equally far apart.
func (r Runs) PlotLatency(w io.Writer) error {
	c := chart{title: "Latency", x: axis{name: "percentile", ticks: nines}, y: axis{name: "ms"}}
	for i, run := range r {
		l := line{name: fmt.Sprintf("run %d", i+1)}
		for _, b := range run.Histogram.CumulativeDistribution() {
			if b.Quantile < 100 {
				l.points = append(l.points, point{depth(b.Quantile), millis(b.ValueAt)})
			}
		}
		c.lines = append(c.lines, l)
	}
	return c.write(w)
}
