package swarm

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"tagma/testnet/sim"
)

// Summary adds up the results of many runs.
type Summary struct {
	Seeds          int     `json:"seeds"`
	Failed         int     `json:"failed"`
	SimulatedHours float64 `json:"simulated_hours"`
	RealSeconds    float64 `json:"real_seconds"`
	WorkSeconds    float64 `json:"work_seconds"` // real time of all runs together
	Messages       int     `json:"messages"`
	Events         int     `json:"events"`
	Acknowledged   int     `json:"acknowledged"`
	ViewsEntered   int     `json:"views_entered"` // over all correct replicas
	Crashes        int     `json:"crashes"`
	Restarts       int     `json:"restarts"`
	FaultsPlanned  int     `json:"faults_planned"`
	FaultsFired    int     `json:"faults_fired"`
	Refused        int     `json:"refused"`  // frames that replicas refused
	Evidence       int     `json:"evidence"` // accusations of replicas
	Lies           uint64  `json:"lies"`     // of malicious clients, and frames that are no message
	Transfers      int     `json:"transfers"`
	Healed         int     `json:"healed"` // runs in which everything had to converge
	Linearizable   int     `json:"linearizable"`

	Attackers map[string]int `json:"attackers"` // plans with a behaviour, a twin, a bad disk or a malicious client
	Faults    map[string]int `json:"faults"`    // planned, by what they do
	Sizes     map[string]int `json:"sizes"`     // plans by number of replicas
}

func newSummary() *Summary {
	return &Summary{Attackers: map[string]int{}, Faults: map[string]int{}, Sizes: map[string]int{}}
}

func (s *Summary) add(r *Result) {
	s.Seeds++
	if r.Violation != nil {
		s.Failed++
	}
	s.SimulatedHours += r.Simulated.Hours()
	s.WorkSeconds += r.Took.Seconds()
	s.Messages += r.Counts.Messages
	s.Events += r.Counts.Steps
	s.Acknowledged += r.Counts.Acknowledged
	s.ViewsEntered += r.Counts.Entered
	s.Crashes += r.Counts.Crashes
	s.Restarts += r.Counts.Restarts
	s.Refused += r.Counts.Refused
	s.Evidence += r.Counts.Evidence
	s.Transfers += r.Counts.Transfers
	s.Lies += r.Lies
	s.FaultsPlanned += len(r.Plan.Faults)
	s.FaultsFired += r.Fired
	if r.Plan.Heal > 0 {
		s.Healed++
	}
	if r.Linearizable.Checked > 0 { // there was a history, and it was decided (I4)
		s.Linearizable++
	}
	s.Sizes[fmt.Sprint(r.Plan.Replicas)]++
	for _, f := range r.Plan.Faults {
		s.Faults[faultOf(&f)]++
	}
	for name := range attackersOf(r.Plan) {
		s.Attackers[name]++
	}
}

// faultOf names what a fault does.
func faultOf(f *sim.Fault) string {
	if f.Links != nil {
		return "network " + string(f.Links.Do)
	}
	return string(f.Do)
}

// attackersOf names the kinds of faulty replicas and clients in a plan.
func attackersOf(p *sim.Plan) map[string]bool {
	names := map[string]bool{}
	for _, m := range p.Malicious {
		name, _, _ := strings.Cut(m.Behaviour, ",")
		names[name] = true
	}
	if len(p.Twins) > 0 {
		names["two processes under one key"] = true
	}
	for _, f := range p.Faults {
		if f.Do.OfDisk() && (slices.Contains(p.Damaged, f.Replica) || slices.Contains(p.Forgetful, f.Replica)) {
			names["disk "+string(f.Do)] = true
		}
	}
	for _, r := range p.Rogues {
		name, _, _ := strings.Cut(r.Behaviour, ",")
		names["client "+name] = true
	}
	return names
}

func (s *Summary) String() string {
	var b strings.Builder
	say := func(what, format string, args ...any) {
		fmt.Fprintf(&b, "%-14s %s\n", what, fmt.Sprintf(format, args...))
	}
	say("seeds", "%d, %d failed; clusters of %s", s.Seeds, s.Failed, counted(s.Sizes))
	say("time", "%.2f hours simulated in %.0f s: %.0f times as fast, %.1f seeds a second", s.SimulatedHours, s.RealSeconds,
		s.SimulatedHours*3600/max(s.RealSeconds, 1e-9), float64(s.Seeds)/max(s.RealSeconds, 1e-9))
	say("messages", "%d between replicas, %d refused; %d events", s.Messages, s.Refused, s.Events)
	say("operations", "%d acknowledged; %d histories decided to be linearizable", s.Acknowledged, s.Linearizable)
	say("views", "%d entered, over all correct replicas", s.ViewsEntered)
	say("faults", "%d of %d fired: %s", s.FaultsFired, s.FaultsPlanned, counted(s.Faults))
	say("processes", "%d crashes, %d restarts, %d states fetched", s.Crashes, s.Restarts, s.Transfers)
	say("attackers", "%s", counted(s.Attackers))
	say("evidence", "%d accusations of faulty replicas", s.Evidence)
	say("liveness", "%d runs healed and had to converge, in %d faults went on", s.Healed, s.Seeds-s.Healed)
	return b.String()
}

// counted lists counts, the highest first.
func counted(m map[string]int) string {
	var parts []string
	for _, name := range slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		return cmp.Or(cmp.Compare(m[b], m[a]), strings.Compare(a, b))
	}) {
		parts = append(parts, fmt.Sprintf("%s %d", name, m[name]))
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}
