package processes

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"tagma/internal/node"
	"tagma/internal/trace"
	"tagma/testnet/byzantine"
	"tagma/testnet/byzantine/link"
	"tagma/testnet/local"
	"tagma/testnet/play"
	"tagma/testnet/scenario"
)

// Engine implements play.Engine. The zero value has the defaults.
type Engine struct {
	StartWithin time.Duration // replicas must be ready and clients connected; 0: local.Patience
	MayStall    time.Duration // what Stall tells; 0: 20 s or 20 T
	// Told, unless nil, is given what each malicious client has done when the work ends.
	Told         func(*scenario.Malicious, link.Tally)
	SegmentBytes int // of journals; 0: small enough to be read again and again, and for segments to be deleted in a short run
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
func (e Engine) Start(ctx context.Context, s *scenario.Scenario, dir string, t play.Trace, show play.Show) (_ play.Cluster, err error) {
	if e.StartWithin == 0 {
		e.StartWithin = local.Patience
	}
	if e.SegmentBytes == 0 {
		e.SegmentBytes = 1 << 20
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make a directory for the run: %w", err)
	}
	c := &cluster{Engine: e, s: s, show: show, number: make(map[*scenario.Malicious]int), lives: make(map[*scenario.Event]map[int]string), blind: func() {}}
	defer func() {
		if err != nil {
			c.Close()
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
	parts, err := c.record(dir, t)
	if err != nil {
		return nil, err
	}
	c.local, err = local.Create(local.Options{
		Dir: dir, Replicas: s.Replicas, Machine: s.Machine, Clients: clients, Protocol: s.Settings,
		SegmentBytes: e.SegmentBytes, Seed: s.Seed, Network: s.Network, Malicious: dormant,
		Trace: parts, TraceOnly: t.Only,
	})
	if err != nil {
		return nil, err
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

// record begins the trace of what is done to the cluster, and says where its replicas put theirs; "" without a trace.
func (c *cluster) record(dir string, t play.Trace) (parts string, err error) {
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
	c.tap = trace.NewTap(trace.None, 0, func() int64 { return time.Now().UnixMicro() }, hear)
	c.traced = func() error { return errors.Join(done(), trace.MergeDir(t.File, parts, h)) }
	return parts, nil
}

// watched begins to look at the replicas.
func (c *cluster) watched() error {
	cfg, err := c.local.File.Config(0)
	if err != nil {
		return err
	}
	observer, err := c.local.Observe()
	if err != nil {
		return err
	}
	c.watch = newWatcher(c.local, observer, &cfg, c.s, c.say)
	watching, blind := context.WithCancel(context.Background())
	c.blind = blind
	c.eye.Go(func() { c.watch.run(watching) })
	c.eye.Go(func() { c.waited = LongestPause(watching) })
	return nil
}

// connect waits for the replicas and opens the clients' sessions.
func (c *cluster) connect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.StartWithin)
	defer cancel()
	started := c.watch.are(up)
	if got, err := c.watch.observer.Until(ctx, started, 50*time.Millisecond, func(got map[int]node.Report) bool {
		return local.Unwell(got, started) == ""
	}); err != nil {
		return fmt.Errorf("the replicas were not ready within %v: %s", c.StartWithin, local.Unwell(got, started))
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
	c.rogues, err = c.hire()
	return err
}

// LongestPause is how late, at the worst, the system let a goroutine run that wants to every 20 ms, until ctx ended. When
// that comes near the view timeout, replicas cannot tell a primary that is starved from one that is silent.
func LongestPause(ctx context.Context) (longest time.Duration) {
	const every = 20 * time.Millisecond
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for last := time.Now(); ; {
		select {
		case <-ctx.Done():
			return longest
		case now := <-ticker.C:
			longest = max(longest, time.Since(last)-every)
			last = now
		}
	}
}

// Agree reports whether replicas have executed equally far and have the newest checkpoint there stable, with one digest.
func Agree(got map[int]node.Report, ids []int, interval uint64) bool {
	if len(ids) == 0 {
		return false
	}
	first := got[ids[0]]
	return !slices.ContainsFunc(ids, func(id int) bool {
		r, answered := got[id]
		return !answered || r.Executed != first.Executed || r.StateDigest != first.StateDigest ||
			r.StableCheckpoint == 0 || r.StableCheckpoint != r.Executed/interval*interval
	})
}
