package processes

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"tagma/internal/trace"
	"tagma/testnet/byzantine"
	"tagma/testnet/byzantine/link"
	"tagma/testnet/local"
	"tagma/testnet/play"
	"tagma/testnet/scenario"
)

// Engine implements play.Engine. The zero value has the defaults.
type Engine struct {
	StartWithin time.Duration // the time for replicas to be ready and clients to connect; 0: local.Patience
	MayStall    time.Duration // what Stall returns; 0: the longer of 20 s and 20 T
	// Told, unless nil, is called for each malicious client when the workload ends, with the counts of what it has done.
	Told         func(*scenario.Malicious, link.Tally)
	SegmentBytes int // of journals; 0: 1 MiB, so small that a short run deletes segments and journals are read quickly
}

// Name implements play.Engine.
func (Engine) Name() string { return play.Processes }

// Steady implements play.Engine.
func (Engine) Steady() bool { return false }

// Stall implements play.Engine.
func (e Engine) Stall(s *scenario.Scenario) time.Duration {
	if e.MayStall > 0 {
		return e.MayStall
	}
	return max(20*time.Second, 20*s.ViewTimeout())
}

// Start implements play.Engine.
func (e Engine) Start(ctx context.Context, s *scenario.Scenario, dir string, t play.Trace, show play.Show) (play.Cluster, error) {
	c, err := e.Open(ctx, s, dir, t, show)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Open does the same as Start, for programs that also change the cluster themselves.
func (e Engine) Open(ctx context.Context, s *scenario.Scenario, dir string, t play.Trace, show play.Show) (_ *Cluster, err error) {
	if e.StartWithin == 0 {
		e.StartWithin = local.Patience
	}
	if e.SegmentBytes == 0 {
		e.SegmentBytes = 1 << 20
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make a directory for the run: %w", err)
	}
	c := &Cluster{Engine: e, s: s, show: show, number: make(map[*scenario.Malicious]int), lives: make(map[*scenario.Event]map[int]string), flips: make(map[*scenario.Event]map[int]int), stopWatching: func() {}, unshow: func() {}, gauge: play.NewGauge()}
	defer func() {
		if err == nil {
			return
		}
		c.Close()
		if why := c.gauge.Read().Starved(s.ViewTimeout()); why != "" && play.IsLate(err) {
			err = &play.StarvedError{Why: why, Err: err}
		}
	}()
	dormant := make(map[int][]byzantine.Choice)
	clients := s.Workload.Clients
	for i := range s.Malicious {
		if m := &s.Malicious[i]; m.Client != nil {
			clients = max(clients, *m.Client+1)
		} else {
			c.number[m] = len(dormant[int(m.Replica)])
			dormant[int(m.Replica)] = append(dormant[int(m.Replica)], m.Choice)
		}
	}
	for i := range s.Requests {
		clients = max(clients, s.Requests[i].Client+1)
		if by := s.Requests[i].Signature.By; by != nil {
			clients = max(clients, *by+1)
		}
	}
	admins := 0
	if s.Cluster != "" { // programs that use several clusters
		clients, admins = clients+s.Programs+1, 1
	}
	var facts []string
	for _, f := range s.Facts() {
		facts = append(facts, f.String())
	}
	parts, err := c.record(dir, t)
	if err != nil {
		return nil, err
	}
	c.local, err = local.Create(local.Options{
		Dir: dir, Replicas: s.Replicas, Machine: s.Machine, Clients: clients, Admins: admins, Protocol: s.Settings,
		SegmentBytes: e.SegmentBytes, Data: DataDir, Seed: s.Seed, Network: s.Network, Malicious: dormant,
		Trace: parts, TraceOnly: t.Only, Facts: facts, Shown: t.Open != nil,
		Struck: slices.ContainsFunc(s.Events, func(e scenario.Event) bool { return e.Any() }),
	})
	if err != nil {
		return nil, err
	}
	if t.Open != nil {
		c.unshow = sync.OnceFunc(t.Open(c.local))
	}
	if err := c.watched(); err != nil {
		return nil, err
	}
	show.Phase("start", fmt.Sprintf("%d replica processes, %d clients", s.Replicas, s.Workload.Clients))
	c.watch.set(down, numbers(s.Absent)...)
	if err := c.local.Start(c.watch.are(up)...); err != nil {
		return nil, err
	}
	return c, c.connect(ctx)
}

// record begins the trace of what is done to the cluster. Parts is the directory for the replicas' traces; "" means that
// there is no trace.
func (c *Cluster) record(dir string, t play.Trace) (parts string, err error) {
	c.tap = trace.NewTap(trace.None, 0, func() int64 { return time.Now().UnixMicro() }, t.Hear)
	if c.traced = func() error { return nil }; t.File == "" {
		return "", nil
	}
	parts = filepath.Join(dir, "trace")
	if err := os.Mkdir(parts, 0o755); err != nil {
		return "", fmt.Errorf("make a directory for traces: %w", err)
	}
	h := trace.Header{Engine: play.Processes, Replicas: c.s.Replicas, Seed: c.s.Seed, Name: c.s.Name}
	hear, done, err := trace.Record(parts, "course", h, t.Only)
	if err != nil {
		return "", err
	}
	c.tap.Listen(hear)
	c.traced = func() error { return errors.Join(done(), trace.MergeDir(t.File, parts, h)) }
	return parts, nil
}

// watched starts the watcher of the replicas.
func (c *Cluster) watched() error {
	cfg, err := c.local.File.Config(0)
	if err != nil {
		return err
	}
	c.watch = newWatcher(c.local, &cfg, c.s, c.say)
	ctx, stopWatching := context.WithCancel(context.Background())
	c.stopWatching = stopWatching
	c.watching.Go(func() { c.watch.run(ctx) })
	return nil
}

// connect waits for the replicas and opens the clients' sessions.
func (c *Cluster) connect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.StartWithin)
	defer cancel()
	if err := c.local.WaitReady(ctx, c.watch.are(up)...); err != nil {
		return fmt.Errorf("within %v: %w", c.StartWithin, err)
	}
	pids := ""
	for _, id := range c.local.Running() {
		pids += fmt.Sprintf(" %d", c.local.Pid(id))
	}
	c.say(play.Note, "the replicas are ready, processes%s", pids)
	var err error
	if c.load, err = c.dial(ctx); err != nil {
		return err
	}
	if c.rogues, err = c.startClients(); err != nil {
		return err
	}
	return c.connectAskers()
}
