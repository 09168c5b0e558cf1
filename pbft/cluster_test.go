package pbft

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"
	"time"

	"tagma/internal/rules"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// cluster runs n cores with each other in memory, message by message and in virtual time. Every message is encoded,
// decoded and verified on its way. Instead of signatures it uses keyed hashes, which only the test harness can make.
type cluster struct {
	t         testing.TB
	nodes     []*node
	wire      []packet
	now       time.Duration
	filter    func(*packet) bool // whether a packet is put on the wire; nil: all packets are
	replies   map[wire.RequestID][]*wire.Reply
	submitted map[wire.Digest]bool // content digests of the requests that clients signed
	trace     *trace
	check     *checker
	context   func() string // how to repeat a failing run
	asks      bool          // at every start a replica asks the others what it may have forgotten (D8.4)
	nonces    uint64
}

// packet is a message between two replicas.
type packet struct {
	from, to wire.ReplicaID
	msg      wire.Message // as the sender built it
	frame    []byte
}

// testKey takes the place of a replica's or client's key pair.
func testKey(name string, i int) wire.PublicKey {
	return sha256.Sum256(fmt.Appendf(nil, "%s %d", name, i))
}

func testSign(key wire.PublicKey) func([]byte) wire.Signature {
	return func(b []byte) (s wire.Signature) {
		half := sha256.Sum256(append(append([]byte("secret"), key[:]...), b...))
		copy(s[:], half[:])
		copy(s[32:], half[:])
		return s
	}
}

func testHolds(claims []wire.Claim) bool {
	for _, c := range claims {
		if testSign(c.Signer)(c.Signed) != c.Sig {
			return false
		}
	}
	return true
}

// clusterConfig is a small configuration for n replicas: K = 4, L = 8, T = 1 s.
func clusterConfig(n int) wire.Config {
	cfg := wire.Config{
		Cluster: wire.Digest{1}, CheckpointInterval: 4, LogWindow: 8, MaxBatch: 4, ViewTimeout: time.Second,
	}.WithDefaults()
	for i := range n {
		cfg.Members = append(cfg.Members, testKey("replica", i))
	}
	return cfg
}

func newCluster(t testing.TB, n int, change ...func(*wire.Config)) *cluster {
	c := &cluster{t: t, replies: map[wire.RequestID][]*wire.Reply{}, submitted: map[wire.Digest]bool{}}
	c.check = newChecker(c)
	for i := range n {
		cfg := clusterConfig(n)
		for _, f := range change {
			f(&cfg)
		}
		cfg.Self = wire.ReplicaID(i)
		nd := newNode(c, &cfg)
		c.nodes = append(c.nodes, nd)
		nd.start()
	}
	return c
}

// begin gives all cores of a new cluster their first Tick.
func begin(t testing.TB, n int, change ...func(*wire.Config)) *cluster {
	c := newCluster(t, n, change...)
	c.tick(20 * time.Millisecond)
	return c
}

// fail stops the test and says how to repeat it.
func (c *cluster) fail(format string, args ...any) {
	c.t.Helper()
	if c.context != nil {
		format += "\n" + c.context()
	}
	report := fmt.Sprintf(format, args...)
	c.t.Fatalf("%s\n%s", report, rules.Explain(report))
}

// post puts a message on the wire. A faulty sender may put other messages there instead.
func (c *cluster) post(from, to wire.ReplicaID, m wire.Message) {
	if lie := c.nodes[from].lie; lie != nil {
		for _, other := range lie(to, m) {
			c.put(from, to, other)
		}
		return
	}
	c.put(from, to, m)
}

func (c *cluster) put(from, to wire.ReplicaID, m wire.Message) {
	p := packet{from: from, to: to, msg: m, frame: wire.Encode(m)}
	if c.filter == nil || c.filter(&p) {
		c.wire = append(c.wire, p)
	}
}

// deliver removes packet i from the wire and gives it to its receiver.
func (c *cluster) deliver(i int) {
	p := c.wire[i]
	c.wire = slices.Delete(c.wire, i, i+1)
	c.receive(p)
}

// receive gives a packet to its receiver, after decoding and verifying it.
func (c *cluster) receive(p packet) {
	n := c.nodes[p.to]
	if !n.up {
		return
	}
	m, err := wire.Decode(bytes.Clone(p.frame))
	if err == nil {
		var v wire.Verified
		if v, err = wire.Verify(n.cfg, m, testHolds); err == nil {
			if ask, ok := m.(*wire.FetchSlots); ok {
				n.donate(p.from, ask)
				return
			}
			n.step(port.Received{From: port.Source{Replica: p.from}, Msg: v})
			return
		}
	}
	if !c.nodes[p.from].faulty {
		c.fail("%s of the correct replica %d is refused: %v", wire.TypeOf(p.msg), p.from, err)
	}
	n.refused++
	c.trace.refused(n, &p, err)
	if ev := port.Refused(n.cfg, p.from, p.frame); ev != nil {
		n.step(ev)
	}
}

