package swarm

import (
	"slices"
	"time"

	"tagma/pbft"
	"tagma/testnet/links"
	"tagma/testnet/sim"
	"tagma/testnet/sim/disk"
)

// ways are the changes that make a plan smaller, what saves the most time first. Each reports whether it did.
var ways = []func(*shrinker) bool{
	(*shrinker).shorter, (*shrinker).fewerFaults, (*shrinker).fewerAttackers, (*shrinker).fewerClients,
	(*shrinker).smallerCluster, (*shrinker).plainer,
}

// shorter ends the run where the invariant broke. What must converge afterwards is left to do so.
func (s *shrinker) shorter() (smaller bool) {
	at := s.best.Violation.At
	if s.best.Plan.Heal == 0 || at < s.best.Plan.Heal {
		smaller = s.with(func(p *sim.Plan) {
			p.Heal, p.Cut = 0, nil
			cut(p, at)
		})
	}
	for range 4 { // halves of what is left, at most
		if !s.with(func(p *sim.Plan) { scale(p, 2) }) {
			break
		}
		smaller = true
	}
	return smaller
}

// scale lets everything happen so many times as early.
func scale(p *sim.Plan, by time.Duration) {
	p.Duration /= by
	p.Heal /= by
	p.Workload.Until /= by
	for i := range p.Faults {
		p.Faults[i].At /= by
		p.Faults[i].Until /= by
	}
	for i := range p.Malicious {
		p.Malicious[i].From /= by
		p.Malicious[i].Until /= by
	}
	for i := range p.Rogues {
		p.Rogues[i].From /= by
		p.Rogues[i].Until /= by
	}
}

// fewerFaults leaves faults out, but for those that a replica counts as faulty for.
func (s *shrinker) fewerFaults() bool {
	loose := func(p *sim.Plan) (f []sim.Fault) {
		for _, one := range p.Faults {
			if !ofDisk(one.Do) && !endless(p, &one) {
				f = append(f, one)
			}
		}
		return f
	}
	return reduce(s, loose, func(p *sim.Plan, kept []sim.Fault) {
		p.Faults = append(kept, slices.DeleteFunc(p.Faults, func(f sim.Fault) bool { return !ofDisk(f.Do) && !endless(p, &f) })...)
		slices.SortStableFunc(p.Faults, func(a, b sim.Fault) int { return int(a.At - b.At) })
	})
}

// endless reports whether a fault cuts off one of those that need not catch up.
func endless(p *sim.Plan, f *sim.Fault) bool {
	return f.Links != nil && f.Undo == nil && len(p.Cut) > 0 && slices.ContainsFunc(f.Links.Targets, func(id pbft.ReplicaID) bool {
		return slices.Contains(p.Cut, id)
	})
}

// fewerAttackers makes faulty replicas correct, and leaves malicious clients out.
func (s *shrinker) fewerAttackers() bool {
	smaller := reduce(s, func(p *sim.Plan) []sim.Malice { return p.Malicious }, func(p *sim.Plan, kept []sim.Malice) { p.Malicious = kept })
	smaller = reduce(s, func(p *sim.Plan) []sim.Twin { return p.Twins }, func(p *sim.Plan, kept []sim.Twin) { p.Twins = kept }) || smaller
	smaller = reduce(s, func(p *sim.Plan) []sim.Rogue { return p.Rogues }, func(p *sim.Plan, kept []sim.Rogue) { p.Rogues = kept }) || smaller
	smaller = reduce(s, func(p *sim.Plan) []pbft.ReplicaID { return p.Damaged }, func(p *sim.Plan, kept []pbft.ReplicaID) {
		p.Damaged = kept
		p.Faults = slices.DeleteFunc(p.Faults, func(f sim.Fault) bool { return ofDisk(f.Do) && !slices.Contains(kept, f.Replica) })
	}) || smaller
	return reduce(s, func(p *sim.Plan) []pbft.ReplicaID { return p.Cut }, func(p *sim.Plan, kept []pbft.ReplicaID) {
		p.Faults = slices.DeleteFunc(p.Faults, func(f sim.Fault) bool { return endless(p, &f) && !slices.Contains(kept, f.Links.Targets[0]) })
		p.Cut = kept
	}) || smaller
}

