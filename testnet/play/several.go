package play

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"tagma/testnet/across"
	"tagma/testnet/check"
	"tagma/testnet/links"
	"tagma/testnet/report"
	"tagma/testnet/scenario"
)

// Several are the clusters of a scenario over more than one, with the transactions over them.
type Several interface {
	// Clusters are the clusters, in the scenario's order. Each of them is Made only once the transactions are done.
	Clusters() []Cluster
	// Together runs one function for each cluster until all have returned. Within it Cluster.Pass waits for the other
	// clusters, as far as that is needed so that all have one time.
	Together(ctx context.Context, each []func(context.Context))
	// Transactions is what became of the transactions so far, and Judge the invariants over all clusters, at the end.
	Transactions() report.Transactions
	Judge() []check.Result
	Close()
}

// Severals is an engine that can run several clusters beside each other.
type Severals interface {
	Engine
	// StartSeveral is Start for a scenario over several clusters, and begins the transactions over them.
	StartSeveral(ctx context.Context, s *scenario.Scenario, dir string, t Trace, show Show) (Several, error)
}

// AcrossOf are a scenario's transactions as package across makes them. Read: no engine tells what the clusters execute.
func AcrossOf(s *scenario.Scenario, read bool) across.Options {
	t := &s.Transactions
	return across.Options{
		Seed: s.Seed, Count: t.Count, Drivers: t.Drivers, Accounts: t.Accounts, Deadline: t.Deadline, Die: t.Die, Lie: t.Lie, Lies: t.Lies, DieAt: t.DieAt, Clash: t.Clash,
		Think: t.Think, Resolve: time.Second, Fortune: t.Fortune, Skew: s.Skew(), Read: read,
	}
}

// runSeveral runs a scenario over several clusters: a course for each, and transactions over all. The report has one
// part for each cluster, judged as a scenario of its own, and passes if all of them do and the transactions held.
func runSeveral(ctx context.Context, e Engine, s *scenario.Scenario, o Options, show Show) (*report.Document, error) {
	if err := Refuse(e, s); err != nil {
		return nil, err
	}
	if s.About != "" {
		Say(show, 0, Note, "%s", s.About)
	}
	engine, can := e.(Severals)
	if !can {
		return nil, fmt.Errorf("%s: the engine %s runs one cluster; run it with --engine sim", s.File, e.Name())
	}
	all, err := engine.StartSeveral(ctx, s, filepath.Join(o.Dir, "clusters"), o.Trace, show)
	if err != nil {
		return nil, err
	}
	defer all.Close()
	var courses []*course
	for i, c := range s.Clusters {
		r := &course{
			e: e, s: c, c: all.Clusters()[i], show: &named{Show: show, name: c.Name}, links: links.New(c.Replicas, c.Network, nil), caughtUp: -1,
		}
		r.plan()
		courses = append(courses, r)
	}
	errs := make([]error, len(courses))
	ran := make([]func(context.Context), len(courses))
	for i, r := range courses {
		ran[i] = func(ctx context.Context) { errs[i] = r.run(ctx) }
	}
	all.Together(ctx, ran)
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	d := &report.Document{
		Scenario: s.Name, Engine: e.Name(), Seed: s.Seed, Faults: []report.Fault{}, Evidence: []report.Evidence{}, Expect: []report.Expectation{},
		Replicas: []report.Replica{},
	}
	for i, r := range courses {
		one, err := r.finish()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.Clusters[i].Name, err)
		}
		one.Cluster = s.Clusters[i].Name
		d.Clusters = append(d.Clusters, one)
		d.LongestStallMS = max(d.LongestStallMS, one.LongestStallMS)
		d.FinalView, d.ViewChanges = max(d.FinalView, one.FinalView), d.ViewChanges+one.ViewChanges
	}
	t := all.Transactions()
	d.Transactions = &t
	d.Operations = report.Operations{Submitted: t.Made, Acknowledged: t.Committed + t.Aborted, Unknown: t.Made - t.Committed - t.Aborted}
	for _, r := range courses {
		d.Throughput.OpsPerSecond = max(d.Throughput.OpsPerSecond, report.Round(Rate(t.Made, r.lasted)))
	}
	d.Invariants = append(all.Judge(), check.Real(t.Made, s.Transactions.Count, nil))
	expectAcross(d, s)
	d.Judge()
	return d, nil
}

// expectAcross compares what became of the transactions with the expectations.
func expectAcross(d *report.Document, s *scenario.Scenario) {
	x, t := &s.Across, d.Transactions
	broken := slices.ContainsFunc(d.Invariants, func(r check.Result) bool { return !r.Held })
	if x.Safe != nil {
		safe := !broken
		for _, c := range d.Clusters {
			safe = safe && !slices.ContainsFunc(c.Invariants, func(r check.Result) bool { return !r.Held })
		}
		d.Expected("safe", *x.Safe, safe, safe == *x.Safe)
	}
	if x.Committed != nil {
		d.Expected("committed", *x.Committed, t.Committed, t.Committed >= *x.Committed)
	}
	if x.Aborted != nil {
		d.Expected("aborted", *x.Aborted, t.Aborted, t.Aborted >= *x.Aborted)
	}
	if s.Transactions.Die > 0 {
		d.Expected("drivers_died", "some", t.Died, t.Died > 0)
	}
	if s.Transactions.Lie > 0 {
		d.Expected("drivers_lied", "some", t.Lied, t.Lied > 0)
	}
	for _, c := range d.Clusters {
		d.Expected(c.Cluster, report.Pass, c.Verdict, c.Verdict == report.Pass)
		if last := &d.Expect[len(d.Expect)-1]; c.Verdict == report.Inconclusive {
			last.Excused = "the machine starved the processes"
		}
	}
}

// named shows what happens to one of several clusters with its name. Several courses use one screen at once.
type named struct {
	Show
	name string
}

// Phase implements Show: the phases are those of all clusters, so each is shown with the cluster's name.
func (n *named) Phase(name, what string) { n.Show.Phase(name, n.name+": "+what) }

// State implements Show: a screen has room for one cluster, so nothing is shown.
func (n *named) State(State) {}

// Happened implements Show.
func (n *named) Happened(h Happening) {
	h.What = n.name + ": " + h.What
	n.Show.Happened(h)
}
