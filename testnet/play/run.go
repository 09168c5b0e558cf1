package play

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"tagma/testnet/links"
	"tagma/testnet/report"
	"tagma/testnet/scenario"
)

// Run runs a scenario that is not refused, shows it as it goes, and judges it. The error says why it could not be run to
// its end at all, for instance because ctx ended; what went wrong in it is in the report.
func Run(ctx context.Context, e Engine, s *scenario.Scenario, o Options, show Show) (*report.Document, error) {
	if err := Refuse(e, s); err != nil {
		return nil, err
	}
	measure := func(name string) (rates, error) {
		d, measured, err := faultless(ctx, e, s, filepath.Join(o.Dir, name), show)
		if err == nil && o.Measured != nil {
			o.Measured(d)
		}
		return measured, err
	}
	var before, afterwards rates
	var err error
	if s.Workload.Baseline {
		if before, err = measure("baseline-before"); err != nil {
			return nil, err
		}
	}
	r, err := begin(ctx, e, s, filepath.Join(o.Dir, "cluster"), o.Trace, show)
	if err != nil {
		return nil, err
	}
	defer r.c.Close()
	r.also = o.Also
	if err := r.run(ctx); err != nil {
		return nil, err
	}
	// A machine that has other work is not equally fast for long, so what it does without faults is measured twice.
	if afterwards = before; s.Workload.Baseline && !e.Steady() {
		if afterwards, err = measure("baseline-after"); err != nil {
			return nil, err
		}
	}
	r.baseline = rates{(before.whole + afterwards.whole) / 2, (before.later + afterwards.later) / 2}
	r.slower, r.faster = min(before.later, afterwards.later), max(before.later, afterwards.later)
	return r.finish()
}

// faultless measures the same workload on a cluster of its own to which nothing is done.
func faultless(ctx context.Context, e Engine, s *scenario.Scenario, dir string, show Show) (*report.Document, rates, error) {
	show.Phase("baseline", "the same workload without any fault")
	r, err := begin(ctx, e, s.Faultless(), dir, Trace{}, show)
	if err != nil {
		return nil, rates{}, fmt.Errorf("baseline: %w", err)
	}
	defer r.c.Close()
	if err := r.run(ctx); err != nil {
		return nil, rates{}, fmt.Errorf("baseline: %w", err)
	}
	d, err := r.finish()
	if err == nil && (r.broke != nil || r.over) {
		err = errors.Join(r.broke, errors.New("it did not run to its end"))
	}
	if err != nil {
		return nil, rates{}, fmt.Errorf("baseline: %w", err)
	}
	measured := r.rates(r.c.Work().Acks)
	Say(show, r.lasted, Note, "without faults %.0f operations a second", measured.whole)
	return d, measured, nil
}

// begin starts a scenario's cluster and plans what happens to it.
func begin(ctx context.Context, e Engine, s *scenario.Scenario, dir string, t Trace, show Show) (*course, error) {
	c, err := e.Start(ctx, s, dir, t, show)
	if err != nil {
		return nil, err
	}
	r := &course{e: e, s: s, c: c, show: show, links: links.New(s.Replicas, s.Network, nil), caughtUp: -1}
	r.plan()
	return r, nil
}
