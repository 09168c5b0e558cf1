package processes

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"tagma/testnet/local"
	"tagma/testnet/observe"
	"tagma/testnet/play"
	"tagma/testnet/report"
	"tagma/testnet/scenario"
)

// Engine implements play.Engine. The zero value has the defaults.
type Engine struct {
	StartWithin time.Duration // replicas must be ready and clients connected; 0: local.Patience
	Stall       time.Duration // so long without an acknowledgement ends a run when nothing can change it; 0: 20 s or 20 T
}

// Name implements play.Engine.
func (Engine) Name() string { return play.Processes }

// Refuse implements play.Engine.
func (Engine) Refuse(s *scenario.Scenario) error { return play.Refuse(play.Processes, s) }

// Run implements play.Engine.
func (e Engine) Run(ctx context.Context, s *scenario.Scenario, o play.Options, show play.Show) (*report.Document, error) {
	if err := e.Refuse(s); err != nil {
		return nil, err
	}
	if e.StartWithin == 0 {
		e.StartWithin = local.Patience
	}
	if e.Stall == 0 {
		e.Stall = max(20*time.Second, 20*s.ViewTimeout())
	}
	var before rates
	if s.Workload.Baseline {
		var err error
		if before, err = e.baseline(ctx, s, filepath.Join(o.Dir, "baseline-before"), show); err != nil {
			return nil, err
		}
	}
	r, err := e.begin(ctx, s, filepath.Join(o.Dir, "cluster"), show)
	if err != nil {
		return nil, err
	}
	defer r.close()
	r.broke = r.course(ctx)
	if ctx.Err() != nil {
		return nil, fmt.Errorf("the run was interrupted: %w", context.Cause(ctx))
	}
	r.rest()
	if s.Workload.Baseline {
		after, err := e.baseline(ctx, s, filepath.Join(o.Dir, "baseline-after"), show)
		if err != nil {
			return nil, err
		}
		r.baseline = rates{(before.whole + after.whole) / 2, (before.later + after.later) / 2}
		r.slower, r.faster = min(before.later, after.later), max(before.later, after.later)
	}
	return r.finish()
}

// rates are operations a second: of a whole run, and of its part that the ratio is about.
type rates struct{ whole, later float64 }

func (r *run) rates() rates {
	after := r.s.Expect.RatioAfter
	return rates{observe.Rate(len(r.load.acks), r.lasted), observe.Rate(r.load.since(after), r.lasted-after)}
}

// baseline measures the same workload on a cluster of its own to which nothing is done. It is done before and after the
// run, since a machine that has other work is not equally fast for long.
func (e Engine) baseline(ctx context.Context, s *scenario.Scenario, dir string, show play.Show) (rates, error) {
	show.Phase("baseline", "the same workload without any fault")
	r, err := e.begin(ctx, s.Faultless(), dir, show)
	if err != nil {
		return rates{}, fmt.Errorf("baseline: %w", err)
	}
	defer r.close()
	if err := r.course(ctx); err != nil {
		return rates{}, fmt.Errorf("baseline: %w", err)
	}
	measured := r.rates()
	r.say(play.Note, "without faults %.0f operations a second", measured.whole)
	return measured, nil
}

func makeDir(dir string) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return fmt.Errorf("make a directory for the run: %w", err)
	}
	return nil
}
