package check

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"tagma/pbft"
	"tagma/pbft/driver"
	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine"
	malicious "tagma/testnet/byzantine/replica"
)

// cluster runs real cores and real drivers under a monitor, in memory and in one thread. Signatures are keyed hashes.
type cluster struct {
	t            *testing.T
	mon          *Monitor
	nodes        []*node
	wire         []packet
	now          time.Duration
	rng          *rand.Rand
	loss         float64
	next         uint64
	open         map[wire.RequestID]*wire.Request
	heard        map[wire.RequestID]map[wire.ReplicaID]*wire.Reply
	acked        int
	calm         bool     // no crashes
	cut          int      // the replica that is cut off in both directions; negative: none
	naive        bool     // clients count answers without comparing them
	lostJournals *Monitor // a monitor that has read the journals of lost disks; nil: in this run no disk is lost
	liar         int      // the malicious replica; negative: none
	tally        tally

	behaviour byzantine.Choice
}

// tally counts what happened, so that the test can check that enough happened.
type tally struct{ crashes, entered, checkpoints, inactive, refused, transfers, recoveries, rollbacks, proven int }

type packet struct {
	from, to wire.ReplicaID
	frame    []byte
}

// node is one replica with all ports of its driver.
type node struct {
	c       *cluster
	id      wire.ReplicaID
	cfg     *wire.Config
	replica *pbft.Replica
	core    driver.Core     // the replica, or an attacker around it
	drv     *driver.Driver  // nil while down
	disk    [][]wire.Record // segments
	appends int
	dieIn   int // after so many more records the disk accepts nothing
	saved   map[wire.Seq]state
	state   state
	inbox   []port.Event
	gone    bool // the node lost its state, and only a transfer can bring it back
	memory  memory
	wanted  *wire.StableCert
	offered wire.StableCert
}

type state struct {
	seq  wire.Seq
	root wire.Digest
	done map[wire.RequestID]wire.Reply
}

func (s state) clone() state { return state{s.seq, s.root, maps.Clone(s.done)} }

func keyOf(name string, i int) wire.PublicKey {
	return sha256.Sum256(fmt.Appendf(nil, "%s %d", name, i))
}

func signWith(key wire.PublicKey) func([]byte) wire.Signature {
	return func(b []byte) (s wire.Signature) {
		half := sha256.Sum256(append(key[:], b...))
		copy(s[:], half[:])
		return s
	}
}

func holds(claims []wire.Claim) bool {
	for _, c := range claims {
		if signWith(c.Signer)(c.Signed) != c.Sig {
			return false
		}
	}
	return true
}

func configOf(n int) *wire.Config {
	cfg := wire.Config{
		Cluster: wire.Digest{1}, CheckpointInterval: 4, LogWindow: 8, ViewTimeout: time.Second, MaxBatch: 4,
	}.WithDefaults()
	for i := range n {
		cfg.Members = append(cfg.Members, keyOf("replica", i))
	}
	return &cfg
}

// rough submits requests and causes faults for so many rounds. Then the faults end, and it waits until nothing happens
// any more.
func (c *cluster) rough(rounds int) {
	for round := range rounds {
		if round%8 == 0 {
			c.cut = c.rng.IntN(len(c.nodes)+1) - 1
		}
		if round < 8 && c.liar == 1 {
			c.cut = 0 // reconnect all replicas, so that the liar can become the primary
		}
		c.submit()
		c.run(20)
	}
	c.loss, c.calm, c.cut = 0, true, -1
	for range 400 {
		if c.run(5); len(c.open) == 0 {
			break
		}
	}
	c.run(300)
	ids := []wire.ReplicaID{}
	for _, n := range c.nodes {
		if !n.gone && n.replica != nil && !n.replica.Inspect().LeftBehind {
			ids = append(ids, n.id)
		}
	}
	c.mon.Converged(ids...)
}

func everybody(wire.ReplicaID) bool { return true }

// newCluster starts n replicas, one of them, chosen by the seed, an attacker if a behaviour is named.
func newCluster(t *testing.T, n int, seed uint64, behaviour string) *cluster {
	t.Helper()
	c := &cluster{
		t: t, rng: rand.New(rand.NewPCG(seed, 1)), cut: -1, liar: -1, behaviour: byzantine.Choice{Name: behaviour},
		open: map[wire.RequestID]*wire.Request{}, heard: map[wire.RequestID]map[wire.ReplicaID]*wire.Reply{},
	}
	if behaviour != "" {
		c.liar = int(seed) % n
	}
	c.mon = NewMonitor(configOf(n), func(id wire.ReplicaID) bool { return int(id) != c.liar }, holds)
	c.mon.VerifyEvery(1)
	for i := range n {
		cfg := *configOf(n)
		cfg.Self = wire.ReplicaID(i)
		nd := &node{c: c, id: cfg.Self, cfg: &cfg, saved: map[wire.Seq]state{0: {done: map[wire.RequestID]wire.Reply{}}}}
		c.nodes = append(c.nodes, nd)
		nd.start()
	}
	return c
}

