package pbft

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
	"time"
)

// cluster runs n cores against each other in memory, message by message and in virtual time. Every message is encoded,
// decoded and verified on its way. Signatures are a stand-in that nobody but the harness can make: a keyed hash.
type cluster struct {
	t       testing.TB
	nodes   []*node
	wire    []packet
	now     time.Duration
	filter  func(*packet) bool // whether a packet goes on the wire; nil: all do
	replies map[RequestID][]*Reply
	trace   func(n *node, what string)
	journey func(c *cluster) // called after every step, to check invariants
}

// packet is a message between two replicas.
type packet struct {
	from, to ReplicaID
	msg      Message // as the sender built it
	frame    []byte
}

// node is one replica with its journal and a state that hashes what it executes.
type node struct {
	c       *cluster
	id      ReplicaID
	cfg     *Config
	core    Actor
	replica *Replica // the honest core inside
	up      bool
	log     []Record // durable
	notes   []Record // written with the next durable record
	inbox   []Event  // loopback and execution results
	state   state
	saved   map[Seq]state // by checkpoint; durable
	dropped map[Reason]int
	accused []Evidence
	entered []View
}

// state is what execution leaves: a chained hash, and which requests were executed.
type state struct {
	seq    Seq
	root   Digest
	done   map[RequestID]Digest
	chosen []Digest // batch digests by seq−1
}

func (s state) clone() state {
	done := make(map[RequestID]Digest, len(s.done))
	for k, v := range s.done {
		done[k] = v
	}
	return state{s.seq, s.root, done, slices.Clone(s.chosen)}
}

// testKey is the stand-in for a replica's or client's key pair.
func testKey(name string, i int) PublicKey { return sha256.Sum256(fmt.Appendf(nil, "%s %d", name, i)) }

func testSign(key PublicKey) func([]byte) Signature {
	return func(b []byte) (s Signature) {
		half := sha256.Sum256(append(append([]byte("secret"), key[:]...), b...))
		copy(s[:], half[:])
		copy(s[32:], half[:])
		return s
	}
}

func testHolds(claims []Claim) bool {
	for _, c := range claims {
		if testSign(c.Signer)(c.Signed) != c.Sig {
			return false
		}
	}
	return true
}

// clusterConfig is a small configuration for n replicas: K = 4, L = 8, T = 1 s.
func clusterConfig(n int) Config {
	cfg := Config{
		Cluster: Digest{1}, CheckpointInterval: 4, LogWindow: 8, MaxBatch: 4, ViewTimeout: time.Second,
	}.WithDefaults()
	for i := range n {
		cfg.Members = append(cfg.Members, testKey("replica", i))
	}
	return cfg
}

func newCluster(t testing.TB, n int, change ...func(*Config)) *cluster {
	c := &cluster{t: t, replies: map[RequestID][]*Reply{}}
	for i := range n {
		cfg := clusterConfig(n)
		for _, f := range change {
			f(&cfg)
		}
		cfg.Self = ReplicaID(i)
		nd := &node{c: c, id: ReplicaID(i), cfg: &cfg, saved: map[Seq]state{}, dropped: map[Reason]int{}}
		nd.saved[0] = state{done: map[RequestID]Digest{}}
		c.nodes = append(c.nodes, nd)
		nd.start()
	}
	return c
}

// start boots a node from its journal and its newest checkpoint that the journal knows.
func (n *node) start() {
	n.c.t.Helper()
	log := make([]Record, len(n.log))
	for i, rec := range n.log { // through the codec: nothing survives a restart but bytes
		again, err := DecodeRecord(EncodeRecord(rec))
		if err != nil {
			n.c.t.Fatalf("replica %d: journal record %d: %v", n.id, i, err)
		}
		log[i] = again
	}
	for _, m := range Marks(log) {
		s, ok := n.saved[m.Seq]
		if !ok || s.root != m.Digest {
			continue
		}
		r, err := New(n.cfg, log, Applied{Seq: m.Seq, Root: s.root})
		if err != nil {
			n.c.t.Fatalf("replica %d: %v", n.id, err)
		}
		n.replica, n.core, n.state, n.up = r, r, s.clone(), true
		n.inbox, n.notes = nil, nil
		return
	}
	n.c.t.Fatalf("replica %d: no state to start from", n.id)
}

// crash stops a node. What was noted but not made durable is lost, and so is every state but the checkpoints.
func (n *node) crash() { n.up = false }

// step gives one event to the core and performs the effects, loopback included.
func (n *node) step(ev Event) {
	n.inbox = append(n.inbox, ev)
	for len(n.inbox) > 0 && n.up {
		ev, n.inbox = n.inbox[0], n.inbox[1:]
		for _, e := range slices.Clone(n.core.Step(ev)) {
			n.perform(e)
		}
		if n.c.journey != nil {
			n.c.journey(n.c)
		}
	}
}

func (n *node) perform(e Effect) {
	n.note(e)
	switch e := e.(type) {
	case Persist:
		n.persist(e.Record)
	case Note:
		n.notes = append(n.notes, e.Record)
	case Broadcast:
		n.broadcast(e.Msg)
	case Send:
		n.c.post(n.id, e.To, e.Msg)
	case Respond:
		n.c.replies[e.Reply.ID] = append(n.c.replies[e.Reply.ID], e.Reply)
	case Execute:
		n.execute(e)
	case Snapshot:
		n.saved[e.Seq] = n.state.clone()
		n.inbox = append(n.inbox, Snapshotted{Seq: e.Seq, Digest: n.state.root})
	case Truncate:
		n.truncate(e)
	case Accuse:
		n.accused = append(n.accused, e.Evidence)
	case Entered:
		n.entered = append(n.entered, e.View)
	case Dropped:
		n.dropped[e.Why]++
	}
}

