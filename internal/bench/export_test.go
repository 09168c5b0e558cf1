package bench

import (
	"encoding/csv"
	"strings"
	"testing"
	"time"
)

func TestExport_OneLineForTheRunAndOneForEachSecond(t *testing.T) {
	in(t, func(t *testing.T) {
		f := newFake(t, func(n int) (time.Duration, error) {
			if n == 100 {
				return 2500 * time.Millisecond, nil
			}
			return 10 * time.Millisecond, nil
		})
		// The cluster answers for one second, does not answer for two and a half, and answers for half a second.
		r := mustRun(t, f, small(150))
		runs := Runs{r, mustRun(t, newFake(t, steady(10*time.Millisecond)), small(50))}
		var summary, seconds, histogram, throughput, latency strings.Builder
		for _, err := range []error{
			runs.WriteSummary(&summary), runs.WriteIntervals(&seconds), runs.WriteHistogram(&histogram),
			runs.PlotThroughput(&throughput), runs.PlotLatency(&latency),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, line, _ := strings.Cut(summary.String(), "\n"); !strings.HasPrefix(line, "150,150,0,0,0,3990,37.594,10") ||
			!strings.Contains(line, "\n50,50,0,0,0,500,100,10") || !strings.HasSuffix(line, ",2\n") {
			t.Errorf("summary:\n%s", summary.String())
		}
		rows, err := csv.NewReader(strings.NewReader(seconds.String())).ReadAll()
		if err != nil || len(rows) != 6 || rows[5][5] != "2" || rows[1][1] != "99" || rows[3][1] != "0" {
			t.Errorf("seconds: %v, %v", rows, err)
		}
		if !strings.Contains(histogram.String(), "2500") || !strings.Contains(histogram.String(), "Percentile") {
			t.Errorf("histogram:\n%s", histogram.String())
		}
		for _, plot := range []string{throughput.String(), latency.String()} {
			if found := wellFormed(t, plot); found["polyline"] != 2 {
				t.Errorf("%v in\n%s", found, plot)
			}
		}
	})
}

func TestRuns_MedianAndSpread(t *testing.T) {
	var runs Runs
	for _, ops := range []float64{30, 10, 40, 20} {
		runs = append(runs, &Result{Throughput: Throughput{ops}, Operations: Operations{Failed: 1, Unknown: 2}, FirstError: "x"})
	}
	if got := runs.Median().Throughput.OpsPerSecond; got != 20 {
		t.Errorf("the median run has %g", got)
	}
	got := runs.Spread(func(r *Result) float64 { return r.Throughput.OpsPerSecond })
	if got != (Spread{10, 20, 40}) {
		t.Errorf("%+v", got)
	}
	if failed, unknown, first := runs.Unfinished(); failed != 4 || unknown != 8 || first != "x" {
		t.Errorf("%d, %d, %s", failed, unknown, first)
	}
}

func TestCheck_NamesTheFlag(t *testing.T) {
	for flag, change := range map[string]func(*Options){
		"--clients":     func(o *Options) { o.Clients = 0 },
		"--ops":         func(o *Options) { o.Ops = -1 },
		"--duration":    func(o *Options) { o.Ops = 0 },
		"--warmup":      func(o *Options) { o.Warmup = -1 },
		"--value-bytes": func(o *Options) { o.ValueBytes = 1 << 20 },
		"--reads":       func(o *Options) { o.Reads = 101 },
		"--batch":       func(o *Options) { o.Batch = 0 },
		"--rate":        func(o *Options) { o.Rate = -1 },
		"--keys":        func(o *Options) { o.Keys = 0 },
		"--timeout":     func(o *Options) { o.Timeout = 0 },
	} {
		opt := small(1)
		if err := opt.Check(); err != nil {
			t.Fatal(err)
		}
		change(&opt)
		if err := opt.Check(); err == nil || !strings.HasPrefix(err.Error(), flag+" ") {
			t.Errorf("%s: %v", flag, err)
		}
	}
}
