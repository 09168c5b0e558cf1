package bench

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"

	"tagma/internal/terminal"
)

// Report says what was measured, under which settings and on which machine. Of several runs it shows the one with the
// median throughput. Its JSON is what `tagma bench --json` prints.
type Report struct {
	Settings Settings `json:"settings"`
	Machine  Machine  `json:"machine"`
	*Result
	Spread *Scatter `json:"spread,omitempty"` // over several runs; nil for one
	Runs   Runs     `json:"runs,omitempty"`   // all runs, if there are several

	all Runs
}

// Settings are the options of a load in the form of a report.
type Settings struct {
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

// Machine describes the machine on which the clients ran; the replicas may have run elsewhere.
type Machine struct {
	OS      string `json:"os"`
	Arch    string `json:"arch"`
	CPUs    int    `json:"cpus"`
	Go      string `json:"go"`
	Version string `json:"version"` // of the program
}

// Scatter says how far each figure varies among the runs.
type Scatter struct {
	OpsPerSecond Spread `json:"ops_per_s"`
	Latency      struct {
		P50 Spread `json:"p50"`
		P95 Spread `json:"p95"`
		P99 Spread `json:"p99"`
		Max Spread `json:"max"`
	} `json:"latency_ms"`
}

// Report describes the results of the runs under these options, with so many connections and this version of the program.
func (r Runs) Report(o *Options, connections int, version string) *Report {
	s := Settings{
		Clients: o.Clients, Connections: connections, Ops: o.Ops, WarmupMS: o.Warmup.Milliseconds(),
		ValueBytes: o.ValueBytes, Reads: o.Reads, Batch: o.Batch, Rate: o.Rate, Keys: o.Keys, Runs: len(r),
	}
	if o.Ops == 0 {
		s.DurationMS = o.Duration.Milliseconds()
	}
	report := &Report{
		Settings: s, Machine: Machine{runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), version}, Result: r.Median(), all: r,
	}
	if len(r) > 1 {
		report.Runs, report.Spread = r, r.scatter()
	}
	return report
}

func (r Runs) scatter() *Scatter {
	s := &Scatter{OpsPerSecond: r.Spread(func(r *Result) float64 { return r.Throughput.OpsPerSecond })}
	s.Latency.P50 = r.Spread(func(r *Result) float64 { return r.Latency.P50 })
	s.Latency.P95 = r.Spread(func(r *Result) float64 { return r.Latency.P95 })
	s.Latency.P99 = r.Spread(func(r *Result) float64 { return r.Latency.P99 })
	s.Latency.Max = r.Spread(func(r *Result) float64 { return r.Latency.Max })
	return s
}

// Print writes the report for people.
func (r *Report) Print(w io.Writer) error {
	s, style := &r.Settings, terminal.StyleOf(w)
	loop := "one after the other"
	if s.Rate > 0 {
		loop = fmt.Sprintf("%g operations/s due", s.Rate)
	}
	text := fmt.Sprintf("%s over %s, %s: %s a request, %d-byte values, %d %% reads\n\n", terminal.Count(s.Clients, "client"),
		terminal.Count(s.Connections, "connection"), loop, terminal.Count(s.Batch, "operation"), s.ValueBytes, s.Reads)
	text += table(r.all) + "\n"
	var acknowledged, busy int
	for _, run := range r.all {
		acknowledged, busy = acknowledged+run.Operations.Acknowledged, busy+run.Operations.Busy
	}
	failed, unknown, _ := r.all.Unfinished()
	paint := style.Green
	if failed+unknown > 0 {
		paint = style.Red
	}
	text += paint(fmt.Sprintf("%d acknowledged, %d failed, %d unknown (%d of those: cluster overloaded)", acknowledged, failed, unknown, busy))
	_, err := io.WriteString(w, text+"\n")
	return err
}

// table has a line for each run. If there are several runs, it also has the least, the median and the greatest value
// of each column.
func table(runs Runs) string {
	columns := []struct {
		name   string
		figure func(*Result) float64
	}{
		{"ops/s", func(r *Result) float64 { return r.Throughput.OpsPerSecond }},
		{"p50 ms", func(r *Result) float64 { return r.Latency.P50 }},
		{"p95 ms", func(r *Result) float64 { return r.Latency.P95 }},
		{"p99 ms", func(r *Result) float64 { return r.Latency.P99 }},
		{"p99.9 ms", func(r *Result) float64 { return r.Latency.P999 }},
		{"max ms", func(r *Result) float64 { return r.Latency.Max }},
		{"mean ms", func(r *Result) float64 { return r.Latency.Mean }},
		{"seconds", func(r *Result) float64 { return r.ElapsedMS / 1000 }},
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

// View shows how far a run is: as a bar on a terminal, and otherwise as a line of text from time to time.
type View struct {
	out io.Writer
	bar terminal.Bar
}

// NewView returns a View on an output.
func NewView(out io.Writer) *View { return &View{out: out, bar: terminal.NewBar(out, false)} }

// Every is how often Show should be called.
func (v *View) Every() time.Duration {
	if v.bar.Live() {
		return 100 * time.Millisecond
	}
	return 5 * time.Second
}

// Show shows how far a run is. It ignores errors, because a run must not end only because nobody reads its progress.
func (v *View) Show(at Progress) {
	share := at.Elapsed.Seconds() / max(at.Length.Seconds(), 1e-9)
	if at.Of > 0 {
		share = float64(at.Done) / float64(at.Of)
	}
	what := "measuring"
	if at.Warming {
		what = "warming up"
	}
	text := fmt.Sprintf("%d operations, %.0f/s, %.1f s", at.Done, float64(at.Done)/at.Elapsed.Seconds(), at.Elapsed.Seconds())
	if v.bar.Live() {
		v.bar.Show(what, share, text)
	} else {
		_, _ = fmt.Fprintf(v.out, "%s: %s\n", what, text)
	}
}

// Clear removes the bar, so that other output can follow.
func (v *View) Clear() { v.bar.Clear() }