// settle delivers packets in order until the wire is empty.
func (c *cluster) settle() {
	for len(c.wire) > 0 {
		c.deliver(0)
	}
}

// tick lets d pass in steps of 10 ms, and delivers all packets after each step.
func (c *cluster) tick(d time.Duration) {
	for end := c.now + d; c.now < end; {
		c.clock(10 * time.Millisecond)
		c.settle()
	}
}

// clock lets d pass at once, and delivers nothing.
func (c *cluster) clock(d time.Duration) {
	c.now += d
	for _, n := range c.nodes {
		if n.up {
			n.step(port.Tick{Mono: c.now, Wall: int64(c.now+n.clock) + 1})
			n.fetchState()
		}
	}
}

// until lets time pass until a condition holds, but at most d.
func (c *cluster) until(d time.Duration, what string, holds func() bool) {
	c.t.Helper()
	for end := c.now + d; !holds(); {
		if c.now >= end {
			c.fail("not within %v: %s\n%s", d, what, c.describe())
		}
		c.tick(10 * time.Millisecond)
	}
}

// request is client i's signed operation number t.
func (c *cluster) request(client int, t uint64, op string) *wire.Request {
	key := testKey("client", client)
	r := &wire.Request{ID: wire.RequestID{Client: key, Session: 1, T: t}, Ops: [][]byte{[]byte(op)}}
	wire.SignRequest(c.nodes[0].cfg.Cluster, r, testSign(key))
	c.submitted[r.Digest()] = true
	return r
}

// submit gives a request to some replicas, as its client would. If the request was executed already, the answer is given
// without the core (C3).
func (c *cluster) submit(r *wire.Request, to ...wire.ReplicaID) {
	for _, id := range to {
		n := c.nodes[id]
		if !n.up || n.amnesiac != nil {
			continue
		}
		if _, done := n.state.done[r.ID]; done {
			continue
		}
		v, err := wire.Verify(n.cfg, r, testHolds)
		if err != nil {
			c.fail("request: %v", err)
		}
		n.step(port.Received{From: port.Source{Client: true}, Msg: v})
	}
}

// order makes the primary of view 0 order k more requests of client 0, and delivers all packets.
func (c *cluster) order(k int) {
	for range k {
		t := uint64(len(c.submitted) + 1)
		c.submit(c.request(0, t, "op"), c.nodes[0].cfg.Primary(c.highestView()))
		c.settle()
	}
}

func (c *cluster) highestView() (v wire.View) {
	for _, n := range c.nodes {
		v = max(v, n.replica.view)
	}
	return v
}

// all lists every replica.
func (c *cluster) all() []wire.ReplicaID {
	ids := make([]wire.ReplicaID, len(c.nodes))
	for i := range ids {
		ids[i] = wire.ReplicaID(i)
	}
	return ids
}

// correct lists the nodes that follow the protocol.
func (c *cluster) correct() []*node {
	var ns []*node
	for _, n := range c.nodes {
		if !n.faulty {
			ns = append(ns, n)
		}
	}
	return ns
}

// executed reports whether every one of these nodes executed a request.
func executed(r *wire.Request, nodes ...*node) bool {
	for _, n := range nodes {
		if _, done := n.state.done[r.ID]; !done {
			return false
		}
	}
	return true
}

// describe returns every replica's state as a line of text.
func (c *cluster) describe() string {
	var b bytes.Buffer
	for _, n := range c.nodes {
		in := n.replica.Inspect()
		in.Peers = nil
		fmt.Fprintf(&b, "replica %d (up %v, faulty %v): %+v\n", n.id, n.up, n.faulty, in)
	}
	return b.String()
}

// oneBatch is a body with one signed request of client 0.
func (c *cluster) oneBatch(op string) *wire.Body {
	r := c.request(0, uint64(len(c.submitted)+1), op)
	return &wire.Body{Time: 1, Requests: []*wire.Request{r}}
}

// sign signs a message as a replica.
func (c *cluster) sign(by wire.ReplicaID, m wire.Message) wire.Message {
	wire.Sign(c.nodes[by].cfg, m, testSign(c.nodes[by].cfg.Members[by]))
	return m
}
