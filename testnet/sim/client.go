package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"tagma/internal/session"
	"tagma/internal/trace"
	"tagma/pbft/wire"
	rogues "tagma/testnet/byzantine/client"
	"tagma/testnet/check"
)

// client is a program that uses the cluster: it runs the real session code over simulated links.
type client struct {
	w       *World
	index   int
	party   *party
	random  *rand.Rand
	links   []clientLink // one for each node, in the order of the nodes
	session *session.Session
	asked   int           // operations asked in this session
	skew    time.Duration // how far the program's clock differs from the right time
	opening []byte        // the bytes that the client sends first on every link
	sent    []byte        // the last frame that was sent
	read    *decoded      // that frame, decoded
	waits   []*Operation  // operations whose outcome the client still waits for
	tokens  uint64
	timer   uint64        // token of the session's timer
	rings   time.Duration // when the session's timer rings
	strike  *clientStrike
	struck  bool // the client was killed while the session's code ran
	load    generator
	rogue   rogues.Client // a malicious client, which replaces the session
}

func newClient(w *World, i int) *client {
	key := i
	if w.opt.Workload.SharedKey && i < w.opt.Clients {
		key -= i % 2
	}
	c := &client{
		w: w, index: i, party: w.keys.party("client", key), random: chance(w.opt.Seed, 1000+uint64(i)),
		links: make([]clientLink, len(w.nodes)),
	}
	c.load = newGenerator(c)
	return c
}

func (c *client) name() string { return fmt.Sprintf("c%d", c.index) }

func (w *World) clientKey(name string) (wire.PublicKey, bool) {
	for _, c := range w.clients {
		if c.name() == name {
			return c.party.key, true
		}
	}
	return wire.PublicKey{}, false
}

// begin starts the program: it opens a session, connects to all replicas and begins its workload.
func (c *client) begin() {
	c.open()
	for _, n := range c.w.nodes {
		c.reconnect(n)
	}
	c.load.begin()
}

// open begins a session.
func (c *client) open() {
	w := c.w
	c.asked = 0
	if most := w.opt.Workload.Skew; most > 0 { // the program's clock differs by a random amount
		c.skew = time.Duration(c.random.Int64N(int64(2*most))) - most
	}
	c.session = session.New(session.Config{
		Cluster: w.cfg.Cluster, Replicas: w.opt.Replicas, Weak: w.cfg.Weak(), Remaining: w.cfg.Remaining(),
		Limits: session.Limits{
			Window: uint64(w.opt.Limits.Window), Ops: w.cfg.MaxOps, OpBytes: w.cfg.MaxOpBytes, TotalBytes: w.cfg.MaxBatchBytes,
		}.Choose(w.opt.Workload.Pack, w.opt.Workload.InFlight),
		Protocol: &w.cfg, Holds: w.keys.holds,
		Client: c.party.key, Sign: func(b []byte) (wire.Signature, error) { return c.party.sign(b), nil }, ID: c.fresh(0), Fresh: c.fresh,
		Host: c, Random: chance(w.opt.Seed, 2000+uint64(c.index)), NoHedging: w.opt.Workload.NoHedging, Settled: w.believed,
		HintPatience: time.Hour, // so long that the session waits for the hints of all replicas before it chooses a number
	})
	c.Open(c.session.Opening())
}

// clockZero is what programs' clocks show at the beginning, if they are right.
const clockZero = 1e18

// fresh returns a session number that the key has not used: the program's clock, or above if that is more. It is a
// violation if a client chooses a number further above those in use than C1 allows.
func (c *client) fresh(above wire.Session) wire.Session {
	used := c.w.sessions[c.party.key]
	if c.rogue == nil && above > slices.Max(append(used, 0))+1+1<<30 {
		c.w.fail("C1", 0, "client %d takes a session number above %d, and the highest of its key is %d", c.index, above, slices.Max(append(used, 0)))
	}
	number := max(wire.Session(clockZero+c.w.now+c.skew), above)
	for slices.Contains(used, number) { // another program read the same nanosecond from its clock
		number++
	}
	c.w.sessions[c.party.key] = append(used, number)
	return number
}

