package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"tagma/internal/bench"
)

// load is the load of one system in a row.
type load struct {
	clients     int // requests under way
	connections int // that they share
	batch       int // operations in a request
	reads       int // percent
	valueBytes  int
}

// row is a load of Tagma and the load of etcd with which it is compared.
type row struct {
	name        string
	tagma, etcd load
}

func same(name string, l load) row { return row{name, l, l} }

var rows = []row{
	same("put, 1 client", load{1, 1, 1, 0, 100}),
	same("put, 64 clients on 8 connections", load{64, 8, 1, 0, 100}),
	{"put, 64 clients on 64 connections (etcd: 8)", load{64, 64, 1, 0, 100}, load{64, 8, 1, 0, 100}},
	same("put, 512 clients on 32 connections", load{512, 32, 1, 0, 100}),
	{"put, 2048 clients on 32 connections (etcd: 512)", load{2048, 32, 1, 0, 100}, load{512, 32, 1, 0, 100}},
	{"put, 64 requests of 16 operations (etcd: 512 clients)", load{64, 1, 16, 0, 100}, load{512, 32, 1, 0, 100}},
	same("put 16 KiB, 64 clients on 8 connections", load{64, 8, 1, 0, 16 << 10}),
	same("linearizable get, 1 client", load{1, 1, 1, 100, 100}),
	same("linearizable get, 64 clients on 8 connections", load{64, 8, 1, 100, 100}),
	same("linearizable get, 512 clients on 32 connections", load{512, 32, 1, 100, 100}),
}

func chosen(only string) []row {
	return slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return !strings.Contains(r.name, only) })
}

// system is a running cluster.
type system interface {
	// dial opens so many connections.
	dial(ctx context.Context, connections int) (callers []bench.Caller, hangUp func(), err error)
	// used is the processor time of all its processes so far, and the memory of the largest one now.
	used() (cpu time.Duration, resident int64)
	stop()
}

// figures are what one run gave.
type figures struct {
	OpsPerSecond float64 `json:"ops_per_s"`
	P50          float64 `json:"p50_ms"`
	P99          float64 `json:"p99_ms"`
	CPU          float64 `json:"cpu_ms_per_op"` // of all its servers together
	Resident     float64 `json:"rss_mib"`       // of the largest
}

// rowResult holds the runs of a row, in pairs.
type rowResult struct {
	Name  string    `json:"name"`
	Tagma []figures `json:"tagma"`
	Etcd  []figures `json:"etcd"`
}

// measureRow runs a row's pairs, in turns: Tagma first, then etcd first.
func measureRow(ctx context.Context, o *options, r row, tagma, etcd system) (*rowResult, error) {
	result := &rowResult{Name: r.name}
	one := func(s system, l load, pair int, into *[]figures) error {
		f, err := measure(ctx, o, s, l, pair)
		*into = append(*into, f)
		return err
	}
	for pair := range o.pairs {
		steps := []func() error{
			func() error { return one(tagma, r.tagma, pair, &result.Tagma) },
			func() error { return one(etcd, r.etcd, pair, &result.Etcd) },
		}
		if pair%2 == 1 {
			slices.Reverse(steps)
		}
		for _, step := range steps {
			if err := step(); err != nil {
				return nil, err
			}
		}
	}
	return result, nil
}

const keys = 100_000

func measure(ctx context.Context, o *options, s system, l load, pair int) (figures, error) {
	callers, hangUp, err := s.dial(ctx, l.connections)
	if err != nil {
		return figures{}, err
	}
	defer hangUp()
	opt := bench.Options{
		Clients: l.clients, Duration: o.each, ValueBytes: l.valueBytes, Reads: l.reads, Batch: l.batch,
		Keys: keys, Timeout: 30 * time.Second, Seed: uint64(pair) + 1,
	}
	if pair == 0 && o.warmup > 0 {
		warm := opt
		warm.Duration = o.warmup
		if _, err := bench.Run(ctx, callers, warm, 0, nil); err != nil {
			return figures{}, err
		}
	}
	before, _ := s.used()
	r, err := bench.Run(ctx, callers, opt, 0, nil)
	if err != nil {
		return figures{}, err
	}
	after, resident := s.used()
	if bad := r.Operations.Failed + r.Operations.Unknown; bad > 0 || r.Operations.Acknowledged == 0 {
		return figures{}, fmt.Errorf("%d operations acknowledged, %d not: %s", r.Operations.Acknowledged, bad, r.FirstError)
	}
	return figures{
		OpsPerSecond: r.Throughput.OpsPerSecond, P50: r.Latency.P50, P99: r.Latency.P99,
		CPU:      float64((after - before).Microseconds()) / 1000 / float64(r.Operations.Acknowledged),
		Resident: float64(resident) / (1 << 20),
	}, nil
}