func (n *node) start() {
	if n.memory.gone {
		n.ask()
		return
	}
	log := slices.Concat(n.disk...)
	for _, mark := range wire.Log(log).Marks() {
		s, ok := n.saved[mark.Seq]
		if !ok || s.root != mark.Digest {
			continue
		}
		r, err := pbft.Boot(n.cfg, log, pbft.Applied{Seq: s.seq, Root: s.root}, n.memory.start(n, s.seq))
		if err != nil {
			continue
		}
		n.replica, n.state, n.inbox, n.dieIn = r, s.clone(), nil, 0
		n.wanted, n.offered = nil, wire.StableCert{}
		n.core = r
		if n.lies() {
			if n.core, err = malicious.New(n.c.behaviour, n.cfg, r, signWith(n.cfg.Members[n.id])); err != nil {
				n.c.t.Fatal(err)
			}
		}
		n.drv = n.driver(log)
		n.c.mon.Restarted(n.id, s.seq)
		n.memory.told(n, log, s)
		return
	}
	n.gone = true
}

func (n *node) driver(log wire.Log) *driver.Driver {
	return driver.New(n.cfg, n, driver.Ports{
		Journal: n, Signer: n, Transport: n, Machine: n, Observers: []driver.Observer{witness{n: n}}, Log: log, Unguarded: n.lies(),
	})
}

func (n *node) lies() bool { return int(n.id) == n.c.liar }

// turn gives a node the events that wait for it. The node may crash at any point of its turn.
func (n *node) turn() {
	if n.drv == nil || len(n.inbox) == 0 && !n.drv.Pending() {
		return
	}
	events := n.inbox
	n.inbox = nil
	defer func() {
		if r := recover(); r != nil {
			if _, dead := r.(death); !dead {
				panic(r)
			}
			n.drv = nil
			n.c.tally.crashes++
		}
	}()
	if err := n.drv.Turn(events); err != nil {
		n.c.t.Fatalf("%v; noticed: %v", err, n.c.mon.Violations())
	}
	if n.memory.settle(n); n.replica != nil {
		n.c.mon.Holds(n.id, n.replica.Footprint())
	}
}

func (n *node) give(from port.Source, frame []byte) {
	if n.drv == nil {
		return
	}
	msg, err := wire.Decode(slices.Clone(frame))
	var v wire.Verified
	if err == nil {
		v, err = wire.Verify(n.cfg, msg, holds)
	}
	if err != nil {
		if from.Client || int(from.Replica) != n.c.liar {
			n.c.t.Fatal(err)
		}
		n.c.tally.refused++
		return
	}
	n.inbox = append(n.inbox, port.Received{From: from, Msg: v})
}

// run lets so many ticks pass.
func (c *cluster) run(ticks int) {
	for range ticks {
		c.now += 20 * time.Millisecond
		for _, n := range c.nodes {
			if n.drv == nil {
				if !n.gone && (c.calm || c.rng.IntN(20) == 0) {
					n.start()
				}
				continue
			}
			n.fetch()
			n.mishap()
			n.inbox = append(n.inbox, port.Tick{Mono: c.now, Wall: int64(c.now)})
			if !c.calm && c.rng.IntN(300) == 0 {
				n.dieIn = 1 + c.rng.IntN(20)
			}
		}
		if c.now%(400*time.Millisecond) == 0 {
			c.ask()
		}
		endless := c.behaviour.Name == "outrun" // this behaviour keeps all replicas busy for ever
		for hops := 1 + c.rng.IntN(6); hops > 0 || c.calm && !endless && c.busy(); hops-- {
			c.hop()
		}
	}
}

func (c *cluster) busy() bool {
	return len(c.wire) > 0 || slices.ContainsFunc(c.nodes, func(n *node) bool {
		return n.drv != nil && (len(n.inbox) > 0 || n.drv.Pending())
	})
}

// hop delivers the messages under way, in any order, and gives every node a turn.
func (c *cluster) hop() {
	waiting := c.wire
	c.wire = nil
	if !c.calm {
		c.rng.Shuffle(len(waiting), func(i, j int) { waiting[i], waiting[j] = waiting[j], waiting[i] })
	}
	for _, p := range waiting {
		c.nodes[p.to].give(port.Source{Replica: p.from}, p.frame)
	}
	for _, n := range c.nodes {
		n.turn()
	}
}
