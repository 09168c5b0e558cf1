package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"tagma/internal/bench"
)

// A member of etcd is this program, started with another command line.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == memberCommand {
		main()
	}
	os.Exit(m.Run())
}

// Ratios are taken pair by pair, because a disturbance that slows both runs of a pair says nothing about either system.
func TestRatio_IsTheMedianOfThePairs(t *testing.T) {
	r := &rowResult{Name: "row"}
	for _, slow := range []float64{1, 10, 3} {
		r.Tagma = append(r.Tagma, figures{OpsPerSecond: 200 / slow, P50: slow})
		r.Etcd = append(r.Etcd, figures{OpsPerSecond: 100 / slow, P50: 2 * slow})
	}
	r.Tagma[2].OpsPerSecond *= 2
	if got := r.ratio(columns[0].of).String(); got != "2.00 [2.00–4.00]" {
		t.Error(got)
	}
	if got := r.ratio(columns[1].of).String(); got != "0.50 [0.50–0.50]" {
		t.Error(got)
	}
}

// Both systems start, serve one row, and stop.
func TestCompare_RunsBothSystems(t *testing.T) {
	if testing.Short() {
		t.Skip("starts seven processes")
	}
	ctx := t.Context()
	dir := t.TempDir()
	tagma, err := startTagma(ctx, dir+"/tagma")
	if err != nil {
		t.Fatal(err)
	}
	defer tagma.stop()
	etcd, err := startEtcd(ctx, dir+"/etcd")
	if err != nil {
		t.Fatal(err)
	}
	defer etcd.stop()
	o := &options{pairs: 2, each: 100 * time.Millisecond}
	r, err := measureRow(ctx, o, same("both", load{4, 2, 1, 50, 100}), tagma, etcd)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	printRow(&out, r, true)
	if len(r.Tagma) != 2 || len(r.Etcd) != 2 || !strings.Contains(out.String(), "CPU an operation") {
		t.Errorf("%+v\n%s", r, &out)
	}
	for _, s := range []system{tagma, etcd} {
		callers, hangUp, err := s.dial(ctx, 1)
		if err != nil {
			t.Fatal(err)
		}
		read := &bench.Request{Read: true, Keys: [][]byte{[]byte("up")}}
		if err := callers[0].Call(ctx, read); err != nil {
			t.Error(err)
		}
		hangUp()
	}
}
