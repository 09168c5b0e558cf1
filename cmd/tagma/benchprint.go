package main

import (
	"fmt"
	"io"
	"runtime"
	"strings"

	"tagma/internal/bench"
	"tagma/internal/command"
	"tagma/internal/terminal"
)

// benchReport is what `tagma bench --json` prints. Of several runs the result is that with the median throughput.
type benchReport struct {
	Settings benchSettings `json:"settings"`
	Machine  benchMachine  `json:"machine"`
	*bench.Result
	Spread *benchSpread `json:"spread,omitempty"` // of several runs
	Runs   bench.Runs   `json:"runs,omitempty"`   // all, if there are several
}

// benchSpread is how far figures scatter over the runs, each for itself.
type benchSpread struct {
	OpsPerSecond bench.Spread `json:"ops_per_s"`
	Latency      struct {
		P50 bench.Spread `json:"p50"`
		P95 bench.Spread `json:"p95"`
		P99 bench.Spread `json:"p99"`
		Max bench.Spread `json:"max"`
	} `json:"latency_ms"`
}

func benchSpreadOf(runs bench.Runs) *benchSpread {
	s := &benchSpread{OpsPerSecond: runs.Spread(func(r *bench.Result) float64 { return r.Throughput.OpsPerSecond })}
	s.Latency.P50 = runs.Spread(func(r *bench.Result) float64 { return r.Latency.P50 })
	s.Latency.P95 = runs.Spread(func(r *bench.Result) float64 { return r.Latency.P95 })
	s.Latency.P99 = runs.Spread(func(r *bench.Result) float64 { return r.Latency.P99 })
	s.Latency.Max = runs.Spread(func(r *bench.Result) float64 { return r.Latency.Max })
	return s
}

type benchSettings struct {
	Clients     int     `json:"clients"`
	Connections int     `json:"connections"`
	Ops         int     `json:"ops,omitempty"`
	DurationMS  int64   `json:"duration_ms,omitempty"`
	WarmupMS    int64   `json:"warmup_ms"`
	ValueBytes  int     `json:"value_bytes"`
	Reads       int     `json:"reads_percent"`
	Batch       int     `json:"batch"`
	Rate        float64 `json:"rate"` // 0: a closed loop
	Keys        int     `json:"keys"`
	Runs        int     `json:"runs"`
}

// benchMachine is where the clients ran, and as what; the replicas may be elsewhere.
type benchMachine struct {
	OS      string `json:"os"`
	Arch    string `json:"arch"`
	CPUs    int    `json:"cpus"`
	Go      string `json:"go"`
	Version string `json:"version"`
}

func (b *benchRun) report(runs bench.Runs) benchReport {
	o := &b.options
	s := benchSettings{
		Clients: o.Clients, Connections: b.connections, Ops: o.Ops, WarmupMS: o.Warmup.Milliseconds(),
		ValueBytes: o.ValueBytes, Reads: o.Reads, Batch: o.Batch, Rate: o.Rate, Keys: o.Keys, Runs: len(runs),
	}
	if o.Ops == 0 {
		s.DurationMS = o.Duration.Milliseconds()
	}
	report := benchReport{
		Settings: s, Machine: benchMachine{runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), command.Version()},
		Result: runs.Median(),
	}
	if len(runs) > 1 {
		report.Runs, report.Spread = runs, benchSpreadOf(runs)
	}
	return report
}

func (b *benchRun) print(w io.Writer, runs bench.Runs) error {
	if b.to.JSON {
		return command.PrintJSON(w, b.report(runs))
	}
	o, on := &b.options, terminal.Colours(w)
	loop := "one after the other"
	if o.Rate > 0 {
		loop = fmt.Sprintf("%g operations/s due", o.Rate)
	}
	text := fmt.Sprintf("%s over %s, %s: %s a request, %d-byte values, %d %% reads\n\n", terminal.Count(o.Clients, "client"),
		terminal.Count(b.connections, "connection"), loop, terminal.Count(o.Batch, "operation"), o.ValueBytes, o.Reads)
	text += benchTable(runs) + "\n"
	var acknowledged, busy int
	for _, r := range runs {
		acknowledged, busy = acknowledged+r.Operations.Acknowledged, busy+r.Operations.Busy
	}
	failed, unknown, _ := runs.Unfinished()
	colour := terminal.Green
	if failed+unknown > 0 {
		colour = terminal.Red
	}
	text += terminal.Coloured(on, colour, fmt.Sprintf("%d acknowledged, %d failed, %d unknown (%d of those: cluster overloaded)",
		acknowledged, failed, unknown, busy)) + "\n"
	if b.out != "" {
		text += fmt.Sprintf("details in %s\n", b.out)
	}
	_, err := io.WriteString(w, text)
	return err
}

// benchTable has a line for each run, and with several of them the least, the median and the greatest of each column.
func benchTable(runs bench.Runs) string {
	columns := []struct {
		name   string
		figure func(*bench.Result) float64
	}{
		{"ops/s", func(r *bench.Result) float64 { return r.Throughput.OpsPerSecond }},
		{"p50 ms", func(r *bench.Result) float64 { return r.Latency.P50 }},
		{"p95 ms", func(r *bench.Result) float64 { return r.Latency.P95 }},
		{"p99 ms", func(r *bench.Result) float64 { return r.Latency.P99 }},
		{"p99.9 ms", func(r *bench.Result) float64 { return r.Latency.P999 }},
		{"max ms", func(r *bench.Result) float64 { return r.Latency.Max }},
		{"mean ms", func(r *bench.Result) float64 { return r.Latency.Mean }},
		{"seconds", func(r *bench.Result) float64 { return r.ElapsedMS / 1000 }},
	}
	lines := make([]string, 1+len(runs))
	var least, median, greatest string
	for i, c := range columns {
		form := "%9.2f"
		if i == 0 {
			form = "%11.0f"
		} else {
			lines[0] += " "
			form = " " + form
		}
		lines[0] += fmt.Sprintf("%*s", len(fmt.Sprintf(form, 0.0))-min(i, 1), c.name)
		for k, r := range runs {
			lines[1+k] += fmt.Sprintf(form, c.figure(r))
		}
		s := runs.Spread(c.figure)
		least, median, greatest = least+fmt.Sprintf(form, s.Min), median+fmt.Sprintf(form, s.Median), greatest+fmt.Sprintf(form, s.Max)
	}
	if len(runs) > 1 {
		lines = append(lines, "", least+"  min", median+"  median", greatest+"  max")
	}
	return strings.Join(lines, "\n") + "\n"
}
