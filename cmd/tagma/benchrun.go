package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"tagma/internal/bench"
)

// run loads the cluster and prints the result; progress goes to stderr.
func (b *benchRun) run(ctx context.Context, stdout, stderr io.Writer) error {
	if b.out != "" { // before the work, so that it is not in vain
		if err := os.MkdirAll(b.out, 0o755); err != nil {
			return fmt.Errorf("make the directory for the results: %w; choose another one with --out", err)
		}
	}
	sessions, err := b.dial(ctx)
	if err != nil {
		return err
	}
	callers := make([]bench.Caller, len(sessions))
	for i, c := range sessions {
		callers[i] = bench.Session(c)
	}
	runs, err := b.measure(ctx, callers, newBenchProgress(stderr))
	if err = errors.Join(err, closeAll(sessions)); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	if err := b.save(runs); err != nil {
		return fmt.Errorf("write the results to %s: %w", b.out, err)
	}
	if err := b.print(stdout, runs); err != nil {
		return err
	}
	if failed, unknown, first := runs.Unfinished(); failed+unknown > 0 {
		return fmt.Errorf("bench: %d operations failed and the outcome of %d is unknown; the first error: %s", failed, unknown, first)
	}
	return nil
}

// measure repeats the load; the first run's warm-up is that of all.
func (b *benchRun) measure(ctx context.Context, callers []bench.Caller, shown *benchProgress) (bench.Runs, error) {
	options, runs := b.options, bench.Runs{}
	for range b.runs {
		result, err := bench.Run(ctx, callers, options, shown.every(), shown.show)
		shown.clear()
		if err != nil {
			return nil, err
		}
		runs = append(runs, result)
		options.Warmup = 0
		options.Seed++
	}
	return runs, nil
}

// save writes the files that --out asks for.
func (b *benchRun) save(runs bench.Runs) error {
	if b.out == "" {
		return nil
	}
	for name, write := range map[string]func(io.Writer) error{
		"summary.csv": runs.WriteSummary, "intervals.csv": runs.WriteIntervals, "latency.hgrm": runs.WriteHistogram,
		"throughput.svg": runs.PlotThroughput, "latency.svg": runs.PlotLatency,
	} {
		if err := writeTo(filepath.Join(b.out, name), write); err != nil {
			return err
		}
	}
	return nil
}

func writeTo(path string, write func(io.Writer) error) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(write(file), file.Close())
}
