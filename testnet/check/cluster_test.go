package check

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"tagma/internal/driver"
	"tagma/pbft"
)

// cluster runs real cores behind real drivers, in memory and one thread, under a monitor. Signatures are a keyed hash.
type cluster struct {
	t     *testing.T
	mon   *Monitor
	nodes []*node
	wire  []packet
	now   time.Duration
	rng   *rand.Rand
	loss  float64
	next  uint64
	open  map[pbft.RequestID]*pbft.Request
	heard map[pbft.RequestID]map[pbft.ReplicaID]*pbft.Reply
	acked int
	calm  bool // no crashes
	cut   int  // this replica hears and reaches nobody; negative: none
	tally tally
}

// tally counts what happened, so that a quiet run does not pass for a good one.
type tally struct{ crashes, entered, checkpoints, inactive int }

type packet struct {
	from, to pbft.ReplicaID
	frame    []byte
}

// node is one replica with all ports of its driver.
type node struct {
	c       *cluster
	id      pbft.ReplicaID
	cfg     *pbft.Config
	replica *pbft.Replica
	drv     *driver.Driver // nil while down
	disk    []pbft.Record
	appends int
	dieIn   int // records, then the disk takes nothing more
	saved   map[pbft.Seq]state
	state   state
	inbox   []pbft.Event
}

type state struct {
	seq  pbft.Seq
	root pbft.Digest
	done map[pbft.RequestID]pbft.Reply
}

func (s state) clone() state { return state{s.seq, s.root, maps.Clone(s.done)} }

func keyOf(name string, i int) pbft.PublicKey {
	return sha256.Sum256(fmt.Appendf(nil, "%s %d", name, i))
}

func signWith(key pbft.PublicKey) func([]byte) pbft.Signature {
	return func(b []byte) (s pbft.Signature) {
		half := sha256.Sum256(append(key[:], b...))
		copy(s[:], half[:])
		return s
	}
}

func holds(claims []pbft.Claim) bool {
	for _, c := range claims {
		if signWith(c.Signer)(c.Signed) != c.Sig {
			return false
		}
	}
	return true
}

func configOf(n int) *pbft.Config {
	cfg := pbft.Config{
		Cluster: pbft.Digest{1}, CheckpointInterval: 4, LogWindow: 8, ViewTimeout: time.Second, MaxBatch: 4,
	}.WithDefaults()
	for i := range n {
		cfg.Members = append(cfg.Members, keyOf("replica", i))
	}
	return &cfg
}

func everybody(pbft.ReplicaID) bool { return true }

func newCluster(t *testing.T, n int, seed uint64) *cluster {
	t.Helper()
	c := &cluster{
		t: t, mon: NewMonitor(configOf(n), everybody, holds), rng: rand.New(rand.NewPCG(seed, 1)), cut: -1,
		open: map[pbft.RequestID]*pbft.Request{}, heard: map[pbft.RequestID]map[pbft.ReplicaID]*pbft.Reply{},
	}
	c.mon.VerifyEvery(1)
	for i := range n {
		cfg := *configOf(n)
		cfg.Self = pbft.ReplicaID(i)
		nd := &node{c: c, id: cfg.Self, cfg: &cfg, saved: map[pbft.Seq]state{0: {done: map[pbft.RequestID]pbft.Reply{}}}}
		c.nodes = append(c.nodes, nd)
		nd.start()
	}
	return c
}

func (n *node) start() {
	log := slices.Clone(n.disk)
	for _, mark := range pbft.Marks(log) {
		s, ok := n.saved[mark.Seq]
		if !ok || s.root != mark.Digest {
			continue
		}
		r, err := pbft.New(n.cfg, log, pbft.Applied{Seq: s.seq, Root: s.root})
		if err != nil {
			continue
		}
		n.replica, n.state, n.inbox, n.dieIn = r, s.clone(), nil, 0
		n.drv = driver.New(n.cfg, n, driver.Ports{
			Journal: n, Signer: n, Transport: n, Machine: n, Observer: n, Guard: driver.NewGuard(n.cfg, log),
		})
		n.c.mon.Restarted(n.id, s.seq)
		return
	}
	n.c.t.Fatalf("replica %d cannot start", n.id)
}

