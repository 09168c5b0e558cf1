package scenario

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"tagma/internal/strict"
	"tagma/testnet/across"
)

// Transactions are those that clients, the drivers, carry out over several clusters. The clusters' banks transfer money
// among them, and their stores put keys if what other keys hold has not changed.
type Transactions struct {
	Count    int           `toml:"count" range:"1..100000"`
	Drivers  int           `toml:"drivers" range:"1..100"` // clients that drive one transaction after the other
	Accounts int           `toml:"accounts" range:"1..1000"`
	Fortune  uint64        `toml:"fortune"`                                         // of each account at the beginning
	Deadline time.Duration `toml:"deadline"`                                        // of each, from its beginning
	Die      float64       `toml:"die" range:"0..1"`                                // share of transactions whose driver dies after a step of it
	Lie      float64       `toml:"lie" range:"0..1"`                                // share of transactions whose driver lies
	Lies     []string      `toml:"lies" kind:"a list of lies, such as [\"split\"]"` // what drivers that lie do; none: anything
	DieAt    int           `toml:"die_at" range:"1..100"`                           // the step at which drivers die; 0: any
	Clash    float64       `toml:"clash" range:"0..1"`                              // share of transactions that a group must refuse
	Think    time.Duration `toml:"think"`                                           // of a driver between two transactions
}

// Whole is what is expected of transactions over all clusters. A field that is nil expects nothing.
type Whole struct {
	Safe      *bool `toml:"safe"`
	Committed *int  `toml:"committed" range:"0..100000"` // at least so many
	Aborted   *int  `toml:"aborted" range:"0..100000"`   // at least so many
}

// programs are those that use all clusters beside the drivers: an administrator, and two that see to what others leave.
const programs = 3

// mostClusters bounds how many clusters a scenario has.
const mostClusters = 8

// SeedOf is the seed of the i-th cluster of a scenario: each cluster has keys and chance of its own.
func SeedOf(seed uint64, i int) uint64 { return seed + uint64(i)<<40 }

// parts are the tables of a scenario that name replicas, so that with several clusters each is for one of them.
type parts struct {
	Malicious []*strict.Table `toml:"malicious"`
	Events    []*strict.Table `toml:"event"`
	Blocks    []*strict.Table `toml:"block"`
	Rules     []*strict.Table `toml:"rule"`
	Scripts   []*strict.Table `toml:"script"`
	Requests  []*strict.Table `toml:"request"`
}

// Skew is by how much the clocks of two clusters are apart at most, because events set them.
func (s *Scenario) Skew() (most time.Duration) {
	for _, c := range s.Clusters {
		apart := time.Duration(0)
		for _, e := range c.Events {
			apart += e.By.Abs()
		}
		most += apart
	}
	return most
}

// faulty reports whether drivers die or lie, or groups must refuse something.
func (t *Transactions) faulty() bool { return t.Die > 0 || t.Lie > 0 || t.Clash > 0 }

// severalClusters is the whole file of a scenario over several clusters.
type severalClusters struct {
	Name         string          `toml:"name"`
	About        string          `toml:"about"`
	Seed         uint64          `toml:"seed"`
	Transactions Transactions    `toml:"transactions"`
	Expect       Whole           `toml:"expect"`
	Clusters     []*strict.Table `toml:"cluster"`
	parts
}

// parseClusters reads a scenario over several clusters.
func (s *Scenario) parseClusters(d *strict.Document) {
	whole := severalClusters{Seed: s.Seed, Expect: Whole{Safe: new(true)}, Transactions: Transactions{
		Count: 100, Drivers: 4, Accounts: 4, Fortune: 1000, Deadline: 10 * time.Second, Think: 20 * time.Millisecond,
	}}
	s.types(d, &s.Settings)
	d.Into(&whole)
	s.Name, s.About, s.Transactions, s.Across, s.Expect.Safe = whole.Name, whole.About, whole.Transactions, whole.Expect, whole.Expect.Safe
	if s.Name == "" {
		d.Refuse("name", "is missing; say in a few words what the scenario shows")
	}
	switch n := len(whole.Clusters); {
	case n == 1:
		d.Refuse("cluster", "there is only one; add another [[cluster]], or write its keys at the top, without a table")
	case n > mostClusters:
		d.Refuse("cluster", "%d clusters are more than %d; leave some out", n, mostClusters)
	}
	for _, t := range whole.Clusters {
		s.takeCluster(d, t, whole.Seed)
	}
	if d.Err() != nil {
		return
	}
	for _, lie := range s.Transactions.Lies {
		d.Below("transactions").Word("lies", lie, across.Lies()...)
	}
	whole.take(s, d)
	s.Reseed(whole.Seed)
	for i, c := range s.Clusters {
		if d.Err() == nil {
			c.check(d, whole.Clusters[i])
		}
	}
	if c, a := s.Across.Committed, s.Across.Aborted; c != nil && a != nil && *c+*a > s.Transactions.Count {
		d.Below("expect").Refuse("committed", "%d and aborted = %d are more than transactions.count = %d", *c, *a, s.Transactions.Count)
	}
}

