package simulated

import (
	"context"
	"fmt"
	"time"

	"tagma/pbft"
	"tagma/pbft/wire"
	"tagma/statemachine"
	"tagma/testnet/links"
	"tagma/testnet/observe"
	"tagma/testnet/play"
	"tagma/testnet/report"
	"tagma/testnet/scenario"
	"tagma/testnet/sim"
)

// Engine implements play.Engine.
type Engine struct{}

// Name implements play.Engine.
func (Engine) Name() string { return play.Sim }

// Refuse implements play.Engine.
func (Engine) Refuse(s *scenario.Scenario) error { return play.Refuse(play.Sim, s) }

// Run implements play.Engine. Nothing is written to files.
func (e Engine) Run(ctx context.Context, s *scenario.Scenario, _ play.Options, show play.Show) (*report.Document, error) {
	if err := e.Refuse(s); err != nil {
		return nil, err
	}
	baseline := baselineOf{}
	if s.Workload.Baseline {
		show.Phase("baseline", "the same workload without any fault")
		var err error
		if baseline, err = measure(ctx, s); err != nil {
			return nil, fmt.Errorf("baseline: %w", err)
		}
	}
	show.Phase("load", s.About)
	r, err := begin(ctx, s, show)
	if err != nil {
		return nil, err
	}
	r.baseline = baseline
	if err := r.course(); err != nil {
		return nil, err
	}
	show.Phase("judge", "invariants and expectations")
	return r.finish(), nil
}

// baselineOf is what the workload did without faults.
type baselineOf struct {
	perSecond float64 // over all of it
	later     float64 // from Expect.RatioAfter on
}

// measure runs the workload without anything that goes wrong.
func measure(ctx context.Context, s *scenario.Scenario) (b baselineOf, err error) {
	r, err := begin(ctx, s.Faultless(), play.Silent{})
	if err != nil {
		return b, err
	}
	if err := r.course(); err != nil {
		return b, err
	}
	if v := r.w.Violation(); v != nil {
		return b, v
	}
	return baselineOf{r.rate(0), r.rate(s.Expect.RatioAfter)}, nil
}

// run is one run of a scenario.
type run struct {
	ctx      context.Context
	s        *scenario.Scenario
	show     play.Show
	w        *sim.World
	acts     []*act
	heard    *heard
	baseline baselineOf

	submitted int // operations beside the workload
	probed    bool
	caughtUp  time.Duration // after the last fault's end; negative: never
	ended     time.Duration // of the workload: when it was answered, or given up
	before    wire.View     // the highest view when the last fault ended
	shown     time.Duration

	seen map[wire.ReplicaID]pbft.Inspection // of each replica, before something was last done to it
}

// delay is what every link takes unless the scenario says otherwise: nothing is instantaneous.
const delay = time.Millisecond

func withDelay(l links.Link) links.Link {
	if l.Delay == 0 {
		l.Delay = delay
	}
	return l
}

// begin makes the world and arms everything that is planned.
func begin(ctx context.Context, s *scenario.Scenario, show play.Show) (*run, error) {
	r := &run{ctx: ctx, s: s, show: show, heard: newHeard(s), caughtUp: -1, seen: map[wire.ReplicaID]pbft.Inspection{}}
	p := s.Settings.WithDefaults()
	o := sim.Options{
		Seed: s.Seed, Replicas: s.Replicas, Machine: s.Machine, Absent: s.Absent, Base: withDelay(s.Network), Reach: &links.Link{Delay: delay},
		Config: wire.Config{
			CheckpointInterval: wire.Seq(p.CheckpointInterval), LogWindow: wire.Seq(p.LogWindow), ViewTimeout: p.ViewTimeout.Duration,
			MaxViewTimeout: p.MaxViewTimeout.Duration, ClockTolerance: p.ClockTolerance.Duration, MaxBatch: p.MaxBatch,
			MaxBatchBytes: p.MaxBatchBytes, MaxOps: p.MaxOps, MaxOpBytes: p.MaxOpBytes, MaxResultBytes: p.MaxResultBytes,
			MaxPending: p.MaxPending, MaxPerClient: p.MaxPerClient,
		},
		Limits:  statemachine.Limits{Window: uint64(p.Window), Sessions: p.Sessions},
		Clients: s.Workload.Clients,
		Workload: sim.Workload{
			Kind: s.Workload.Kind, Operations: s.Workload.Operations, ValueBytes: s.Workload.ValueBytes, Rate: s.Workload.Rate,
			Until: s.Workload.Duration,
		},
		Inside: r.heard.inside, Around: r.heard.around,
	}
	for _, m := range s.Malicious {
		if m.Client == nil {
			o.Malicious = append(o.Malicious, sim.Malicious{Replica: m.Replica, Choice: m.Choice, From: m.From, Until: m.Until})
		}
	}
	var err error
	if r.w, err = sim.New(o); err != nil {
		return nil, fmt.Errorf("%s: %w", s.File, err)
	}
	for id := range wire.ReplicaID(s.Replicas) {
		if s.Lies(id) {
			r.w.Condemn(id)
		}
	}
	return r, r.plan()
}

// rate is how many operations a second were acknowledged from a moment on.
func (r *run) rate(since time.Duration) float64 {
	n := 0
	for _, op := range r.w.History() {
		if op.Known && op.Returned >= since {
			n++
		}
	}
	return observe.Rate(n, r.ended-since)
}

// correct lists the replicas that follow the protocol, have their disks and run. One that was put back to what it was is
// among them once it has noticed.
func (r *run) correct() (ids []wire.ReplicaID) {
	for id := range wire.ReplicaID(r.s.Replicas) {
		if (r.w.Correct(id) || r.s.RolledBack(id) && r.w.Lapses(id) > 0) && r.w.Up(id) {
			ids = append(ids, id)
		}
	}
	return ids
}