// submit sends a request with one or more operations. It calls done when the program does not wait for the request any
// more.
func (c *client) submit(means *check.Op, ops [][]byte, k session.Kind, done func()) *Operation {
	op := &Operation{Client: c.index, Op: means, Invoked: c.w.now, Ops: ops, Kind: k, by: c, done: done}
	if c.session == nil { // the program does not run
		return op
	}
	if churn := c.w.opt.Churn; churn > 0 && c.asked >= churn && c.session.Idle() {
		c.open()
	}
	c.asked++
	if c.index < firstProgram {
		c.w.history = append(c.w.history, op)
	}
	call, err := c.session.Prepare(ops, k, op)
	if err != nil {
		op.Finished(session.Result{}, err)
		return op
	}
	op.call = call
	c.waits = append(c.waits, op)
	c.do(func(s *session.Session) {
		r, _, err := s.Submit(c.w.now, call)
		if err != nil {
			op.Finished(session.Result{}, err)
		} else if r != nil {
			c.launch(r)
		}
	})
	if k.Semantics == session.BestEffort {
		op.over()
	}
	return op
}

// do calls the session and then sends what the call made ready to be sent.
func (c *client) do(what func(*session.Session)) {
	if c.session == nil {
		return
	}
	what(c.session)
	for !c.struck {
		r := c.session.Next(c.w.now)
		if r == nil {
			break
		}
		c.launch(r)
	}
	if c.struck {
		c.kill()
		return
	}
	at, ok := c.session.Wake()
	if ok && (c.timer == 0 || at < c.rings) {
		c.timer, c.rings = c.after(max(at, c.w.now)-c.w.now), at
	}
}

// after sets a timer.
func (c *client) after(d time.Duration) (token uint64) {
	c.tokens++
	token = c.tokens
	c.w.At(c.w.now+d, func() { c.due(token) })
	return token
}

// due is called when a timer of the session or of the workload has ended.
func (c *client) due(token uint64) {
	if token != c.timer {
		c.load.due(token)
		return
	}
	c.timer = 0
	c.do(func(s *session.Session) { s.Due(c.w.now) })
}

// launch signs and sends a request that has its number.
func (c *client) launch(r *session.Request) {
	sealed := c.session.Seal(r)
	id := sealed.Message.ID
	for _, call := range r.Calls() {
		op := call.Caller().(*Operation)
		op.ID = id
		op.Requests++
		c.w.carried[id] = append(c.w.carried[id], op)
	}
	c.w.mark('a', -1-c.index, id.T, 0)
	c.w.own.Emit(&trace.Request{Client: c.index, Step: trace.Asked, Number: id.T})
	c.session.Launch(c.w.now, r, sealed)
}

// heard takes a replica's frame.
func (c *client) heard(n *node, life uint32, p *packet) {
	if c.links[n.place].life != life || p.read.msg == nil {
		return // the link broke before the frame arrived
	}
	if m, ok := p.read.msg.(*wire.Reply); ok && c.rogue != nil {
		c.rogue.Replied(n.id, m)
		return
	}
	if word, ok := session.HearMessage(p.read.msg); ok {
		c.do(func(s *session.Session) { s.Receive(c.w.now, int(n.id), word) })
	}
}

// owed returns the operations that must be answered after the faults have ended, because the client repeats them until
// then.
func (c *client) owed() (ops []*Operation) {
	for _, o := range c.waits {
		if o.Kind.Semantics == session.ExactlyOnce || o.Kind.Semantics == session.AtLeastOnce {
			ops = append(ops, o)
		}
	}
	return ops
}

// waitsFor reports whether the program waits for an outcome.
func (c *client) waitsFor(o *Operation) bool { return slices.Contains(c.waits, o) }