// clusterName is how clusters are called: the name stands before the slash in east/1.
var clusterName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,30}$`)

// takeCluster takes one [[cluster]].
func (s *Scenario) takeCluster(d *strict.Document, t *strict.Table, seed uint64) {
	c := blank(s.File)
	c.Seed, c.Expect.Safe = SeedOf(seed, len(s.Clusters)), s.Across.Safe
	if t.Has("workload") {
		c.Workload.Kind = KindPut
	}
	whole := document{Scenario: c}
	c.types(d, &whole.Settings.Protocol)
	t.Into(&whole)
	if !clusterName.MatchString(c.Name) {
		t.Refuse("name", "must be small letters, digits and hyphens, such as name = \"east\"; its replicas are then called \"east/0\" and so on")
	}
	if s.clusterOf(c.Name) != nil {
		t.Refuse("name", "another cluster is called %s; give each a name of its own", c.Name)
	}
	for _, key := range []string{"seed", "about"} {
		if t.Has(key) {
			t.Refuse(key, "it is the whole scenario's; write it above the first [[cluster]]")
		}
	}
	if c.Workload.Baseline {
		t.Below("workload").Refuse("baseline", "no run without faults is made over several clusters; leave it out")
	}
	c.Cluster, c.Programs = c.Name, s.Transactions.Drivers+programs
	c.take(t, &whole)
	s.Clusters = append(s.Clusters, c)
}

// take takes every table into the cluster that it is for.
func (p *parts) take(s *Scenario, d *strict.Document) {
	kinds := []struct {
		tables []*strict.Table
		take   func(*Scenario, *strict.Table)
		events bool
	}{
		{tables: p.Malicious, take: (*Scenario).takeAttacker},
		{tables: p.Events, take: (*Scenario).takeEvent, events: true},
		{tables: p.Blocks, take: (*Scenario).takeBlock},
		{tables: p.Rules, take: (*Scenario).takeRule},
		{tables: p.Scripts, take: (*Scenario).takeScript},
		{tables: p.Requests, take: (*Scenario).takeRequest},
	}
	for _, kind := range kinds {
		for _, t := range kind.tables {
			for _, one := range s.local(t, kind.events) {
				one.cluster.types(d, &one.cluster.Settings)
				kind.take(one.cluster, one.table)
			}
		}
	}
}

// localTable is a table as the cluster that it is for would have it in a scenario of its own.
type localTable struct {
	cluster *Scenario
	table   *strict.Table
}

// local finds the clusters that a table is for, by the replicas that it names or by its key cluster. An event may have
// targets in several clusters, and is for all of them if it names none.
func (s *Scenario) local(t *strict.Table, event bool) (out []localTable) {
	l := &localizer{s: s, named: map[string]bool{}}
	changed := map[string]any{"cluster": nil}
	for _, key := range []string{"targets", "from", "to", "groups", "replica", "match", "when", "event"} {
		if t.Has(key) {
			changed[key] = l.value(key, t.Value(key))
		}
	}
	if given, is := t.Value("cluster").(string); is {
		l.name("cluster", given)
	}
	names := slices.Sorted(maps.Keys(l.named))
	targets, _ := t.Value("targets").([]any)
	first := s.Clusters[0].Name
	switch {
	case l.wrong != "":
		t.Refuse(l.key, "%s", l.wrong)
	case len(names) == 0 && event:
		for _, c := range s.Clusters {
			out = append(out, localTable{c, t.With(changed)})
		}
	case len(names) == 0:
		t.Refuse("", "it is for no cluster; write cluster = %q, or name its replicas like \"%s/0\"", first, first)
	case len(names) == 1:
		out = append(out, localTable{s.clusterOf(names[0]), t.With(changed)})
	case event && len(targets) > 0 && !t.Has("when") && !t.Has("cluster"):
		for _, name := range names {
			mine := slices.DeleteFunc(slices.Clone(targets), func(v any) bool { return !strings.HasPrefix(fmt.Sprint(v), name+"/") })
			out = append(out, localTable{s.clusterOf(name), t.With(map[string]any{"targets": l.value("targets", mine)})})
		}
	default:
		t.Refuse("", "it names %s, and clusters share neither links nor facts; write a table for each", strings.Join(names, " and "))
	}
	return out
}

func (s *Scenario) clusterOf(name string) *Scenario {
	if i := slices.IndexFunc(s.Clusters, func(c *Scenario) bool { return c.Name == name }); i >= 0 {
		return s.Clusters[i]
	}
	return nil
}

// localizer turns names such as "east/1" into the numbers of replicas within a cluster, and notes the clusters.
type localizer struct {
	s     *Scenario
	named map[string]bool
	key   string // where something is wrong
	wrong string // the first problem
}

// name notes a cluster.
func (l *localizer) name(key, name string) {
	l.named[name] = true
	if l.s.clusterOf(name) == nil && l.wrong == "" {
		var names []string
		for _, c := range l.s.Clusters {
			names = append(names, c.Name)
		}
		l.key, l.wrong = key, strict.Unknown(name, names).Error()
	}
}

// replicaName is the name of a replica of one of several clusters, alone or in a fact such as "replica east/1 executed 5".
var replicaName = regexp.MustCompile(`^(replica )?([^/ ]+)/(\d{1,4})(.*)$`)

// value is the value of a key with the numbers of replicas within their cluster.
func (l *localizer) value(key string, v any) any {
	switch v := v.(type) {
	case map[string]any: // the match of a rule, or an event of a block
		out := maps.Clone(v)
		for name, inner := range v {
			if slices.Contains([]string{"targets", "from", "to", "groups", "except"}, name) {
				out[name] = l.value(key, inner)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, inner := range v {
			out[i] = l.value(key, inner)
		}
		return out
	case int64:
		if l.wrong == "" {
			l.key, l.wrong = key, fmt.Sprintf("there are several clusters; write \"%s/%d\" or the like", l.s.Clusters[0].Name, v)
		}
		return v
	case string:
		part := replicaName.FindStringSubmatch(v)
		if part == nil {
			return v
		}
		l.name(key, part[2])
		if part[1] != "" || part[4] != "" {
			return part[1] + part[3] + part[4]
		}
		n, _ := strconv.ParseInt(part[3], 10, 64) // at most four digits
		return n
	default:
		return v
	}
}
