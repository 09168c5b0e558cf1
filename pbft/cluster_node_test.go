package pbft

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"
	"time"

	"tagma/pbft/amnesia"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// node is one replica with its journal. Its state is a hash of what it has executed.
type node struct {
	c       *cluster
	id      wire.ReplicaID
	cfg     *wire.Config
	replica *Replica
	up      bool
	faulty  bool
	lie     func(to wire.ReplicaID, m wire.Message) []wire.Message // what a faulty node sends instead of a message
	clock   time.Duration                                          // how far its wall clock differs from the real time
	// Whether loopback messages and execution wait for a later event.
	lazy      func() bool
	crashIn   int // if > 0, the node crashes after so many more effects
	journal   journal
	inbox     []port.Event // loopback and execution results
	state     state
	saved     map[wire.Seq]state // by checkpoint; durable
	dropped   map[port.Reason]int
	accused   []wire.Evidence
	entered   []wire.View
	diverged  []port.Diverged
	splits    []port.Split
	effects   []port.Effect // the effects of all steps so far, if record is set
	record    bool
	refused   int
	transfers int

	life wire.Life
	lost bool // journal and state are lost, and the next start knows that
	// An older copy of the disk was put back, and no replica has noticed it: the node counts as a liar (D8.13).
	restored bool
	doubtful bool              // the disk was once an older copy that no replica had noticed
	found    int               // how often other replicas noticed it
	amnesiac *amnesia.Amnesiac // runs in place of the replica (D8.6)
	fetching *fetching         // the running state transfer (X1)
}

// state is the result of execution: a chained hash, and which requests were executed.
type state struct {
	seq    wire.Seq
	root   wire.Digest
	done   map[wire.RequestID]wire.Digest
	chosen []wire.Digest // batch digests by seq−1
}

func (s state) clone() state {
	return state{s.seq, s.root, maps.Clone(s.done), slices.Clone(s.chosen)}
}

func newNode(c *cluster, cfg *wire.Config) *node {
	return &node{
		c: c, id: cfg.Self, cfg: cfg, dropped: map[port.Reason]int{},
		saved: map[wire.Seq]state{0: emptyState()}, life: wire.Life{1, byte(cfg.Self)},
	}
}

func emptyState() state { return state{done: map[wire.RequestID]wire.Digest{}} }

// start boots a node from its journal and the newest checkpoint that both journal and store know (D5). If a node knows
// that its disk is lost, or if its store is ahead of its journal, it first asks the others what it has signed (D8.3).
func (n *node) start() {
	n.c.t.Helper()
	log, err := n.journal.read()
	if err != nil {
		n.c.fail("replica %d: %v", n.id, err)
	}
	if n.lost || n.ahead(log) {
		n.forget()
		return
	}
	start := Start{Life: n.life}
	if n.c.asks && !n.faulty {
		start.Nonce, start.First = n.c.nonce(), len(log) == 0
	}
	for _, m := range wire.Log(log).Marks() {
		if s, ok := n.saved[m.Seq]; ok && s.root == m.Digest {
			n.boot(log, s, start)
			return
		}
	}
	start.Fetch = true
	n.saved = map[wire.Seq]state{0: emptyState()}
	n.boot(log, n.saved[0], start)
}

func (n *node) boot(log []wire.Record, s state, start Start) {
	r, err := Boot(n.cfg, log, Applied{Seq: s.seq, Root: s.root}, start)
	if err != nil {
		n.c.fail("replica %d: %v", n.id, err)
	}
	n.replica, n.state, n.up, n.inbox, n.crashIn = r, s.clone(), true, nil, 0
	n.fetching = nil
	n.c.trace.say(n, "starts in view %d at sequence number %d", r.view, s.seq)
}

// crash stops a node. Records that are not durable yet are lost, and so is every state except the checkpoints.
func (n *node) crash() {
	n.up, n.amnesiac, n.fetching = false, nil, nil
	n.journal.notes = nil
	n.c.trace.say(n, "crashes")
}

// step gives one event to the core, and then the events that follow from its effects: loopback messages and results of
// execution. With lazy set, these wait for a later step, as in a turn of the driver that takes several events.
func (n *node) step(ev port.Event) {
	if n.lazy != nil && n.lazy() {
		n.take(ev)
		return
	}
	n.inbox = append(n.inbox, ev)
	for len(n.inbox) > 0 && n.up {
		ev, n.inbox = n.inbox[0], n.inbox[1:]
		n.take(ev)
	}
}

