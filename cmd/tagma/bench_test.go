package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tagma/internal/bench"
	"tagma/internal/command"
)

func TestCluster_IsMeasured(t *testing.T) {
	runCluster(t, "kv", nil)
	out := filepath.Join(t.TempDir(), "results")
	var got struct {
		Operations bench.Operations
		Throughput bench.Throughput
		Latency    bench.Latency `json:"latency_ms"`
		Settings   bench.Settings
	}
	o := tagma(t, "bench", "--clients", "4", "--connections", "2", "--batch", "3", "--ops", "100", "--reads", "20",
		"--warmup", "50ms", "--json", "--out", out)
	if err := json.Unmarshal([]byte(o.stdout), &got); err != nil || o.code != command.Done {
		t.Fatalf("%v: %v", o, err)
	}
	if got.Operations != (bench.Operations{Submitted: 100, Acknowledged: 100}) || got.Throughput.OpsPerSecond <= 0 {
		t.Errorf("%+v", got)
	}
	if l := got.Latency; l.P50 <= 0 || l.P50 > l.P95 || l.P95 > l.P99 || got.Settings.Connections != 2 {
		t.Errorf("%+v", got)
	}
	for _, name := range []string{"summary.csv", "intervals.csv", "latency.hgrm", "throughput.svg", "latency.svg"} {
		if info, err := os.Stat(filepath.Join(out, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	text := must(t, "bench", "--clients", "2", "--rate", "100", "--duration", "200ms", "--warmup", "0s")
	if !strings.Contains(text, "2 clients over 2 connections, 100 operations/s due") || !strings.Contains(text, "20 acknowledged, 0 failed") {
		t.Errorf("%s", text)
	}
	text = must(t, "bench", "--clients", "2", "--ops", "20", "--warmup", "0s", "--runs", "3")
	for _, want := range []string{"min\n", "median\n", "max\n", "60 acknowledged, 0 failed"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	var several struct {
		Operations bench.Operations
		Throughput bench.Throughput
		Runs       []struct{ Operations bench.Operations }
		Spread     bench.Scatter
	}
	o = tagma(t, "bench", "--clients", "2", "--ops", "20", "--warmup", "0s", "--runs", "3", "--json")
	if err := json.Unmarshal([]byte(o.stdout), &several); err != nil || len(several.Runs) != 3 || several.Operations.Acknowledged != 20 {
		t.Errorf("%v: %v", o, err)
	}
	if s := several.Spread.OpsPerSecond; s.Median != several.Throughput.OpsPerSecond || s.Min > s.Median || s.Median > s.Max {
		t.Errorf("%+v", several)
	}
	badInput{[]string{"bench", "--batch", "257"}, command.Unusable, "max_ops"}.check(t)
}

func TestBench_RefusesWhatMakesNoSense(t *testing.T) {
	for args, want := range map[string]string{
		"--clients 0":                 "at least 1",
		"--ops 10 --duration 1s":      "give one of them",
		"--connections 65":            "1 to 64",
		"--clients 2 --connections 3": "never be used",
		"--reads 101":                 "percentage",
		"--runs 0":                    "at least 1",
		"more":                        "takes no arguments",
	} {
		badInput{append([]string{"bench"}, strings.Fields(args)...), command.Unusable, want}.check(t)
	}
}
