package processes

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"tagma/internal/node"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine"
	"tagma/testnet/check"
	"tagma/testnet/links"
	"tagma/testnet/local"
	"tagma/testnet/observe"
	"tagma/testnet/play"
	"tagma/testnet/scenario"
)

// run is one cluster under one workload, with all that happens to it.
type run struct {
	Engine
	s        *scenario.Scenario
	show     play.Show
	cluster  *local.Cluster
	observer *local.Observer
	cfg      wire.Config
	watch    *observe.Watcher
	load     *load
	rogues   []rogue
	table    *timetable
	links    *links.Policy // as the replicas have it, to tell whom it keeps apart
	eye      sync.WaitGroup
	blind    context.CancelFunc
	struck   map[int]bool  // an event made them forget what they signed
	paused   time.Duration // the longest time for which this machine let us wait

	isCalm    bool // an operation was acknowledged that was submitted after the last event, at calmSince
	calmSince time.Duration

	mu        sync.Mutex
	began     time.Time // zero until the workload begins
	state     map[int]condition
	damaged   map[int]bool // their disks are, so that they may end by themselves
	strangers []local.Death
	ends      []local.Death // of replicas that ended by themselves

	baseline  rates   // zero: not measured
	slower    float64 // the two runs without faults, as far as the ratio is about them
	faster    float64
	lasted    time.Duration
	found     map[string]check.Found
	unread    error // why not everything could be read back
	converged bool
	before    uint64        // the view when the last thing happened
	caughtUp  time.Duration // after it: when all had executed the same; negative: never
	broke     error         // what ended the course early
	stopped   error         // why not all replicas stopped cleanly
}

// condition is what a replica is by the run's doing.
type condition string

const (
	up      condition = "" // it runs
	down    condition = "down"
	halted  condition = "paused"
	stopped condition = "stopped" // by itself
	killed  condition = "killed"  // by somebody else
)

// begin starts a scenario's cluster and connects its clients.
func (e Engine) begin(ctx context.Context, s *scenario.Scenario, dir string, show play.Show) (r *run, err error) {
	if err := makeDir(dir); err != nil {
		return nil, err
	}
	r = &run{
		Engine: e, s: s, show: show, state: make(map[int]condition), damaged: make(map[int]bool), struck: make(map[int]bool),
		blind: func() {}, caughtUp: -1,
		links: links.New(s.Replicas, s.Network, nil),
	}
	defer func() {
		if err != nil {
			r.close()
			r = nil
		}
	}()
	dormant := make(map[int][]byzantine.Choice)
	clients := s.Workload.Clients
	for _, m := range s.Malicious {
		if m.Client == nil {
			dormant[int(m.Replica)] = append(dormant[int(m.Replica)], m.Choice)
		} else {
			clients = max(clients, *m.Client+1)
		}
	}
	r.cluster, err = local.Create(local.Options{
		Dir: dir, Replicas: s.Replicas, Machine: s.Machine, Clients: clients, Protocol: s.Settings,
		SegmentBytes: segmentBytes, Control: &local.Control{Seed: s.Seed, Network: s.Network}, Dormant: dormant,
	})
	if err != nil {
		return r, err
	}
	if r.cfg, err = r.cluster.File.Config(0); err != nil {
		return r, err
	}
	if r.observer, err = r.cluster.Observe(); err != nil {
		return r, err
	}
	r.watch = observe.Watch(r.cluster, r.observer, &r.cfg, r.trusted(), r.died)
	show.Phase("start", fmt.Sprintf("%d replica processes, %d clients", s.Replicas, s.Workload.Clients))
	r.set(down, numbers(s.Absent)...)
	if err := r.cluster.Start(r.is(up)...); err != nil {
		return r, err
	}
	watching, blind := context.WithCancel(ctx)
	r.blind = blind
	r.eye.Go(func() { r.watch.Run(watching) })
	r.eye.Go(func() { r.paused = observe.LongestPause(watching) })
	r.eye.Go(func() { r.depict(watching) })
	return r, r.connect(ctx)
}

// segmentBytes is the size of journal segments: small enough to be read again and again, and for segments to be deleted
// in a short run.
const segmentBytes = 1 << 20

// trusted lists the replicas that are correct throughout.
func (r *run) trusted() (ids []int) {
	faulty := r.s.Faulty()
	for id := range r.s.Replicas {
		if !slices.Contains(faulty, wire.ReplicaID(id)) {
			ids = append(ids, id)
		}
	}
	return ids
}

// connect waits for the replicas and opens the clients' sessions.
func (r *run) connect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.StartWithin)
	defer cancel()
	started := r.is(up)
	if got, err := r.observer.Until(ctx, started, 50*time.Millisecond, func(got map[int]node.Report) bool {
		return local.Unwell(got, started) == ""
	}); err != nil {
		return fmt.Errorf("the replicas were not ready within %v: %s", r.StartWithin, local.Unwell(got, started))
	}
	pids := ""
	for _, id := range r.cluster.Running() {
		pids += " " + strconv.Itoa(r.cluster.Pid(id))
	}
	r.say(play.Note, "the replicas are ready, processes%s", pids)
	l, err := r.dial(ctx)
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.load = l // the picture looks at it
	r.mu.Unlock()
	if r.rogues, err = r.hire(); err != nil {
		return err
	}
	r.table, err = r.plan()
	return err
}

// close ends everything that still runs.
func (r *run) close() {
	r.blind()
	r.eye.Wait()
	for _, g := range r.rogues {
		_ = g.Wake(false) // what its links say when they end does not matter
	}
	if r.load != nil {
		r.load.close()
	}
	if r.observer != nil {
		_ = r.observer.Close() // nothing of it is needed any more
	}
	if r.cluster != nil {
		r.cluster.Close()
	}
}

// since is the time since the workload began, 0 before.
func (r *run) since() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.began.IsZero() {
		return 0
	}
	return time.Since(r.began)
}

func (r *run) say(kind play.Kind, format string, args ...any) {
	r.show.Happened(play.Happening{At: r.since(), Kind: kind, What: fmt.Sprintf(format, args...)})
}

// set notes what replicas are from now on.
func (r *run) set(c condition, ids ...int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range ids {
		r.state[id] = c
	}
}

// is lists the replicas that are in some condition.
func (r *run) is(c condition) (ids []int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id := range r.s.Replicas {
		if r.state[id] == c {
			ids = append(ids, id)
		}
	}
	return ids
}

// died hears of a death that was not asked for: by a signal from elsewhere, or by the replica's own decision.
func (r *run) died(d local.Death) {
	r.mu.Lock()
	expected := r.damaged[d.Replica]
	if d.Own {
		r.state[d.Replica] = stopped
		r.ends = append(r.ends, d)
	} else {
		r.state[d.Replica] = killed
		r.strangers = append(r.strangers, d)
	}
	r.mu.Unlock()
	switch {
	case d.Own && expected:
		r.say(play.Note, "replica %d noticed what was done to its disk and stopped: %s", d.Replica, d.Last)
	case d.Own:
		r.say(play.Bad, "%v", d)
	default:
		r.say(play.Bad, "%v, not by this run: it is not waited for any more", d)
	}
}
