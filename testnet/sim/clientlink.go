package sim

import (
	"fmt"
	"time"

	"tagma/internal/replica"
	"tagma/internal/trace"
	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/statemachine/attest"
	"tagma/testnet/links"
)

// reconnects bounds the time from the loss of a link until a program tries to connect again.
const reconnects = 100 * time.Millisecond

// clientLink is a client's connection to one process of a replica.
type clientLink struct {
	up      bool
	life    uint32        // node.starts of the process
	there   time.Duration // when the last frame to the replica arrives; no later frame arrives earlier
	back    time.Duration // when the last frame to the client arrives
	missing bool          // the link is down, and an attempt to connect is under way
}

// reconnect connects to a process that has just started, and tells it over which link to reply.
func (c *client) reconnect(n *node) {
	l := &c.links[n.place]
	if l.up || l.missing || c.session == nil {
		return
	}
	l.missing = true
	wait := time.Duration(0)
	if c.w.now > 0 {
		wait = time.Duration(c.random.Int64N(int64(reconnects)))
	}
	c.w.At(c.w.now+wait, func() { c.connected(n) })
}

func (c *client) connected(n *node) {
	l := &c.links[n.place]
	l.missing = false
	if !n.up || l.up || c.session == nil {
		return
	}
	*l = clientLink{up: true, life: n.starts}
	c.send(n, c.opening, decode(c.opening))
}

// Open implements session.Host.
func (c *client) Open(frame []byte) {
	c.opening = frame
	for to := range c.w.opt.Replicas {
		c.Send(to, frame)
	}
}

// Send implements session.Host. It sends the frame to every process of a replica.
func (c *client) Send(to int, frame []byte) (taken bool) {
	if c.read == nil || len(frame) != len(c.sent) || &frame[0] != &c.sent[0] {
		c.sent, c.read = frame, decode(frame)
	}
	for _, n := range c.w.byID[to] {
		taken = c.send(n, frame, c.read) || taken
	}
	return taken
}

// lost drops the client's link to a process that ended, with all frames on it.
func (c *client) lost(n *node) { c.links[n.place] = clientLink{missing: c.links[n.place].missing} }

// send puts a frame on the link to a process, if there is one.
func (c *client) send(n *node, frame []byte, read *decoded) bool {
	l := &c.links[n.place]
	if !l.up || c.struckBefore(read) {
		return false
	}
	if at, ok := c.w.cross(&l.there, len(frame)); ok {
		life := l.life
		c.w.at(at, n, func() { n.fromClient(c, life, &packet{read: read}) })
	}
	c.struckAfter(read)
	return true
}

// cross returns when a frame arrives that is sent on a client's link now. It arrives not before the last one. If the
// frame is lost, cross returns false.
func (w *World) cross(last *time.Duration, size int) (time.Duration, bool) {
	r := w.opt.Reach
	if r.Loss > 0 && w.reach.Float64() < r.Loss {
		return 0, false
	}
	at := w.now + r.Delay
	if r.Jitter > 0 {
		at += time.Duration(w.reach.Int64N(int64(r.Jitter) + 1))
	}
	if r.Bandwidth > 0 {
		at += time.Duration(float64(size) / float64(r.Bandwidth) * float64(time.Second))
	}
	*last = max(*last, at)
	return *last, true
}

// Reach changes the links between clients and replicas.
func (w *World) Reach(l links.Link) { w.opt.Reach = &l }

// fromClient handles a frame of a client.
func (n *node) fromClient(c *client, life uint32, p *packet) {
	if !n.up || life != n.starts {
		return
	}
	if p.read.msg == nil {
		n.refuseClient(c, p, p.read.err)
		return
	}
	switch m := p.read.msg.(type) {
	case *wire.Attach:
		n.routes[wire.SessionID{Client: c.party.key, Session: m.Session}] = c
		n.hint(c, m)
	case *wire.Request:
		n.request(c, p, m)
	case *wire.Attest:
		n.vouch(c, p, func() (wire.Message, error) { return n.exec.Attest(nil, c.party.key, m, n.party.sign) })
	case *wire.Prove:
		n.vouch(c, p, func() (wire.Message, error) { return n.exec.Prove(m) })
	default:
		n.refuseClient(c, p, fmt.Errorf("not a message for clients to send"))
	}
}