// fewerClients leaves clients and operations out.
func (s *shrinker) fewerClients() (smaller bool) {
	for _, n := range []int{1, 2, s.best.Plan.Clients / 2, s.best.Plan.Clients - 1} {
		if n > 0 && n < s.best.Plan.Clients && s.with(func(p *sim.Plan) { p.Clients = n }) {
			smaller = true
			break
		}
	}
	for _, n := range []int{1, 3, 10, 30, s.best.Plan.Workload.Operations / 2} {
		most := s.best.Plan.Workload.Operations
		if n > 0 && (most == 0 || n < most) && s.with(func(p *sim.Plan) { p.Workload.Operations = n }) {
			smaller = true
			break
		}
	}
	return smaller
}

// smallerCluster leaves out the replicas with the highest numbers.
func (s *shrinker) smallerCluster() bool {
	for _, n := range []int{4, 5, 6, 7, 10} {
		if n < s.best.Plan.Replicas && s.with(func(p *sim.Plan) { shrinkTo(p, n) }) {
			return true
		}
	}
	return false
}

// shrinkTo takes replicas from n on out of a plan, with everything that is about them alone.
func shrinkTo(p *sim.Plan, n int) {
	gone := func(id pbft.ReplicaID) bool { return int(id) >= n }
	p.Replicas = n
	p.Malicious = slices.DeleteFunc(p.Malicious, func(m sim.Malice) bool { return gone(m.Replica) })
	p.Twins = slices.DeleteFunc(p.Twins, func(t sim.Twin) bool { return gone(t.Replica) })
	for i := range p.Twins {
		p.Twins[i].Peers = slices.DeleteFunc(p.Twins[i].Peers, gone)
	}
	p.Damaged, p.Cut = slices.DeleteFunc(p.Damaged, gone), slices.DeleteFunc(p.Cut, gone)
	p.Forgetful = slices.DeleteFunc(p.Forgetful, gone)
	p.Faults = slices.DeleteFunc(p.Faults, func(f sim.Fault) bool { return gone(f.Replica) })
	for i := range p.Faults {
		without(p.Faults[i].Links, gone)
		without(p.Faults[i].Undo, gone)
	}
}

// without takes replicas out of a change of links.
func without(c *links.Command, gone func(pbft.ReplicaID) bool) {
	if c == nil {
		return
	}
	for i := range c.Groups {
		c.Groups[i] = slices.DeleteFunc(c.Groups[i], gone)
	}
	c.Targets, c.From, c.To = slices.DeleteFunc(c.Targets, gone), slices.DeleteFunc(c.From, gone), slices.DeleteFunc(c.To, gone)
	if c.Rule != nil {
		c.Rule.Match.From, c.Rule.Match.To = slices.DeleteFunc(c.Rule.Match.From, gone), slices.DeleteFunc(c.Rule.Match.To, gone)
	}
}

// plainer takes away what else may not matter: chance in links and disks, what crashes lose, many keys, the ends of
// attacks.
func (s *shrinker) plainer() (smaller bool) {
	for _, change := range []func(*sim.Plan){
		func(p *sim.Plan) { p.Base.Loss, p.Base.Duplicate, p.Base.Reorder = 0, 0, 0 },
		func(p *sim.Plan) { p.Base.Jitter = 0 },
		func(p *sim.Plan) { p.SyncJitter = 0 },
		func(p *sim.Plan) { p.Real = false },
		func(p *sim.Plan) { p.Sessions, p.Workload.Churn = 0, 0 },
		func(p *sim.Plan) { p.Workload.Outstanding = 1 },
		func(p *sim.Plan) { p.Workload.ValueBytes = 0 },
		func(p *sim.Plan) { p.Workload.Rate = 0 },
		func(p *sim.Plan) { p.MaxBatch = 1 },
		func(p *sim.Plan) {
			for i := range p.Faults {
				p.Faults[i].Loss = disk.Kill
			}
		},
		func(p *sim.Plan) {
			for i := range p.Malicious {
				p.Malicious[i].From, p.Malicious[i].Until = 0, 0
			}
		},
	} {
		smaller = s.with(change) || smaller
	}
	return smaller
}