func (n *node) persist(r Record) {
	n.log = append(append(n.log, n.notes...), r)
	n.notes = nil
}

func (n *node) broadcast(m Message) {
	Sign(n.cfg, m, testSign(n.cfg.Members[n.id]))
	if Durable(m) {
		n.persist(&Sent{Msg: m})
	}
	for _, to := range n.c.nodes {
		if to.id != n.id {
			n.c.post(n.id, to.id, m)
		}
	}
	n.inbox = append(n.inbox, Received{From: Source{Replica: n.id, Loopback: true}, Msg: Own(m)})
}

// execute applies a batch: the state is a hash over everything executed.
func (n *node) execute(e Execute) {
	if e.Seq != n.state.seq+1 {
		n.c.t.Fatalf("I8: replica %d executes %d after %d", n.id, e.Seq, n.state.seq)
	}
	n.state.seq = e.Seq
	n.state.chosen = append(n.state.chosen, e.Body.Digest())
	done := Executed{Seq: e.Seq}
	for _, req := range e.Body.Requests {
		reply := &Reply{ID: req.ID, Request: req.Digest(), Outcome: OutcomeExecuted, Seq: e.Seq, Results: [][]byte{[]byte("ok")}}
		if before, again := n.state.done[req.ID]; !again {
			n.state.done[req.ID] = req.Digest()
			b := n.state.root
			n.state.root = sha256.Sum256(append(b[:], req.Ops[0]...))
		} else if before != req.Digest() {
			reply.Outcome = OutcomeConflict
		}
		done.Replies = append(done.Replies, reply)
	}
	n.state.root = sha256.Sum256(binary.BigEndian.AppendUint64(n.state.root[:], uint64(e.Seq)))
	n.inbox = append(n.inbox, done)
}

// truncate begins the journal anew with an anchor and drops what lies behind it.
func (n *node) truncate(e Truncate) {
	var kept []Record
	for _, rec := range n.log {
		if RecordSeq(rec) > e.Below {
			kept = append(kept, rec)
		}
	}
	n.log = append(kept, n.replica.Anchor()...)
	for seq := range n.saved {
		if seq < e.Discard {
			delete(n.saved, seq)
		}
	}
}

// post puts a message on the wire.
func (c *cluster) post(from, to ReplicaID, m Message) {
	p := packet{from: from, to: to, msg: m, frame: Encode(m)}
	if c.filter == nil || c.filter(&p) {
		c.wire = append(c.wire, p)
	}
}

// deliver takes packet i off the wire and gives it to its receiver, through the decoder and the verifier.
func (c *cluster) deliver(i int) {
	p := c.wire[i]
	c.wire = slices.Delete(c.wire, i, i+1)
	n := c.nodes[p.to]
	if !n.up {
		return
	}
	m, err := Decode(bytes.Clone(p.frame))
	if err != nil {
		c.t.Fatalf("%s from %d does not decode: %v", TypeOf(p.msg), p.from, err)
	}
	v, err := Verify(n.cfg, m, testHolds)
	if err != nil {
		if c.trace != nil {
			c.trace(n, "refuses "+TypeOf(m).String()+": "+err.Error())
		}
		return
	}
	n.step(Received{From: Source{Replica: p.from}, Msg: v})
}

// settle delivers everything in order until the wire is empty.
func (c *cluster) settle() {
	for len(c.wire) > 0 {
		c.deliver(0)
	}
}

// tick lets d pass in steps of 10 ms, delivering everything between.
func (c *cluster) tick(d time.Duration) {
	for end := c.now + d; c.now < end; {
		c.now += 10 * time.Millisecond
		for _, n := range c.nodes {
			if n.up {
				n.step(Tick{Mono: c.now, Wall: int64(c.now) + 1})
			}
		}
		c.settle()
	}
}

// request is client i's signed operation number t.
func (c *cluster) request(client int, t uint64, op string) *Request {
	key := testKey("client", client)
	r := &Request{ID: RequestID{Client: key, Session: 1, T: t}, Ops: [][]byte{[]byte(op)}}
	SignRequest(c.nodes[0].cfg.Cluster, c.nodes[0].cfg.Epoch, r, testSign(key))
	return r
}

// submit gives a request to some replicas, as its client would. An executed one is answered without the core (C3).
func (c *cluster) submit(r *Request, to ...ReplicaID) {
	for _, id := range to {
		n := c.nodes[id]
		if !n.up {
			continue
		}
		if _, done := n.state.done[r.ID]; done {
			continue
		}
		v, err := Verify(n.cfg, r, testHolds)
		if err != nil {
			c.t.Fatalf("request: %v", err)
		}
		n.step(Received{From: Source{Client: true}, Msg: v})
	}
}

// all lists every replica.
func (c *cluster) all() []ReplicaID {
	ids := make([]ReplicaID, len(c.nodes))
	for i := range ids {
		ids[i] = ReplicaID(i)
	}
	return ids
}

// agree checks I1: one digest executed per sequence number.
func (c *cluster) agree(nodes ...*node) {
	c.t.Helper()
	for _, a := range nodes {
		for _, b := range nodes {
			k := min(len(a.state.chosen), len(b.state.chosen))
			if !slices.Equal(a.state.chosen[:k], b.state.chosen[:k]) {
				c.t.Fatalf("I1: replicas %d and %d executed different batches", a.id, b.id)
			}
		}
	}
}

// note tells the trace what a node does.
func (n *node) note(e Effect) {
	if n.c.trace != nil {
		n.c.trace(n, fmt.Sprintf("%T", e))
	}
}