func (n *node) Step(ev pbft.Event) []pbft.Effect {
	effects := n.replica.Step(ev)
	n.c.mon.Stepped(n.id, ev, effects)
	n.c.mon.Standing(n.id, n.replica.Position())
	if !n.replica.Position().Active {
		n.c.tally.inactive++
	}
	return effects
}

func (n *node) Anchor() []pbft.Record { return n.replica.Anchor() }

type death struct{}

func (n *node) write(records []pbft.Record) {
	for _, r := range records {
		if n.dieIn > 0 {
			if n.dieIn--; n.dieIn == 0 {
				panic(death{})
			}
		}
		again, err := pbft.DecodeRecord(pbft.EncodeRecord(r))
		if err != nil {
			n.c.t.Fatal(err)
		}
		n.disk = append(n.disk, again)
		n.c.mon.Durable(n.id, r)
	}
}

func (n *node) Append(turn []pbft.Record, anchor func() []pbft.Record) error {
	if n.appends++; n.appends%50 == 0 {
		turn = anchor()
	}
	n.write(turn)
	return nil
}

func (n *node) Truncate(_ pbft.Seq, anchor func() []pbft.Record) error {
	n.write(anchor())
	return nil
}

func (n *node) Sign(b []byte) [64]byte { return signWith(n.cfg.Members[n.id])(b) }

func (n *node) Send(to pbft.ReplicaID, frame []byte) {
	msg, err := pbft.Decode(slices.Clone(frame))
	if err != nil {
		n.c.t.Fatal(err)
	}
	n.c.mon.Left(n.id, msg)
	if cut := n.c.cut; n.c.rng.Float64() >= n.c.loss && int(n.id) != cut && int(to) != cut {
		n.c.wire = append(n.c.wire, packet{n.id, to, frame})
	}
}

func (n *node) Respond(r *pbft.Reply) { n.c.hear(n.id, r) }

func (n *node) Execute(seq pbft.Seq, body *pbft.Body) {
	n.state.seq = seq
	done := pbft.Executed{Seq: seq}
	for _, req := range body.Requests {
		reply, again := n.state.done[req.ID]
		if !again {
			reply = pbft.Reply{ID: req.ID, Request: req.Digest(), Outcome: pbft.OutcomeExecuted, Seq: seq, Results: req.Ops}
			n.state.done[req.ID] = reply
		}
		done.Replies = append(done.Replies, &reply)
	}
	d := body.Digest()
	n.state.root = sha256.Sum256(append(binary.BigEndian.AppendUint64(n.state.root[:], uint64(seq)), d[:]...))
	n.c.mon.Applied(n.id, seq, body, done.Replies)
	n.inbox = append(n.inbox, done)
}

func (n *node) Snapshot(seq pbft.Seq) {
	n.c.tally.checkpoints++
	n.saved[seq] = n.state.clone()
	n.c.mon.Root(n.id, seq, n.state.root)
	n.inbox = append(n.inbox, pbft.Snapshotted{Seq: seq, Digest: n.state.root})
}

func (n *node) Discard(pbft.Seq) {}

func (n *node) Lookup(req *pbft.Request) (*pbft.Reply, bool) {
	reply, done := n.state.done[req.ID]
	return &reply, done
}

func (n *node) Entered(pbft.View)                 { n.c.tally.entered++ }
func (n *node) Dropped(pbft.Message, pbft.Reason) {}
func (n *node) Accused(pbft.Evidence)             {}
func (n *node) Diverged(pbft.Diverged)            {}

// turn gives a node what waits for it. Dying ends it anywhere within.
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
		n.c.t.Fatal(err)
	}
	n.c.mon.Holds(n.id, n.replica.Footprint())
}

