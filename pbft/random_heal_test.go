package pbft

import (
	"time"

	"tagma/pbft/wire"
)

// extraViews is how many views above the highest one at healing may pass before everything converges: V9 allows 4, and
// each faulty replica may spoil one more as the primary of a view.
// A replica that keeps silent spoils views too.
func (s *schedule) extraViews() wire.View {
	if s.lossy != nil {
		return 4 + wire.View(s.c.nodes[0].cfg.N())
	}
	return 4
}

// heal lets every message through, restarts who is down, and asks for one more request: all correct replicas execute it
// (V9), in a view not far above, and agree on everything.
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
	last := c.request(0, s.next+1, "last")
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
	for _, n := range c.correct() {
		if n.replica.view > low+s.extraViews() {
			c.fail("V9: replica %d ends in view %d, %d at healing\n%s", n.id, n.replica.view, low, c.describe())
		}
	}
}

// drain delivers what is on the wire and what that brings forth; liars go on lying all the while.
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
	correct := s.c.correct()
	if !executed(last, correct...) {
		return false
	}
	for _, n := range correct {
		if n.state.seq != correct[0].state.seq || n.state.root != correct[0].state.root || !n.replica.active {
			return false
		}
		if !n.whole() || n.replica.inquiry.Asking {
			return false
		}
	}
	return true
}
