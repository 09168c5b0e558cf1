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
		r := mustRun(t, f, small(150)) // one second, two and a half of silence, half a second
		var summary, seconds, histogram strings.Builder
		for _, err := range []error{r.WriteSummary(&summary), r.WriteIntervals(&seconds), r.WriteHistogram(&histogram)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, line, _ := strings.Cut(summary.String(), "\n"); !strings.HasPrefix(line, "150,150,0,0,0,3990,37.594,10") {
			t.Errorf("summary:\n%s", summary.String())
		}
		rows, err := csv.NewReader(strings.NewReader(seconds.String())).ReadAll()
		if err != nil || len(rows) != 5 || rows[1][1] != "99" || rows[3][1] != "0" {
			t.Errorf("seconds: %v, %v", rows, err)
		}
		if !strings.Contains(histogram.String(), "2500") || !strings.Contains(histogram.String(), "Percentile") {
			t.Errorf("histogram:\n%s", histogram.String())
		}
	})
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