func (n *node) request(c *client, p *packet, m *wire.Request) {
	v, err := n.w.verify(p.read)
	if err != nil {
		n.refuseClient(c, p, err)
		return
	}
	s := m.ID.Of()
	if held := n.routes[s]; held == nil || held.party.key != s.Client || c.party.key == s.Client {
		n.routes[s] = c
	}
	if len(n.lanes.clients) < replica.LaneRoom {
		n.lanes.clients = append(n.lanes.clients, port.Received{From: port.Source{Client: true}, Msg: v})
		n.wake()
	}
}

// hint answers an Attach. Malicious replicas lie: some report that they hold no session, and some report a session that
// is far too high.
func (n *node) hint(c *client, m *wire.Attach) {
	if n.exec == nil || n.replica.Inspect().Diverged {
		return
	}
	hint := n.exec.Attached(c.party.key, m)
	if len(n.malice) > 0 && !n.w.cfg.Crash { // if clients believe a single replica, this lie would break every run at once
		hint.Highest, hint.Floor = wire.Session(n.id%2)<<62, 0
	}
	n.toClient(c, hint)
}

// vouch answers a question for a statement or a proof, as a node does; a malicious replica lies (see forge).
func (n *node) vouch(c *client, p *packet, answer func() (wire.Message, error)) {
	if _, err := n.w.verify(p.read); err != nil {
		n.refuseClient(c, p, err)
		return
	}
	if n.exec == nil || n.asking != nil || n.paused || !n.mayVouch() {
		return
	}
	m, err := answer()
	if err != nil {
		return // the store could not be read
	}
	n.toClient(c, n.forged(m))
}

func (n *node) mayVouch() bool {
	in := n.replica.Inspect()
	return replica.MayVouch(&in)
}

// forged is what a malicious replica answers in place of a statement: another one that it signs, or a signature of nothing.
func (n *node) forged(m wire.Message) wire.Message {
	a, is := m.(*wire.Attestation)
	if is && n.w.opt.Vouch != nil && n.w.faulty[n.id] {
		return n.vouched(a)
	}
	if !is || len(n.malice) == 0 || n.w.cfg.Crash {
		return m
	}
	lie := *a
	lie.Outcome, lie.Results = wire.Attested, nil
	lie.Statement = append(append([]byte{}, a.Statement...), byte(n.id))
	lie.Statement[0] = byte(attest.KindMachine)
	if n.id%2 == 0 {
		lie.Sig = n.party.sign(attest.Bytes(n.w.cfg.Cluster, n.w.cfg.Epoch, int(n.id), lie.Statement))
	}
	return &lie
}

// vouched is what a faulty replica answers as the options say.
func (n *node) vouched(a *wire.Attestation) wire.Message {
	lie := *a
	statement, ok := n.w.opt.Vouch(n.id, a.Statement)
	if lie.Statement, lie.Outcome, lie.Results = statement, wire.Attested, nil; !ok {
		return &wire.Attestation{Nonce: a.Nonce, Outcome: wire.NothingAttested}
	}
	lie.Sig = n.party.sign(attest.Bytes(n.w.cfg.Cluster, n.w.cfg.Epoch, int(n.id), statement))
	return &lie
}

func (n *node) refuseClient(c *client, p *packet, err error) {
	n.w.counts.Refused++
	n.tap.Emit(&trace.Refused{From: trace.None, Message: trace.Say(p.read.msg), Why: err.Error()})
}

// Respond implements replica.Outlet. It sends a reply over the link that its session last used. Without one it is lost.
func (n *node) Respond(reply *wire.Reply) {
	c := n.routes[reply.ID.Of()]
	if c == nil || !c.links[n.place].up {
		return
	}
	n.toClient(c, reply)
}

// toClient sends a message over a client's link.
func (n *node) toClient(c *client, m wire.Message) {
	frame := wire.Encode(m)
	_, _ = n.w.tape.frames.Write(frame)
	n.w.mark('r', int(n.id), uint64(c.index), 0)
	if n.tap != nil {
		n.tap.Emit(&trace.Sent{To: trace.None, Bytes: len(frame), Message: trace.Say(m)})
	}
	l := &c.links[n.place]
	if at, ok := n.w.cross(&l.back, len(frame)); ok {
		life, read := n.starts, decode(frame)
		n.w.At(at, func() { c.heard(n, life, &packet{read: read}) })
	}
}
