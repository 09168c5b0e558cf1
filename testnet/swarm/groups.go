package swarm

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"tagma/internal/machines"
	"tagma/pbft/wire"
	"tagma/testnet/across"
	"tagma/testnet/across/worlds"
	"tagma/testnet/sim"
)

// GroupPlan is a run of several clusters, with transactions over them, as plain data.
type GroupPlan struct {
	Seed         uint64          `json:"seed"`
	Transactions across.Options  `json:"transactions"`
	Skews        []time.Duration `json:"skews"` // by cluster: how far its clocks are ahead
	Patience     time.Duration   `json:"patience"`
	Clusters     []*sim.Plan     `json:"clusters"`
}

func (p *GroupPlan) String() string {
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil { // impossible: every field has a JSON form
		return err.Error()
	}
	return string(text)
}

// groupSetting is what clusters are drawn from that take part in transactions: as Narrow, and every one serves in the end.
var groupSetting = &Setting{
	sizes: []int{4, 4, 4, 4, 5, 7}, intervals: []wire.Seq{2, 4, 16}, windows: []wire.Seq{2, 3, 4}, batches: []int{1, 4, 64},
	timeouts: []time.Duration{200 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond}, groups: true,
}

// GroupNames are what the clusters are called.
var GroupNames = []string{"east", "west", "south", "north"}

// mostSkew is by how much the clocks of a cluster are off at most.
const mostSkew = 10 * time.Minute

// DrawGroups makes a plan of several clusters from a seed: as many faulty replicas in each as f allows, partitions, crashes,
// clocks that are minutes apart, and drivers that die and lie.
func DrawGroups(seed uint64, groups int) *GroupPlan {
	p := &GroupPlan{Seed: seed}
	d := &drawing{Rand: rand.New(rand.NewPCG(seed, 0x6772_6f75_7073))}
	timeout := time.Duration(0)
	banks := 0
	for i := range groups {
		c := groupSetting.Draw(seed+uint64(i)<<40, 0)
		c.Optimistic, c.WriteDelay = false, 0 // more than f unclean stops would halt a cluster for good
		if c.Machine == machines.Bank {       // what transactions move is in no model of a single bank
			c.Workload.Kind, c.Clients = sim.None, 0
			banks++
		}
		p.Clusters = append(p.Clusters, c)
		timeout = max(timeout, c.MaxViewTimeout)
		p.Skews = append(p.Skews, 0)
	}
	if banks == 1 { // money goes from one bank to another
		for _, c := range p.Clusters {
			if c.Machine == machines.Bank {
				c.Machine = machines.KV
			}
		}
	}
	skewed := d.one(3)
	if skewed {
		for i := range p.Skews {
			p.Skews[i] = d.upTo(2*mostSkew) - mostSkew
		}
	}
	p.Patience = time.Second + d.upTo(2*time.Second)
	p.Transactions = across.Options{
		Seed: seed, Count: 20 + d.IntN(20), Drivers: 2 + d.IntN(4), Accounts: 3 + d.IntN(8), Fortune: 20 + d.Uint64N(200),
		Deadline: 500*time.Millisecond + d.upTo(2*time.Second), GiveUp: time.Second + d.upTo(2*time.Second), Die: 0.4 * d.Float64(), Lie: 0.4 * d.Float64(), Clash: 0.3 * d.Float64(),
		Think: 10*time.Millisecond + d.upTo(200*time.Millisecond), Resolve: 100*time.Millisecond + d.upTo(time.Second),
	}
	if skewed {
		p.Transactions.Skew = 2 * mostSkew
		if !d.one(4) { // else every transaction is too late for some cluster
			p.Transactions.Deadline += 2 * mostSkew
		}
	}
	if d.one(2) {
		p.Transactions.Intrude = 50*time.Millisecond + d.upTo(300*time.Millisecond)
	}
	return p
}

// GroupResult is the outcome of one plan of several clusters.
type GroupResult struct {
	Plan      *GroupPlan
	Hash      string
	Counts    across.Counts
	Clusters  []*sim.Outcome
	Simulated time.Duration
	Violation *sim.Violation
	Trace     []string
}

// endWithin is how long the transactions may take to come to their end once no more faults come.
const endWithin = 10 * time.Minute

// RunGroups runs a plan of several clusters.
func RunGroups(p *GroupPlan, change func(cluster int, o *sim.Options)) (*GroupResult, error) {
	h := worlds.New(p.Transactions, p.Patience)
	var running []*sim.Running
	var names []string
	last, heal := time.Duration(0), time.Duration(0)
	for i, c := range p.Clusters {
		r, err := sim.Begin(c, func(o *sim.Options) {
			o.Cluster = GroupNames[i]
			h.Prepare(o)
			if o.TraceLines = -1; change != nil {
				change(i, o)
			}
		})
		if err != nil {
			return nil, fmt.Errorf("cluster %s: %w", GroupNames[i], err)
		}
		for id := range c.Replicas {
			r.World.ClockJump(wire.ReplicaID(id), p.Skews[i])
		}
		for _, f := range c.Faults {
			if f.Do == sim.ClockSkew { // a primary whose clock is behind would keep every deadline from passing
				r.World.At(c.Heal, func() { r.World.ClockJump(f.Replica, -f.By) })
			}
		}
		h.Add(r.World)
		running, names = append(running, r), append(names, c.Machine)
		last, heal = max(last, c.Duration), max(heal, c.Heal)
	}
	w := running[0].World
	h.Begin(names)
	w.At(heal, h.Load.Calm)
	if w.RunUntil(last) == nil {
		if w.RunUntilTrue(endWithin, "the end", h.Load.Done) != nil && w.Violation() == nil {
			w.Fail("I20", "%v after the faults have ended %v: %s", endWithin, h.Load, describe(running))
		}
	}
	for _, r := range running {
		r.Converge()
	}
	out := &GroupResult{Plan: p, Counts: h.Load.Counts(), Simulated: w.Now()}
	if w.Violation() == nil {
		for _, r := range h.Load.Judge() {
			if !r.Held {
				w.Fail(r.ID, "%s", r.Why)
			}
		}
	}
	for _, r := range running {
		o := r.Outcome()
		out.Hash += o.Hash[:16]
		out.Clusters = append(out.Clusters, o)
	}
	out.Violation = w.Violation()
	for _, r := range running {
		if v := out.Violation; v != nil && v.Cluster == r.World.Name() {
			out.Trace = r.World.About(v, 40)
		}
	}
	return out, nil
}

