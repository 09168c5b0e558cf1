package demo

import (
	"context"
	_ "embed"
	"slices"
	"time"

	"tagma/testnet/play"
	"tagma/testnet/play/processes"
	"tagma/testnet/report"
	"tagma/testnet/scenario"
)

//go:embed demo.toml
var text []byte

//go:embed groups.toml
var groups []byte

// Options say how large a demonstration to give.
type Options struct {
	Dir          string // an existing, empty directory for the cluster's files
	Scenario     *scenario.Scenario
	SegmentBytes int           // of the journals: small, so that a short run deletes some
	Stall        time.Duration // if nothing is acknowledged for this long, the run ends
	Trace        play.Trace
}

// Defaults are the options of `tagma-testnet demo`, with the seed of the values that clients write.
func Defaults(dir string, seed uint64) Options {
	s, err := scenario.Parse("demo.toml", text)
	if err != nil {
		panic(err) // the scenario is a part of the program, so this cannot fail
	}
	s.Reseed(seed)
	return Options{Dir: dir, Scenario: s, SegmentBytes: 256 << 10, Stall: 20 * time.Second}
}

// Groups are the options of `tagma-testnet demo --groups`.
func Groups(dir string, seed uint64) Options {
	o := Defaults(dir, seed)
	s, err := scenario.Parse("groups.toml", groups)
	if err != nil {
		panic(err) // it is a part of the program
	}
	s.Reseed(seed)
	o.Scenario = s
	return o
}

// Run gives the demonstration and returns its report. The error says why it could not be given at all; what went wrong in
// it is in the verdict.
func Run(ctx context.Context, o Options, show play.Show) (*report.Document, error) {
	engine := processes.Engine{MayStall: o.Stall, SegmentBytes: o.SegmentBytes}
	return play.Run(ctx, engine, o.Scenario, play.Options{Dir: o.Dir, Also: expect, Trace: o.Trace}, show)
}

// expect adds expectations to those of the scenario.
func expect(d *report.Document) {
	d.Expected("min_view_changes", 1, d.ViewChanges, d.ViewChanges >= 1)
	// There may be one view change for each bad primary. Each replica that ended without the plan may also have been the
	// primary.
	most := 1
	for _, f := range d.Faults {
		if !f.Planned {
			most++
		}
	}
	d.Expected("max_view_changes", most, d.ViewChanges, d.ViewChanges <= most)
	shrank := !slices.ContainsFunc(d.Replicas, func(x report.Replica) bool {
		return x.Role == "correct" && x.JournalBytes >= x.JournalWritten
	})
	d.Expected("journals_shrank", true, shrank, shrank)
	for _, e := range d.Expect {
		if e.Key == "stopped_at_the_end" { // an older version of the demonstration used this name
			d.Expected("stopped", e.Want, e.Got, e.Held)
		}
	}
}
