package flood

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tagma/internal/cluster"
	"tagma/internal/node"
	"tagma/testnet/local"
	"tagma/testnet/report"
)

// Options say how much of everything there is.
type Options struct {
	Dir        string // for the cluster's files; must not hold a cluster
	Honest     int    // honest clients, each with a key and a session of its own
	Workers    int    // requests that each of them has under way
	Operations int    // that the honest clients do together, once without and once with the flood
	Valid      int    // flooding clients whose requests are valid
	Invalid    int    // flooding clients whose signatures are bad
	Requests   int    // that a flooding client sends at most; 0: no bound
	Assaults   []Assault

	ViewTimeout time.Duration // T
	Patience    time.Duration // a measurement ends after that, whatever is done by then
}

// Defaults are the options of `tagma-testnet flood`.
func Defaults() Options {
	return Options{
		Honest: 8, Workers: 2, Operations: 4000, Valid: 2, Invalid: 1,
		ViewTimeout: time.Second, Patience: 20 * time.Second,
	}
}

// LowestRatio is what honest clients must keep of their throughput.
const LowestRatio = 0.8

const replicas = 4

// Progress is shown what happens as it happens.
type Progress interface {
	Begin(name, what string)
	Advance(done, total int, unit string)
	End(format string, args ...any)
}

// Document is what came of it.
type Document struct {
	Scenario    string               `json:"scenario"`
	Verdict     string               `json:"verdict"`
	Baseline    Measured             `json:"baseline"` // without the flood
	Flooded     Measured             `json:"flooded"`
	Ratio       float64              `json:"ratio"`        // of the two throughputs
	ViewChanges uint64               `json:"view_changes"` // the most that a replica reports
	Flood       Attack               `json:"flood"`
	Assaults    []Told               `json:"assaults,omitempty"`
	Resident    Resident             `json:"rss_bytes"`
	Expect      []report.Expectation `json:"expect"`
}

// Measured is what the honest clients experienced.
type Measured struct {
	Submitted    int            `json:"submitted"`
	Acknowledged int            `json:"acknowledged"`
	OpsPerSecond float64        `json:"ops_per_s"`
	Latency      report.Latency `json:"latency_ms"`
	Millis       int64          `json:"lasted_ms"`
}

// Resident is the memory of the replica that has most, in bytes.
type Resident struct {
	Before int64 `json:"before"` // the attack
	After  int64 `json:"after"`
}

// Attack is what the flooding clients did while the honest ones were measured. A request goes to every replica, so it is
// several frames.
type Attack struct {
	ValidFrames   uint64 `json:"valid_frames"`
	InvalidFrames uint64 `json:"invalid_frames"`
	Executed      uint64 `json:"executed"` // of the valid requests, as replica 0 answered
	Busy          uint64 `json:"busy"`     // turned away by replica 0, to be sent again
	Refused       uint64 `json:"refused"`  // messages that the replicas did not believe, all replicas together
}

// Run measures. The error says why that was impossible; what was not as it must be is in the document.
func Run(ctx context.Context, o Options, show Progress) (*Document, error) {
	c, err := local.Create(local.Options{
		Dir: o.Dir, Replicas: replicas, Clients: o.Honest + o.Valid + o.Invalid + len(o.Assaults),
		Protocol: cluster.Protocol{ViewTimeout: cluster.Duration{Duration: o.ViewTimeout}},
	})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	show.Begin("start", fmt.Sprintf("%d replica processes, all of them honest", replicas))
	if err := c.Start(); err != nil {
		return nil, err
	}
	observer, err := c.Observe()
	if err != nil {
		return nil, err
	}
	defer observer.Close() //nolint:errcheck // nothing of it is needed any more
	ready, cancel := context.WithTimeout(ctx, local.Patience)
	defer cancel()
	if err := observer.WaitReady(ready, c.Running()); err != nil {
		return nil, err
	}
	show.End("ready")
	r := &run{Options: o, show: show, cluster: c, observer: observer}
	return r.measure(ctx)
}

// run is one measurement on its way.
type run struct {
	Options
	show     Progress
	cluster  *local.Cluster
	observer *local.Observer
}

func (r *run) measure(ctx context.Context) (*Document, error) {
	d := &Document{Scenario: "flood: honest clients among flooding ones"}
	clients, err := r.dial(ctx)
	defer clients.close()
	if err != nil {
		return nil, err
	}
	// What is done for the first time is slower: links, caches, the store's first tables.
	clients.work(ctx, r, "warm up", r.Operations/4)
	d.Baseline = clients.work(ctx, r, "baseline", r.Operations)
	before := r.reports(ctx)
	for _, b := range before {
		d.Resident.Before = max(d.Resident.Before, b.ResidentBytes)
	}
	attack, err := r.attack(ctx)
	if err != nil {
		return nil, err
	}
	siege, err := r.assaults()
	if err == nil {
		d.Flooded = clients.work(ctx, r, "attacked", r.Operations)
	}
	d.Flood = attack.end()
	told, ended := siege.end()
	if err = errors.Join(err, ended); err != nil {
		return nil, err
	}
	d.Assaults = told
	if ctx.Err() != nil {
		return nil, fmt.Errorf("the measurement was interrupted: %w", context.Cause(ctx))
	}
	for id, after := range r.reports(ctx) {
		d.Flood.Refused += after.Refused - before[id].Refused
		d.ViewChanges = max(d.ViewChanges, after.ViewChanges)
		d.Resident.After = max(d.Resident.After, after.ResidentBytes)
	}
	if d.Baseline.OpsPerSecond > 0 {
		d.Ratio = report.Round(d.Flooded.OpsPerSecond / d.Baseline.OpsPerSecond)
	}
	r.judge(d)
	return d, r.cluster.Stop(local.Patience)
}

func (r *run) reports(ctx context.Context) map[int]node.Report {
	ctx, cancel := context.WithTimeout(ctx, local.Patience)
	defer cancel()
	return r.observer.Ask(ctx, r.cluster.Running())
}

// judge holds the run against what was to happen.
func (r *run) judge(d *Document) {
	d.Verdict = report.Pass
	add := func(key string, want, got any, held bool) {
		d.Expect = append(d.Expect, report.Expectation{Key: key, Want: want, Got: got, Held: held})
		if !held {
			d.Verdict = report.Fail
		}
	}
	all := func(m Measured) bool { return m.Acknowledged > 0 && m.Acknowledged == m.Submitted }
	add("acknowledged", "all", d.Flooded.Acknowledged, all(d.Baseline) && all(d.Flooded))
	add("max_view_changes", r.viewChanges(), d.ViewChanges, d.ViewChanges <= r.viewChanges())
	add("min_throughput_ratio", LowestRatio, d.Ratio, d.Ratio >= LowestRatio)
	add("valid_flood", "executed", d.Flood.Executed, d.Flood.Executed > 0 || r.Valid == 0)
	add("invalid_flood", "refused", d.Flood.Refused, d.Flood.Refused > 0 || r.Invalid == 0)
	for i := range d.Assaults {
		a := &d.Assaults[i]
		add(a.As+" "+a.Behaviour, "fired", a.Tally.Acts(), a.Tally.Acts() > 0)
	}
}

// viewChanges is how many there may be: a client that contradicts itself may cost one.
func (r *run) viewChanges() uint64 {
	for _, a := range r.Assaults {
		if a.Choice.Name == "client-equivocation" {
			return 1
		}
	}
	return 0
}
