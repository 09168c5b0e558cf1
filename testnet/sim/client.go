package sim

import (
	"math/rand/v2"
	"slices"
	"time"

	"tagma/internal/trace"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine"
	"tagma/testnet/check"
)

// Bounds of a client's patience (C3).
const (
	firstPatience = 250 * time.Millisecond
	leastPatience = 50 * time.Millisecond
	mostPatience  = 2 * time.Second
	reconnects    = 100 * time.Millisecond // after a link broke, until the next attempt
)

// client asks for operations and believes f+1 replicas (C2 to C5). It sends exactly once: the same bytes again and again
// until it is answered, to the primary first and then to all.
type client struct {
	w       *World
	index   int
	party   *party
	random  *rand.Rand
	links   []clientLink // by node
	session wire.Session
	next    uint64           // number of the next request
	open    map[uint64]*call // by number
	numbers []uint64         // of open, ascending
	views   []wire.View      // by replica: where it says that the primary is
	mean    time.Duration    // that an answer takes, smoothed
	calls   map[uint64]*call // by token, for timers
	tokens  uint64
	load    generator
	rogue   byzantine.Client // in the place of all this, for a malicious one
}

// clientLink is a client's connection to one process of a replica.
type clientLink struct {
	up      bool
	life    uint32
	there   time.Duration // arrival of the last frame to it, which none overtakes
	back    time.Duration
	missing bool // an attempt to connect is under way
}

// call is a request under way.
type call struct {
	op      *Operation
	frame   []byte
	read    *decoded
	digest  wire.Digest
	votes   []verdict // by replica
	whole   [][]byte  // results that somebody sent whole
	wholeIs verdict
	sent    int
	token   uint64
	done    func(*Operation)
}

// verdict is what replicas must agree on: all of a reply but its view, which is a hint (C4).
type verdict struct {
	outcome wire.Outcome
	seq     wire.Seq
	results wire.Digest
}

func newClient(w *World, i int) *client {
	c := &client{
		w: w, index: i, party: w.keys.party("client", i), random: chance(w.opt.Seed, 1000+uint64(i)), session: 1, next: 1,
		links: make([]clientLink, len(w.nodes)), open: map[uint64]*call{}, calls: map[uint64]*call{},
		views: make([]wire.View, w.opt.Replicas),
	}
	c.load = newGenerator(c)
	return c
}

func (w *World) clientKey(name string) (wire.PublicKey, bool) {
	for _, c := range w.clients {
		if c.name() == name {
			return c.party.key, true
		}
	}
	return wire.PublicKey{}, false
}

// begin connects a client to all replicas and starts its workload.
func (c *client) begin() {
	for _, n := range c.w.nodes {
		c.reconnect(n)
	}
	c.load.begin()
}

// submit sends a request with one operation or more. Done is called with the answer.
func (c *client) submit(means *check.Op, ops [][]byte, readOnly bool, done func(*Operation)) *Operation {
	op := &Operation{Client: c.index, Op: means, Invoked: c.w.now, Ops: ops, ReadOnly: readOnly}
	c.w.history = append(c.w.history, op)
	c.launch(&call{op: op, done: done})
	return op
}

// launch gives a request its number, signs and sends it.
func (c *client) launch(k *call) {
	if churn := c.w.opt.Churn; churn > 0 && c.next > uint64(churn) && len(c.open) == 0 {
		c.session, c.next = c.session+1, 1
	}
	id := wire.RequestID{Client: c.party.key, Session: c.session, T: c.next}
	c.next++
	c.open[id.T] = k
	c.numbers = append(c.numbers, id.T)
	m := &wire.Request{ID: id, AckedBelow: c.numbers[0], ReadOnly: k.op.ReadOnly, Ops: k.op.Ops}
	wire.SignRequest(c.w.cfg.Cluster, m, func(b []byte) wire.Signature { return c.party.sign(b) })
	k.op.ID, k.digest, k.frame = id, m.Digest(), wire.Encode(m)
	k.read = decode(k.frame)
	k.votes, k.whole, k.sent = make([]verdict, c.w.opt.Replicas), nil, 0
	if c.w.monitor != nil {
		c.w.monitor.Submitted(m)
	}
	c.transmit(k)
}

// transmit sends a request: the first time to the primary, then to all.
func (c *client) transmit(k *call) {
	c.w.mark('a', -1-c.index, k.op.ID.T, 0)
	c.w.own.Emit(&trace.Request{Client: c.index, Step: trace.Asked, Number: k.op.ID.T})
	k.sent++
	primary := c.w.cfg.Primary(c.view())
	for _, n := range c.w.nodes {
		if k.sent > 1 || n.id == primary {
			c.send(n, k.frame, k.read)
		}
	}
	c.wait(k, c.patience(k.sent))
}