// take gives the core one event and performs the effects, unless the node crashes in between.
func (n *node) take(ev port.Event) {
	n.c.trace.event(n, ev)
	if n.amnesiac != nil {
		n.takeForgetful(ev)
		return
	}
	for _, e := range slices.Clone(n.replica.Step(ev)) {
		n.perform(e)
		if n.crashIn > 0 {
			if n.crashIn--; n.crashIn == 0 {
				n.crash()
			}
		}
		if !n.up {
			return
		}
	}
	if n.replica.inquiry.Forgot {
		n.foundOut()
		return
	}
	n.c.check.after(n)
}

func (n *node) perform(e port.Effect) {
	if n.record {
		n.effects = append(n.effects, e)
	}
	n.c.check.before(n, e)
	n.c.trace.effect(n, e)
	switch e := e.(type) {
	case port.Persist:
		n.journal.persist(e.Record)
	case port.Note:
		n.journal.notes = append(n.journal.notes, e.Record)
	case port.Broadcast:
		n.broadcast(e.Msg)
	case port.Send:
		n.c.post(n.id, e.To, e.Msg)
	case port.Respond:
		n.c.replies[e.Reply.ID] = append(n.c.replies[e.Reply.ID], e.Reply)
	case port.Execute:
		n.execute(e)
	case port.Transfer:
		n.fetching = &fetching{target: e.Target, asked: n.c.now}
	case port.Resume:
		n.state = n.saved[e.Seq].clone()
	case port.Snapshot:
		n.saved[e.Seq] = n.state.clone()
		n.inbox = append(n.inbox, port.Snapshotted{Seq: e.Seq, Digest: n.state.root})
	case port.Truncate:
		n.truncate(e)
	case port.Accuse:
		n.accused = append(n.accused, e.Evidence)
	case port.Entered:
		n.entered = append(n.entered, e.View)
	case port.Diverged:
		n.diverged = append(n.diverged, e)
	case port.Split:
		n.splits = append(n.splits, e)
	case port.Dropped:
		n.dropped[e.Why]++
	}
}

func (n *node) broadcast(m wire.Message) {
	wire.Sign(n.cfg, m, testSign(n.cfg.Members[n.id]))
	if wire.Durable(m) {
		n.journal.persist(&wire.Sent{Msg: m})
	}
	n.c.check.signed(n, m)
	for _, to := range n.c.nodes {
		if to.id != n.id {
			n.c.post(n.id, to.id, m)
		}
	}
	n.inbox = append(n.inbox, port.Received{From: port.Source{Replica: n.id, Loopback: true}, Msg: wire.Own(m)})
}

// execute applies a batch: the state is a hash over everything executed.
func (n *node) execute(e port.Execute) {
	if e.Seq != n.state.seq+1 {
		n.c.fail("I8: replica %d executes %d after %d", n.id, e.Seq, n.state.seq)
	}
	n.state.seq = e.Seq
	n.state.chosen = append(n.state.chosen, e.Body.Digest())
	done := port.Executed{Seq: e.Seq}
	for _, req := range e.Body.Requests {
		reply := &wire.Reply{ID: req.ID, Request: req.Digest(), Outcome: wire.OutcomeExecuted, Seq: e.Seq, Results: [][]byte{[]byte("ok")}}
		if before, again := n.state.done[req.ID]; !again {
			n.state.done[req.ID] = req.Digest()
			b := n.state.root
			n.state.root = sha256.Sum256(append(b[:], req.Ops[0]...))
		} else if before != req.Digest() {
			reply.Outcome, reply.Results = wire.OutcomeConflict, nil
		}
		done.Replies = append(done.Replies, reply)
	}
	n.state.root = sha256.Sum256(binary.BigEndian.AppendUint64(n.state.root[:], uint64(e.Seq)))
	n.inbox = append(n.inbox, done)
}

// truncate begins a new journal segment with an anchor, and deletes older segments.
func (n *node) truncate(e port.Truncate) {
	n.journal.truncate(e.Below, n.replica.Anchor())
	for seq := range n.saved {
		if seq < e.Discard {
			delete(n.saved, seq)
		}
	}
}