func (c *cluster) hear(from pbft.ReplicaID, r *pbft.Reply) {
	if c.open[r.ID] == nil || r.Outcome != pbft.OutcomeExecuted {
		return
	}
	if c.heard[r.ID] == nil {
		c.heard[r.ID] = map[pbft.ReplicaID]*pbft.Reply{}
	}
	c.heard[r.ID][from] = r
	if len(c.heard[r.ID]) <= (len(c.nodes)-1)/3 {
		return
	}
	a := Acceptance{ID: r.ID, Request: r.Request, Outcome: r.Outcome, Seq: r.Seq, Result: pbft.DigestResults(r.Results)}
	for id := range c.nodes {
		if c.heard[r.ID][pbft.ReplicaID(id)] != nil {
			a.Voters = append(a.Voters, pbft.ReplicaID(id))
		}
	}
	c.mon.Accepted(a)
	c.acked++
	delete(c.open, r.ID)
	delete(c.heard, r.ID)
}

func request(t uint64) *pbft.Request {
	key := keyOf("client", 0)
	r := &pbft.Request{
		ID:  pbft.RequestID{Client: key, Session: 1, T: t},
		Ops: [][]byte{binary.BigEndian.AppendUint64(nil, t)}, AckedBelow: t - min(t, 20),
	}
	pbft.SignRequest(pbft.Digest{1}, 0, r, signWith(key))
	return r
}

func (c *cluster) submit() {
	c.next++
	r := request(c.next)
	c.mon.Submitted(r)
	c.open[r.ID] = r
}

// ask sends what is not answered to everybody.
func (c *cluster) ask() {
	for t := uint64(1); t <= c.next; t++ {
		if r := c.open[pbft.RequestID{Client: keyOf("client", 0), Session: 1, T: t}]; r != nil {
			for _, n := range c.nodes {
				n.give(pbft.Source{Client: true}, pbft.Encode(r))
			}
		}
	}
}

func (n *node) give(from pbft.Source, frame []byte) {
	if n.drv == nil {
		return
	}
	msg, err := pbft.Decode(slices.Clone(frame))
	if err != nil {
		n.c.t.Fatal(err)
	}
	v, err := pbft.Verify(n.cfg, msg, holds)
	if err != nil {
		n.c.t.Fatal(err)
	}
	n.inbox = append(n.inbox, pbft.Received{From: from, Msg: v})
}

// run lets so many ticks pass.
func (c *cluster) run(ticks int) {
	for range ticks {
		c.now += 20 * time.Millisecond
		for _, n := range c.nodes {
			if n.drv == nil {
				if c.calm || c.rng.IntN(20) == 0 {
					n.start()
				}
				continue
			}
			n.inbox = append(n.inbox, pbft.Tick{Mono: c.now, Wall: int64(c.now)})
			if !c.calm && c.rng.IntN(300) == 0 {
				n.dieIn = 1 + c.rng.IntN(20)
			}
		}
		if c.now%(400*time.Millisecond) == 0 {
			c.ask()
		}
		for hops := 1 + c.rng.IntN(6); hops > 0 || c.calm && c.busy(); hops-- {
			c.hop()
		}
	}
}

func (c *cluster) busy() bool {
	return len(c.wire) > 0 || slices.ContainsFunc(c.nodes, func(n *node) bool {
		return n.drv != nil && (len(n.inbox) > 0 || n.drv.Pending())
	})
}

// hop delivers what is on the wire, in any order, and gives everybody a turn.
func (c *cluster) hop() {
	waiting := c.wire
	c.wire = nil
	if !c.calm {
		c.rng.Shuffle(len(waiting), func(i, j int) { waiting[i], waiting[j] = waiting[j], waiting[i] })
	}
	for _, p := range waiting {
		c.nodes[p.to].give(pbft.Source{Replica: p.from}, p.frame)
	}
	for _, n := range c.nodes {
		n.turn()
	}
}
