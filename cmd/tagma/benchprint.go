package main

import (
	"fmt"
	"io"
	"runtime"

	"tagma/internal/bench"
)

// benchReport is what `tagma bench --json` prints.
type benchReport struct {
	Settings benchSettings `json:"settings"`
	Machine  benchMachine  `json:"machine"`
	*bench.Result
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
}

// benchMachine is where the clients ran, and as what; the replicas may be elsewhere.
type benchMachine struct {
	OS      string `json:"os"`
	Arch    string `json:"arch"`
	CPUs    int    `json:"cpus"`
	Go      string `json:"go"`
	Version string `json:"version"`
}

func (b *benchRun) report(result *bench.Result) benchReport {
	o := &b.options
	s := benchSettings{
		Clients: o.Clients, Connections: b.connections, Ops: o.Ops, WarmupMS: o.Warmup.Milliseconds(),
		ValueBytes: o.ValueBytes, Reads: o.Reads, Batch: o.Batch, Rate: o.Rate, Keys: o.Keys,
	}
	if o.Ops == 0 {
		s.DurationMS = o.Duration.Milliseconds()
	}
	return benchReport{s, benchMachine{runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), version()}, result}
}

func (b *benchRun) print(w io.Writer, r *bench.Result) error {
	if b.to.json {
		return printJSON(w, b.report(r))
	}
	o, l, on := &b.options, r.Latency, colours(w)
	loop := "one after the other"
	if o.Rate > 0 {
		loop = fmt.Sprintf("%g operations/s due", o.Rate)
	}
	text := fmt.Sprintf("%s over %s, %s: %s a request, %d-byte values, %d %% reads\n\n", count(o.Clients, "client"),
		count(b.connections, "connection"), loop, count(o.Batch, "operation"), o.ValueBytes, o.Reads)
	text += fmt.Sprintf("%11s %9s %9s %9s %9s %9s %9s %9s\n", "ops/s", "p50 ms", "p95 ms", "p99 ms", "p99.9 ms", "max ms", "mean ms", "seconds")
	text += fmt.Sprintf("%11.0f %9.2f %9.2f %9.2f %9.2f %9.2f %9.2f %9.2f\n\n",
		r.Throughput.OpsPerSecond, l.P50, l.P95, l.P99, l.P999, l.Max, l.Mean, r.ElapsedMS/1000)
	colour := green
	if r.Operations.Failed+r.Operations.Unknown > 0 {
		colour = red
	}
	text += coloured(on, colour, fmt.Sprintf("%d acknowledged, %d failed, %d unknown (%d of those: cluster overloaded)",
		r.Operations.Acknowledged, r.Operations.Failed, r.Operations.Unknown, r.Operations.Busy)) + "\n"
	if b.out != "" {
		text += fmt.Sprintf("details in %s\n", b.out)
	}
	_, err := io.WriteString(w, text)
	return err
}
