package pbft

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"tagma/internal/alone"
	"tagma/pbft/wire"
)

var (
	seedFlag  = flag.Int64("seed", -1, "run only this seed of the random schedules")
	seedsFlag = flag.Uint64("seeds", 0, "run this many seeds of the random schedules instead of the default")
)

// schedule is one random run: a cluster, its faulty members, and the faults that may happen to it.
type schedule struct {
	c      *cluster
	rng    *rand.Rand
	liars  []*liar
	healed bool
	loss   int           // percent
	pace   time.Duration // longest tick
	cut    map[route]bool
	cuts   int // percentage of the routes that are cut when routes are drawn anew
	next   uint64
	recent []packet // packets that were delivered or lost before, and may be delivered again
	lossy  *forgetting
	again  string // name of the test with which this run can be repeated
}

// route stands for the messages of one type from one replica to another.
type route struct {
	kind     wire.Type
	from, to wire.ReplicaID
}

// TestRandom_SafeAndLive runs random schedules with up to f Byzantine replicas, loss, reordering, duplication, crashes
// in the middle of a step, restarts and clocks that differ. The invariants must hold after every step. At the end all
// faults stop, and all replicas must converge within the number of views that V9 allows.
func TestRandom_SafeAndLive(t *testing.T) {
	alone.Test(t)
	first, seeds := seedRange(t, 200)
	for seed := first; seed < first+seeds; seed++ {
		s := newSchedule(t, seed)
		s.disturb(400)
		s.heal()
	}
}

// seedRange is the range of seeds to run.
func seedRange(t *testing.T, usual uint64) (first, seeds uint64) {
	t.Helper()
	switch {
	case *seedFlag >= 0:
		return uint64(*seedFlag), 1
	case *seedsFlag > 0:
		return 0, *seedsFlag
	case testing.Short():
		return 0, min(usual, 50)
	}
	return 0, usual
}

func newSchedule(t *testing.T, seed uint64) *schedule {
	rng := rand.New(rand.NewPCG(seed, 1))
	n := []int{4, 4, 5, 6, 7, 10, 4}[seed%7]
	windows := [][2]wire.Seq{{4, 8}, {1, 2}, {2, 8}, {4, 16}, {8, 64}}
	w := windows[rng.IntN(len(windows))]
	s := &schedule{
		rng: rng, loss: []int{0, 5, 15, 40}[rng.IntN(4)], cuts: []int{0, 30, 60}[rng.IntN(3)],
		pace: []time.Duration{200, 1000}[rng.IntN(2)] * time.Millisecond, again: t.Name(),
	}
	s.c = newCluster(t, n, func(cfg *wire.Config) { cfg.CheckpointInterval, cfg.LogWindow = w[0], w[1] })
	s.c.context = func() string {
		return fmt.Sprintf("n=%d K=%d L=%d; again: go test ./pbft -run %s -seed %d", n, w[0], w[1], s.again, seed)
	}
	f := s.c.nodes[0].cfg.F()
	for _, id := range rng.Perm(n)[:rng.IntN(f+1)] {
		s.liars = append(s.liars, s.c.corrupt(wire.ReplicaID(id), rng, []int{5, 30, 90}[rng.IntN(3)]))
	}
	lazy := rng.IntN(3) * 30
	for _, nd := range s.c.nodes {
		nd.lazy = func() bool { return rng.IntN(100) < lazy }
		nd.clock = time.Duration(rng.IntN(600)-300) * time.Millisecond
	}
	s.c.filter = s.onWire
	return s
}

// onWire decides what happens to a packet, and shows it to the liars.
func (s *schedule) onWire(p *packet) bool {
	for _, l := range s.liars {
		l.overhear(p.msg)
	}
	if len(s.recent) < 100 {
		s.recent = append(s.recent, *p)
	} else {
		s.recent[s.rng.IntN(100)] = *p
	}
	return s.healed || s.rng.IntN(100) >= s.loss && !s.cut[route{wire.TypeOf(p.msg), p.from, p.to}]
}

// redrawCuts draws again which routes are cut. So different slots prepare and commit at different replicas.
func (s *schedule) redrawCuts() {
	s.cut = map[route]bool{}
	for _, kind := range []wire.Type{wire.TypePrePrepare, wire.TypePrepare, wire.TypeCommit, wire.TypeCheckpoint, wire.TypeViewChange, wire.TypeNewView} {
		for from := range s.c.all() {
			for to := range s.c.all() {
				if s.rng.IntN(100) < s.cuts {
					s.cut[route{kind, wire.ReplicaID(from), wire.ReplicaID(to)}] = true
				}
			}
		}
	}
}

// disturb makes so many random steps.
func (s *schedule) disturb(moves int) {
	for range moves {
		switch k := s.rng.IntN(100); {
		case k < 65:
			s.deliverSome()
		case k < 75:
			s.submitOne()
		case k < 77:
			s.crashOne()
			if s.rng.IntN(20) == 0 {
				s.restartAll()
			}
			if s.lossy != nil {
				s.loseOne()
			}
		case k < 81:
			s.restartOne()
			if s.lossy != nil {
				s.copyOne()
			}
		case k < 84:
			if len(s.recent) > 0 {
				s.c.receive(s.recent[s.rng.IntN(len(s.recent))])
			}
		case k < 86:
			s.redrawCuts()
		case k < 90:
			for _, l := range s.liars {
				l.invade()
			}
		default:
			s.c.clock(time.Duration(s.rng.Int64N(int64(s.pace))))
		}
	}
}

func (s *schedule) deliverSome() {
	for range 8 {
		if k := len(s.c.wire); k > 0 {
			at := s.rng.IntN(k)
			if s.rng.IntN(2) == 0 {
				at = 0
			}
			s.c.deliver(at)
		}
	}
}

func (s *schedule) submitOne() {
	s.next++
	n := len(s.c.nodes)
	a, b := wire.ReplicaID(s.rng.IntN(n)), wire.ReplicaID(s.rng.IntN(n))
	client := s.rng.IntN(3)
	s.c.submit(s.c.request(client, s.next, "op"), a)
	if s.rng.IntN(5) == 0 { // a faulty client: two operations under one number (C2)
		s.c.submit(s.c.request(client, s.next, "other op"), b)
	} else {
		s.c.submit(s.c.request(client, s.next, "op"), b)
	}
}

// crashOne stops a replica, often in the middle of one of its next steps.
func (s *schedule) crashOne() {
	n := s.c.nodes[s.rng.IntN(len(s.c.nodes))]
	if n.up && !n.faulty {
		if n.crashIn = s.rng.IntN(10); n.crashIn == 0 {
			n.crash()
		}
	}
}

// restartAll crashes and restarts all replicas at once, and loses every message on the wire (I9).
func (s *schedule) restartAll() {
	s.c.wire = nil
	for _, n := range s.c.nodes {
		if n.up {
			n.crash()
		}
	}
	for _, n := range s.c.nodes {
		n.start()
	}
}

func (s *schedule) restartOne() {
	if n := s.c.nodes[s.rng.IntN(len(s.c.nodes))]; !n.up {
		n.start()
	}
}