func (c *client) wait(k *call, d time.Duration) {
	delete(c.calls, k.token)
	c.tokens++
	k.token = c.tokens
	c.calls[k.token] = k
	c.w.queue.push(event{at: c.w.now + d, kind: clientWait, client: c, token: k.token})
}

// due is the end of a wait.
func (c *client) due(token uint64) {
	if k := c.calls[token]; k != nil {
		c.transmit(k)
		return
	}
	c.load.due(token)
}

// patience is doubled with each transmission, and spread so that clients do not keep step.
func (c *client) patience(sent int) time.Duration {
	d := firstPatience
	if c.mean > 0 {
		d = min(max(4*c.mean, leastPatience), mostPatience)
	}
	d = min(d<<min(sent-1, 8), mostPatience)
	return d + time.Duration(c.random.Int64N(int64(d)/4+1))
}

// view is the one that f+1 replicas have come to.
func (c *client) view() wire.View {
	views := slices.Clone(c.views)
	slices.Sort(views)
	return views[len(views)-c.w.cfg.Weak()]
}

// heard takes a replica's frame.
func (c *client) heard(n *node, life uint32, p *packet) {
	if c.links[n.place].life != life {
		return // the link broke meanwhile
	}
	m, ok := p.read.msg.(*wire.Reply)
	if ok && c.rogue != nil {
		c.throw(c.rogue.Replied(n.id, m))
		return
	}
	if !ok || m.ID.Client != c.party.key || m.ID.Session != c.session {
		return
	}
	c.views[n.id] = max(c.views[n.id], m.View)
	k := c.open[m.ID.T]
	if k == nil || m.Request != k.digest {
		return
	}
	v := verdict{outcome: m.Outcome, seq: m.Seq}
	switch {
	case m.ResultDigest != nil:
		v.results = *m.ResultDigest
	case m.Outcome == wire.OutcomeExecuted && len(m.Results) != len(k.op.Ops):
		return
	default:
		v.results = wire.DigestResults(m.Results)
	}
	k.votes[n.id] = v
	if m.Outcome == wire.OutcomeBusy {
		c.backOff(k, time.Duration(m.RetryAfterMillis)*time.Millisecond)
		return
	}
	if m.ResultDigest == nil && (k.whole == nil || n.id == wire.WholeReplier(k.digest, len(k.votes))) {
		k.whole, k.wholeIs = m.Results, v
		if k.whole == nil {
			k.whole = [][]byte{}
		}
	}
	c.settle(k, m, v)
}

// settle ends a request that f+1 replicas agree on.
func (c *client) settle(k *call, m *wire.Reply, v verdict) {
	agree := 0
	for _, o := range k.votes {
		if o == v {
			agree++
		}
	}
	if agree < c.w.cfg.Weak() {
		return
	}
	if m.ResultDigest == nil {
		k.whole, k.wholeIs = m.Results, v
	} else if k.whole == nil || k.wholeIs != v {
		if k.sent == 1 { // the one that sends it whole is late, or lies: all are asked, who then do (C5)
			c.wait(k, max(c.mean, 5*time.Millisecond))
		}
		return
	}
	c.retire(k)
	if v.outcome == wire.OutcomeExpired {
		c.session, c.next = c.session+1, 1
		c.renew()
		c.launch(k)
		return
	}
	took := c.w.now - k.op.Invoked
	c.mean += (min(took, mostPatience) - c.mean) / 8
	k.op.Returned, k.op.Known, k.op.Outcome, k.op.Seq, k.op.Results = c.w.now, true, v.outcome, v.seq, k.whole
	c.w.counts.Acknowledged++
	c.w.mark('b', -1-c.index, k.op.ID.T, uint64(v.seq))
	c.w.own.Emit(&trace.Request{Client: c.index, Step: trace.Answered, Number: k.op.ID.T, Seq: v.seq})
	c.w.believed(k, v)
	if k.done != nil {
		k.done(k.op)
	}
}

// renew moves what else is open into the new session.
func (c *client) renew() {
	moved := c.numbers
	c.numbers = nil
	old := c.open
	c.open = map[uint64]*call{}
	for _, t := range moved {
		delete(c.calls, old[t].token)
		c.launch(old[t])
	}
}

func (c *client) retire(k *call) {
	delete(c.calls, k.token)
	delete(c.open, k.op.ID.T)
	if i, found := slices.BinarySearch(c.numbers, k.op.ID.T); found {
		c.numbers = slices.Delete(c.numbers, i, i+1)
	}
}

// backOff heeds the hint of an overloaded replica (C6).
func (c *client) backOff(k *call, hint time.Duration) {
	c.wait(k, c.patience(k.sent)+min(hint, mostPatience))
}
