package simulated

import (
	"context"
	"fmt"
	"time"

	"tagma/internal/trace"
	"tagma/pbft/port"
	"tagma/pbft/wire"
	rogues "tagma/testnet/byzantine/client"
	"tagma/testnet/byzantine/tamper"
	"tagma/testnet/fact"
	"tagma/testnet/history"
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

// Stall implements play.Engine. It is many view timeouts, because they double.
func (Engine) Stall(s *scenario.Scenario) time.Duration { return 60 * s.ViewTimeout() }

// delay is the delay of each link that has none in the scenario: no real link is instantaneous.
const delay = time.Millisecond

func withDelay(l links.Link) links.Link {
	if l.Delay == 0 {
		l.Delay = delay
	}
	return l
}

// Start implements play.Engine.
func (Engine) Start(_ context.Context, s *scenario.Scenario, _ string, t play.Trace, show play.Show) (_ play.Cluster, err error) {
	write, done, err := traceOf(s, t)
	if err != nil {
		return nil, err
	}
	c, err := start(s, write, t.Hear, func(*sim.Options) {}, show)
	if err != nil {
		return nil, err
	}
	c.traced = done
	return c, nil
}

// traceOf begins the trace file of a run; write is nil without one. Done ends it.
func traceOf(s *scenario.Scenario, t play.Trace) (write func(trace.Event), done func() error, err error) {
	if t.File == "" {
		return nil, func() error { return nil }, nil
	}
	replicas := s.Replicas
	if len(s.Clusters) > 0 {
		replicas = s.Clusters[0].Replicas
	}
	return trace.Write(t.File, trace.Header{Engine: trace.Simulated, Replicas: replicas, Seed: s.Seed, Name: s.Name}, t.Only)
}

// start makes the world of a cluster. Change changes its options last.
func start(s *scenario.Scenario, write, hear func(trace.Event), change func(*sim.Options), show play.Show) (_ *cluster, err error) {
	c := &cluster{
		s: s, show: show, heard: newHeard(s), before: map[wire.ReplicaID]port.Inspection{}, lapses: map[*scenario.Event][]int{},
		flips: map[*scenario.Event][]int{}, marks: map[string]*sim.Operation{},
		struck: map[*scenario.Event]int{}, rogues: map[*scenario.Malicious]rogues.Client{},
		askers: map[int]*rogues.Asker{}, asks: map[*scenario.Request]*rogues.Ask{}, asked: map[*scenario.Request]int{},
		traced: func() error { return nil }, facts: fact.NewWatch(s.Facts()),
	}
	p := s.Settings.WithDefaults()
	o := sim.Options{
		Seed: s.Seed, Replicas: s.Replicas, Machine: s.Machine, History: p.History, Absent: s.Absent, Base: withDelay(s.Network), Reach: &links.Link{Delay: delay},
		Config:  p.Core(),
		Limits:  p.Limits(),
		Clients: s.Workload.Clients, Unit: time.Microsecond,
		Workload: sim.Workload{
			Kind: s.Workload.Kind, Operations: s.Workload.Operations, ValueBytes: s.Workload.ValueBytes, Rate: s.Workload.Rate,
			Until: s.Workload.Duration, Outstanding: s.Workload.InFlight,
		},
		Inside: c.heard.inside, Around: c.heard.around, TraceLines: -1,
	}
	if safe := s.Expect.Safe; safe != nil && !*safe {
		o.Aftermath = 4 * s.ViewTimeout()
	}
	listen := func(e trace.Event) {
		c.facts.Hear(e)
		c.heard.follow(c.w, e)
	}
	if c.facts != nil || s.Expect.Course() {
		o.Trace = listen
	}
	if write != nil {
		o.Trace = func(e trace.Event) {
			listen(e)
			write(e)
		}
	}
	if next := o.Trace; hear != nil {
		o.Trace = func(e trace.Event) {
			if hear(e); next != nil {
				next(e)
			}
		}
	}
	for _, m := range s.Malicious {
		if m.Client == nil {
			o.Malicious = append(o.Malicious, sim.Malicious{Replica: m.Replica, Choice: m.Choice, From: m.From, Until: m.Until})
		}
	}
	change(&o)
	if c.w, err = sim.New(o); err != nil {
		return nil, fmt.Errorf("%s: %w", s.File, err)
	}
	for id := range wire.ReplicaID(s.Replicas) {
		if s.Lies(id) {
			c.w.Lend(id)
		}
		switch at, turns := s.Turns(id); {
		case turns && at > 0:
			c.w.At(at, func() { c.w.Condemn(id) })
		case turns:
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
	for _, number := range s.Askers() {
		err := c.w.Host(number, 0, 0, func(cfg rogues.Config, sign tamper.Sign) (rogues.Client, error) {
			c.askers[number] = rogues.NewAsker(cfg, sign)
			return c.askers[number], nil
		})
		if err != nil {
			return nil, fmt.Errorf("%s: client c%d: %w", s.File, number, err)
		}
	}
	return c, nil
}

// host connects a malicious client to the cluster, for the time that the scenario gives.
func (c *cluster) host(m *scenario.Malicious) error {
	return c.w.Host(*m.Client, m.From, m.Until, func(cfg rogues.Config, sign tamper.Sign) (rogues.Client, error) {
		cfg.Operation = func(n uint64) []byte { return play.Aside(c.s.Machine, fmt.Sprintf("rogue%d", *m.Client), n) }
		cfg.Burdens = history.Burdens(c.s.Machine, fmt.Sprintf("rogue%d", *m.Client))
		rogue, err := rogues.New(m.Choice, cfg, sign)
		c.rogues[m] = rogue
		return rogue, err
	})
}
