package pbft

import (
	"testing"

	"tagma/internal/alone"
	"tagma/pbft/wire"
)

// forgetting is the part of a random schedule in which replicas lose their memory: disks are deleted, and older copies
// of disks are put back.
type forgetting struct {
	copies map[wire.ReplicaID]*copyOf

	wiped, restored int
}

// TestRandom_WhoForgetsComesBack runs random schedules in which disks are lost and older copies of disks are put back.
// At every start a replica asks what it may have forgotten. At any time at most f replicas are affected, including the
// liars (D8.1). I1, I2, I7, I8 and I19 hold after every step, also across lives. After healing, all replicas have
// recovered, vote again and have executed the same batches.
func TestRandom_WhoForgetsComesBack(t *testing.T) {
	alone.Test(t)
	first, seeds := seedRange(t, 120)
	var sum forgetting
	found, transfers := 0, 0
	for seed := first; seed < first+seeds; seed++ {
		s := newSchedule(t, seed)
		s.forget()
		s.disturb(500)
		s.heal()
		sum.wiped += s.lossy.wiped
		sum.restored += s.lossy.restored
		for _, n := range s.c.nodes {
			transfers += n.transfers
			found += n.found
		}
	}
	t.Logf("%d disks wiped, %d older copies put back, %d of them found out, %d states fetched", sum.wiped, sum.restored, found, transfers)
	if seeds >= 50 && (sum.wiped == 0 || found == 0 || transfers == 0) {
		t.Error("the schedules do not do what they are for")
	}
}

// forget makes replicas ask at every start, from the first one on.
func (s *schedule) forget() {
	s.lossy = &forgetting{copies: map[wire.ReplicaID]*copyOf{}}
	s.c.asks = true
	for _, n := range s.c.nodes {
		n.crash()
	}
	for _, n := range s.c.nodes {
		n.start()
	}
}

// untrue counts the replicas whose memory is not reliable now: liars, those that know that they forgot, and those that
// forgot without knowing it.
func (s *schedule) untrue() int {
	k := len(s.liars)
	for _, n := range s.c.correct() {
		if n.restored || !n.whole() {
			k++
		}
	}
	return k
}

// whole reports whether a node believes that it remembers everything that it signed.
func (n *node) whole() bool { return !n.lost && n.amnesiac == nil && !n.replica.silent() }

// loseOne deletes the disk of a replica or a part of it, unless f other replicas already have no reliable memory.
func (s *schedule) loseOne() {
	n := s.c.nodes[s.rng.IntN(len(s.c.nodes))]
	if n.faulty || s.untrue() >= n.cfg.F() {
		return
	}
	old := s.lossy.copies[n.id]
	if s.rng.IntN(3) == 0 || old == nil {
		n.wipe()
		s.lossy.wiped++
		return
	}
	n.restore(old)
	s.lossy.restored++
}

// copyOne copies the disk of a replica, to be put back later.
func (s *schedule) copyOne() {
	n := s.c.nodes[s.rng.IntN(len(s.c.nodes))]
	if !n.faulty && n.whole() && !n.restored {
		s.lossy.copies[n.id] = n.copyDisk()
	}
}
