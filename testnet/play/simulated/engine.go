package simulated

import (
	"context"
	"fmt"
	"time"

	"tagma/internal/trace"
	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/statemachine"
	"tagma/statemachine/bank"
	"tagma/statemachine/kv"
	rogues "tagma/testnet/byzantine/client"
	"tagma/testnet/byzantine/tamper"
	"tagma/testnet/links"
	"tagma/testnet/play"
	"tagma/testnet/scenario"
	"tagma/testnet/sim"
)

// Engine implements play.Engine. Nothing is written to files.
type Engine struct{}

// Name implements play.Engine.
func (Engine) Name() string { return play.Sim }

// Steady implements play.Engine.
func (Engine) Steady() bool { return true }

// Stall implements play.Engine. View timeouts double.
func (Engine) Stall(s *scenario.Scenario) time.Duration { return 60 * s.ViewTimeout() }

// delay is what every link takes unless the scenario says otherwise: nothing is instantaneous.
const delay = time.Millisecond

func withDelay(l links.Link) links.Link {
	if l.Delay == 0 {
		l.Delay = delay
	}
	return l
}

// Start implements play.Engine.
func (Engine) Start(_ context.Context, s *scenario.Scenario, _ string, t play.Trace, show play.Show) (_ play.Cluster, err error) {
	c := &cluster{
		s: s, show: show, heard: newHeard(s), before: map[wire.ReplicaID]port.Inspection{}, lapses: map[*scenario.Event][]int{},
		struck: map[*scenario.Event]bool{}, rogues: map[*scenario.Malicious]rogues.Client{},
		traced: func() error { return nil },
	}
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
			Until: s.Workload.Duration, Outstanding: s.Workload.InFlight,
		},
		Inside: c.heard.inside, Around: c.heard.around, TraceLines: -1,
	}
	if t.File != "" {
		h := trace.Header{Engine: trace.Simulated, Replicas: s.Replicas, Seed: s.Seed, Name: s.Name}
		if o.Trace, c.traced, err = trace.Write(t.File, h, t.Only); err != nil {
			return nil, err
		}
	}
	for _, m := range s.Malicious {
		if m.Client == nil {
			o.Malicious = append(o.Malicious, sim.Malicious{Replica: m.Replica, Choice: m.Choice, From: m.From, Until: m.Until})
		}
	}
	if c.w, err = sim.New(o); err != nil {
		return nil, fmt.Errorf("%s: %w", s.File, err)
	}
	for id := range wire.ReplicaID(s.Replicas) {
		if s.Lies(id) {
			c.w.Condemn(id)
		}
	}
	for i := range s.Malicious {
		if m := &s.Malicious[i]; m.Client != nil {
			if err := c.host(m); err != nil {
				return nil, fmt.Errorf("%s:%d: %w", s.File, m.Line, err)
			}
		}
	}
	return c, nil
}

// host lets a malicious client at the cluster, for as long as the scenario says.
func (c *cluster) host(m *scenario.Malicious) error {
	return c.w.Host(*m.Client, m.From, m.Until, func(cfg rogues.Config, sign tamper.Sign) (rogues.Client, error) {
		cfg.Operation = func(n uint64) []byte { return c.operation(fmt.Sprintf("rogue%d", *m.Client), n) }
		rogue, err := rogues.New(m.Choice, cfg, sign)
		c.rogues[m] = rogue
		return rogue, err
	})
}

// operation is one of many different ones that the machine executes.
func (c *cluster) operation(name string, n uint64) []byte {
	if c.s.Machine == "bank" {
		return bank.Open(fmt.Sprintf("%s/%d", name, n), 1)
	}
	return kv.Put([]byte(name), fmt.Appendf(nil, "%d", n))
}
