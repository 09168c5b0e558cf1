package swarm

import (
	"reflect"
	"slices"
	"time"

	"tagma/pbft/wire"
	"tagma/testnet/sim"
	"tagma/testnet/sim/disk"
)

// part is an element of one of a plan's lists that may be removed: a fault, an attacker, or a replica that counts as
// faulty.
type part struct{ field, index int }

func parts(p *sim.Plan) (all []part) {
	v := reflect.ValueOf(p).Elem()
	for field := range v.NumField() {
		if v.Field(field).Kind() != reflect.Slice {
			continue
		}
		for i := range v.Field(field).Len() {
			all = append(all, part{field, i})
		}
	}
	return all
}

// leaveOut removes parts from a plan. It also removes faults that only a faulty replica may have, if their replica does
// not count as faulty any more. The argument gone is in the order of the plan's parts.
func leaveOut(p *sim.Plan, gone []part) {
	v := reflect.ValueOf(p).Elem()
	for _, g := range slices.Backward(gone) {
		l := v.Field(g.field)
		l.Set(reflect.AppendSlice(l.Slice(0, g.index), l.Slice(g.index+1, l.Len())))
	}
	p.Faults = slices.DeleteFunc(p.Faults, func(f sim.Fault) bool {
		if f.Do.OfDisk() {
			return !slices.Contains(p.Damaged, f.Replica) && !slices.Contains(p.Forgetful, f.Replica)
		}
		return p.Heal > 0 && f.Links != nil && f.Undo == nil && !slices.Contains(p.Cut, f.Replica)
	})
}

// smaller lists changes that make a plan smaller, those that save the most time first. From each row one change is made:
// the first with which the invariant still breaks.
var smaller = [][]func(*sim.Plan){
	{clients(1), clients(2), func(p *sim.Plan) { p.Clients -= p.Clients / 2 }, func(p *sim.Plan) { p.Clients = max(1, p.Clients-1) }},
	{operations(1), operations(3), operations(10), operations(30), func(p *sim.Plan) { p.Workload.Operations -= p.Workload.Operations / 2 }},
	{replicas(4), replicas(5), replicas(6), replicas(7), replicas(10)},
	{func(p *sim.Plan) { p.Base.Loss, p.Base.Duplicate, p.Base.Reorder = 0, 0, 0 }},
	{func(p *sim.Plan) { p.Base.Jitter = 0 }},
	{func(p *sim.Plan) { p.SyncJitter = 0 }},
	{func(p *sim.Plan) { p.Real = false }},
	{func(p *sim.Plan) { p.Sessions, p.Workload.Churn = 0, 0 }},
	{func(p *sim.Plan) { p.Workload.Outstanding = 1 }},
	{func(p *sim.Plan) { p.Workload.ValueBytes = 0 }},
	{func(p *sim.Plan) { p.Workload.Rate = 0 }},
	{func(p *sim.Plan) { p.Workload.Semantics = "" }},
	{func(p *sim.Plan) { p.Workload.Patience = 0 }},
	{func(p *sim.Plan) { p.Workload.InFlight, p.Workload.Pack = 0, 0 }},
	{func(p *sim.Plan) { p.Workload.NoHedging = false }},
	{func(p *sim.Plan) { p.Workload.SharedKey = false }},
	{func(p *sim.Plan) { p.Workload.Skew = 0 }},
	{func(p *sim.Plan) { p.ReplyBytes = 0 }},
	{func(p *sim.Plan) { p.History = 0 }},
	{func(p *sim.Plan) { p.MaxBatch = 1 }},
	{func(p *sim.Plan) {
		for i := range p.Faults {
			p.Faults[i].Loss = disk.Kill
		}
	}},
	{func(p *sim.Plan) {
		for i := range p.Malicious {
			p.Malicious[i].From, p.Malicious[i].Until = 0, 0
		}
	}},
}

func clients(n int) func(*sim.Plan) { return func(p *sim.Plan) { p.Clients = min(p.Clients, n) } }

func operations(n int) func(*sim.Plan) {
	return func(p *sim.Plan) {
		if l := &p.Workload; l.Operations == 0 || n < l.Operations {
			l.Operations = n
		}
	}
}

// replicas keeps n replicas. It removes the others, and everything that is only about these.
func replicas(n int) func(*sim.Plan) {
	return func(p *sim.Plan) {
		if n < p.Replicas {
			p.Replicas = n
			without(reflect.ValueOf(p), uint64(n))
		}
	}
}

var idType = reflect.TypeFor[wire.ReplicaID]()

// without removes replicas from number n on from all lists in a value, at all depths.
func without(v reflect.Value, n uint64) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			without(v.Elem(), n)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			without(v.Field(i), n)
		}
	case reflect.Slice:
		kept := v.Slice(0, 0)
		for i := range v.Len() {
			id := v.Index(i)
			if id.Kind() == reflect.Struct {
				id = id.FieldByName("Replica")
			}
			if id.IsValid() && id.Type() == idType && id.Uint() >= n {
				continue
			}
			without(v.Index(i), n)
			kept = reflect.Append(kept, v.Index(i))
		}
		v.Set(kept)
	default: // no list
	}
}

// moments returns all times of a plan that count from the beginning of its run.
func moments(p *sim.Plan) []*time.Duration {
	all := []*time.Duration{&p.Duration, &p.Heal, &p.Workload.Until}
	for i := range p.Faults {
		all = append(all, &p.Faults[i].At, &p.Faults[i].Until)
	}
	for i := range p.Malicious {
		all = append(all, &p.Malicious[i].From, &p.Malicious[i].Until)
	}
	for i := range p.Rogues {
		all = append(all, &p.Rogues[i].From, &p.Rogues[i].Until)
	}
	return all
}
