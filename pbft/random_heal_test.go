package pbft

import (
	"slices"
	"time"

	"tagma/pbft/wire"
)

// extraViews is how many views above the highest one at healing may pass before everything converges: V9 allows 4. One
// more may pass for each faulty replica, because no progress is made in a view whose primary is faulty or silent.
func (s *schedule) extraViews() wire.View {
	if s.lossy != nil {
		return 4 + wire.View(s.c.nodes[0].cfg.N())
	}
	return 4
}

// heal lets every message through, starts the replicas that are down, and sends one more request. All correct replicas must
// execute it (V9), end in a view at most extraViews above the highest one at healing, and agree on everything.
func (s *schedule) heal() {
	c := s.c
	s.healed = true
	for _, n := range c.nodes {
		n.crashIn = 0
		if !n.up {
			n.start()
		}
	}
	low := c.highestView()
	s.converge(c.request(0, s.next+1, "last"))
	for _, n := range c.correct() {
		if n.replica.view > low+s.extraViews() {
			c.fail("V9: replica %d ends in view %d, %d at healing\n%s", n.id, n.replica.view, low, c.describe())
		}
	}
}

// converge sends a request until every replica has executed it. If some replicas have left their view while the others
// have not, it then crashes the primary. After the resulting view change, these replicas must take part again (V8).
func (s *schedule) converge(last *wire.Request) {
	c := s.c
	for round := 0; !s.converged(last); round++ {
		if round == 200 {
			c.fail("no convergence after healing\n%s", c.describe())
		}
		c.submit(last, c.all()...)
		for range 25 {
			c.clock(20 * time.Millisecond)
			s.drain()
		}
	}
	if len(s.out()) == 0 || len(s.liars) > 0 || s.lossy != nil || last.ID.T > s.next+1 {
		return
	}
	for _, n := range c.correct() {
		if n.replica.active && n.replica.isPrimary() {
			n.crash()
			s.converge(c.request(0, last.ID.T+1, "after the last"))
			if left := s.out(); len(left) > 0 {
				c.fail("V8: they are out for ever: %v\n%s", left, c.describe())
			}
			n.start()
			return
		}
	}
}

// out lists the correct, running replicas whose view is not active.
func (s *schedule) out() (ids []wire.ReplicaID) {
	for _, n := range s.c.correct() {
		if n.up && !n.replica.active {
			ids = append(ids, n.id)
		}
	}
	return ids
}

// drain delivers messages until none is left on the wire. Liars may send further messages before it begins, but not
// during it.
func (s *schedule) drain() {
	if s.rng.IntN(4) == 0 {
		for _, l := range s.liars {
			l.invade()
		}
	}
	for i := 0; len(s.c.wire) > 0; i++ {
		if i > 100_000 {
			s.c.fail("the wire never empties\n%s", s.c.describe())
		}
		s.c.deliver(0)
	}
}

func (s *schedule) converged(last *wire.Request) bool {
	correct := slices.DeleteFunc(s.c.correct(), func(n *node) bool { return !n.up })
	// Up to f such replicas cannot change the view (V7).
	if !executed(last, correct...) || len(s.out()) > correct[0].replica.cfg.F() {
		return false
	}
	for _, n := range correct {
		if n.state.seq != correct[0].state.seq || n.state.root != correct[0].state.root {
			return false
		}
		if !n.whole() || n.replica.inquiry.Asking {
			return false
		}
	}
	return true
}
