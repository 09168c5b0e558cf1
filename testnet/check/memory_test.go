package check

import (
	"encoding/binary"
	"maps"
	"slices"
	"testing"

	"tagma/pbft"
	"tagma/pbft/amnesia"
	"tagma/pbft/wire"
)

// memory is what a node of a test cluster knows about what it has forgotten. Disks may be lost or replaced by older
// copies.
type memory struct {
	lives    uint64
	gone     bool              // its disk is empty, and the node knows that data were lost
	proven   bool              // another replica has shown a statement that its journal lacks
	amnesiac *amnesia.Amnesiac // set while the node asks from which checkpoint on it may vote
	copied   *backup
}

// backup is an older copy of a node's disk.
type backup struct {
	lives uint64
	disk  [][]wire.Record
	saved map[wire.Seq]state
}

// askingCore is a core that only asks other replicas.
type askingCore struct{ *amnesia.Amnesiac }

func (askingCore) Anchor() []wire.Record { return nil }

func (m *memory) life(id wire.ReplicaID) (l wire.Life) {
	binary.BigEndian.PutUint64(l[:], m.lives+1)
	l[15] = byte(id) + 1
	return l
}

// start returns how a replica starts. In a cluster in which no disk is lost, it need not ask the others.
func (m *memory) start(n *node, at wire.Seq) pbft.Start {
	if n.c.lostJournals == nil {
		return pbft.Start{}
	}
	return pbft.Start{Life: m.life(n.id), Nonce: n.c.rng.Uint64() | 1, Fetch: m.lives > 0 && at == 0}
}

// told reports to the monitor what the disk holds at a start.
func (m *memory) told(n *node, log []wire.Record, at state) {
	if n.c.lostJournals == nil {
		return
	}
	for _, rec := range log {
		n.c.mon.Durable(n.id, rec)
	}
	if at.seq > 0 {
		n.c.mon.Root(n.id, at.seq, at.root)
	}
}

// ask starts a node that knows that it may have forgotten what it signed.
func (n *node) ask() {
	n.memory.amnesiac = amnesia.New(n.cfg, n.c.rng.Uint64()|1)
	n.replica, n.core, n.inbox, n.dieIn = nil, askingCore{n.memory.amnesiac}, nil, 0
	n.drv = n.driver(nil)
}

// settle ends a life whose loss is proven, and begins a new one when enough replicas have answered.
func (m *memory) settle(n *node) {
	if m.proven {
		m.proven = false
		n.c.tally.proven++
		n.lose()
		return
	}
	if n.replica != nil || m.amnesiac == nil {
		return
	}
	if rec, enough := m.amnesiac.Recovery(); enough {
		m.amnesiac, m.gone = nil, false
		m.lives++
		n.disk = [][]wire.Record{rec.Records(n.cfg, m.life(n.id))}
		n.c.tally.recoveries++
		n.start()
	}
}

// lose takes the whole disk.
func (n *node) lose() {
	n.c.lostJournals.Read(n.id, slices.Concat(n.disk...))
	n.disk, n.drv, n.memory.gone = nil, nil, true
	n.saved = map[wire.Seq]state{0: {done: map[wire.RequestID]wire.Reply{}}}
	n.c.mon.Forgot(n.id)
}

// putBack replaces the disk by an older copy. The node does not know this.
func (n *node) putBack() {
	n.c.lostJournals.Read(n.id, slices.Concat(n.disk...))
	n.c.lostJournals.Restored(n.id)
	n.disk, n.saved, n.memory.lives = n.memory.copied.disk, n.memory.copied.saved, n.memory.copied.lives
	n.drv, n.memory.copied = nil, nil
	n.c.mon.Forgot(n.id)
	n.c.mon.Remembers(n.id)
	n.c.tally.rollbacks++
}

// whole reports whether all nodes run and remember everything that they signed. Then the cluster can mask the loss of
// one disk.
func (c *cluster) whole() bool {
	return !slices.ContainsFunc(c.nodes, func(n *node) bool {
		return n.drv == nil || n.replica == nil || n.replica.Inspect().Silent || n.replica.Inspect().Asking
	})
}

// mishap sometimes copies the node's disk, loses the disk, or replaces it by the copy.
func (n *node) mishap() {
	if n.c.lostJournals == nil || n.c.calm || !n.c.whole() {
		return
	}
	switch dice := n.c.rng.IntN(400); {
	case dice == 0:
		n.lose()
	case dice < 3 && n.memory.copied != nil && n.memory.copied.lives == n.memory.lives:
		n.putBack()
	case dice < 10:
		b := &backup{lives: n.memory.lives, saved: maps.Clone(n.saved)}
		for _, segment := range n.disk {
			b.disk = append(b.disk, slices.Clone(segment))
		}
		n.memory.copied = b
	}
}

// I19: in these runs whole disks are lost or replaced by older copies. The replicas never contradict their votes after
// that, and the monitor reports nothing.
func TestI19_RealRunsThatLoseDisksAreClean(t *testing.T) {
	sum, facts, told := tally{}, map[string]int{}, map[string]int{}
	for seed := range uint64(25) {
		c := newCluster(t, []int{4, 7}[seed%2], seed, "")
		c.lostJournals = c.newLostJournals()
		c.loss = float64(seed%4) * 0.03
		c.rough(60)
		for _, v := range c.mon.Violations() {
			t.Errorf("seed %d: %v", seed, &v)
		}
		for _, r := range c.journals().Results() {
			if !r.Held {
				t.Errorf("seed %d: by the journals %s: %s", seed, r.ID, r.Why)
			}
			told[r.ID] += r.Checked
		}
		for _, r := range c.mon.Results() {
			facts[r.ID] += r.Checked
		}
		sum.crashes += c.tally.crashes
		sum.recoveries += c.tally.recoveries
		sum.rollbacks += c.tally.rollbacks
		sum.proven += c.tally.proven
		sum.transfers += c.tally.transfers
		if t.Failed() {
			return
		}
	}
	t.Logf("%+v, %v; by the journals %v", sum, facts, told)
	if sum.recoveries < 10 || sum.rollbacks == 0 || sum.proven == 0 || sum.transfers < 10 {
		t.Errorf("not much was lost: %+v", sum)
	}
	for _, id := range []string{"I2", "I13", "I19"} {
		if facts[id] == 0 || told[id] == 0 {
			t.Errorf("%s was checked %d times, and %d by the journals", id, facts[id], told[id])
		}
	}
}