func describe(all []*sim.Running) string {
	var each []string
	for _, r := range all {
		each = append(each, r.World.Name()+": "+r.World.Describe())
	}
	return strings.Join(each, "; ")
}

// GroupSummary adds up the results of many runs of several clusters.
type GroupSummary struct {
	Seeds          int     `json:"seeds"`
	Failed         int     `json:"failed"`
	SimulatedHours float64 `json:"simulated_hours"`
	RealSeconds    float64 `json:"real_seconds"`
	across.Counts
	Least        int `json:"fewest_transactions"` // of a seed
	Acknowledged int `json:"acknowledged"`
	Crashes      int `json:"crashes"`
	Restarts     int `json:"restarts"`
	Transfers    int `json:"transfers"`
	Views        int `json:"views_entered"`
	Skewed       int `json:"skewed"` // seeds with clocks minutes apart
	Liars        int `json:"clusters_with_liars"`
	Clusters     int `json:"clusters"`
}

func (s *GroupSummary) add(r *GroupResult) {
	if s.Seeds++; r.Violation != nil {
		s.Failed++
	}
	s.SimulatedHours += r.Simulated.Hours()
	s.Made += r.Counts.Made
	s.Committed += r.Counts.Committed
	s.Aborted += r.Counts.Aborted
	s.Died += r.Counts.Died
	s.Lied += r.Counts.Lied
	if s.Least == 0 || r.Counts.Made < s.Least {
		s.Least = r.Counts.Made
	}
	if r.Plan.Transactions.Skew > 0 {
		s.Skewed++
	}
	for _, o := range r.Clusters {
		s.Clusters++
		s.Acknowledged += o.Counts.Acknowledged
		s.Crashes += o.Counts.Crashes
		s.Restarts += o.Counts.Restarts
		s.Transfers += o.Counts.Transfers
		s.Views += o.Counts.Entered
		if len(o.Plan.Malicious) > 0 {
			s.Liars++
		}
	}
}

// share is a share in percent.
func share(n, of int) float64 { return 100 * float64(n) / float64(max(of, 1)) }

func (s *GroupSummary) String() string {
	var b strings.Builder
	say := func(what, format string, args ...any) {
		fmt.Fprintf(&b, "%-14s %s\n", what, fmt.Sprintf(format, args...))
	}
	say("seeds", "%d, %d failed; %d clusters, %d of them with liars, %d seeds with clocks minutes apart", s.Seeds, s.Failed,
		s.Clusters, s.Liars, s.Skewed)
	say("time", "%.2f hours simulated in %.0f s: %.1f seeds a second", s.SimulatedHours, s.RealSeconds, float64(s.Seeds)/max(s.RealSeconds, 1e-9))
	say("transactions", "%d, %d or more in each seed: %d committed (%.0f %%), %d aborted (%.0f %%)", s.Made, s.Least,
		s.Committed, share(s.Committed, s.Made), s.Aborted, share(s.Aborted, s.Made))
	say("drivers", "%d died, %d lied", s.Died, s.Lied)
	say("processes", "%d crashes, %d restarts, %d states fetched, %d views entered", s.Crashes, s.Restarts, s.Transfers, s.Views)
	return b.String()
}

// RunManyGroups runs seeds over so many clusters each, several seeds at once. It calls tell with each result, one at a time
// and in the order of the seeds.
func RunManyGroups(ctx context.Context, o Options, groups int, tell func(*GroupResult) error) (*GroupSummary, error) {
	s, began := &GroupSummary{}, time.Now()
	one := func(seed uint64) (*GroupResult, error) {
		p := DrawGroups(seed, groups)
		r, err := RunGroups(p, nil)
		if err == nil && o.Twice && r.Violation == nil {
			var again *GroupResult
			if again, err = RunGroups(p, nil); err == nil && again.Hash != r.Hash {
				r.Violation = &sim.Violation{Invariant: Repeats, Seed: seed, What: "one plan was two runs: " + r.Hash + " and " + again.Hash}
			}
		}
		if err != nil {
			return nil, fmt.Errorf("seed %d: %w\n%s", seed, err, p)
		}
		return r, nil
	}
	err := inOrder(ctx, &o, one, func(r *GroupResult) error {
		s.add(r)
		s.RealSeconds = time.Since(began).Seconds()
		return tell(r)
	})
	return s, err
}
