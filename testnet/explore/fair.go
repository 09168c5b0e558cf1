package explore

import (
	"fmt"
	"slices"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

const (
	fairStep = 125 * time.Millisecond // an eighth of the view timeout; a waiting replica sends its status this often
	// A minute; this is seven times as long as four timeouts of which each is twice the one before.
	fairRounds = 480
	extraViews = 4 // V9
)

// fairRun is the result of a continuation without further faults.
type fairRun struct {
	rounds int
	views  wire.View // how many views above the highest one at the beginning were needed
}

// continuation continues a run from a state without further faults. The Byzantine replica sends nothing, and all
// messages that were on the way are lost. From now on the correct replicas' messages arrive at once, their timers run,
// and the client sends its requests again.
type continuation struct {
	nodes []*node
	queue []letterTo
}

// letterTo is a message on its way.
type letterTo struct {
	from wire.ReplicaID
	to   int // index in nodes
	msg  wire.Message
}

// continueFairly returns an error if some request is not executed on every correct replica within fairRounds, or if this
// takes more views than V9 allows.
func (s *search) continueFairly(at int32) (fairRun, error) {
	c := &continuation{}
	for i, ls := range s.locals {
		n := ls.rebuild(s.states[at].local[i])
		n.says = func(to int, m wire.Message) { c.post(n.cfg.Self, to, m) }
		c.nodes = append(c.nodes, n)
	}
	from := c.highest()
	for round := range fairRounds {
		if c.done() {
			run := fairRun{rounds: round, views: c.highest() - from}
			if run.views > extraViews {
				return run, fmt.Errorf("V9: everything executes only %d views later", run.views)
			}
			return run, c.agree()
		}
		for _, n := range c.nodes {
			n.tick(fairStep)
			if round%4 == 0 {
				n.ask()
			}
		}
		c.drain()
	}
	return fairRun{rounds: fairRounds}, fmt.Errorf("V8: no fair continuation commits what is pending:\n%s", c.describe())
}

func (c *continuation) post(from wire.ReplicaID, to int, m wire.Message) {
	for i, n := range c.nodes {
		if id := n.cfg.Self; id != from && (to == everybody || to == int(id)) {
			c.queue = append(c.queue, letterTo{from, i, m})
		}
	}
}

// drain delivers the messages on the way, and the messages that are sent because of them. Correct replicas signed all of
// these.
func (c *continuation) drain() {
	for len(c.queue) > 0 {
		l := c.queue[0]
		c.queue = c.queue[1:]
		n := c.nodes[l.to]
		if r, ok := l.msg.(*wire.Request); ok && n.done[r.ID] {
			continue // the driver would answer this request, because it was executed
		}
		v, err := wire.Verify(n.cfg, l.msg, func([]wire.Claim) bool { return true })
		if err != nil {
			panic(fmt.Sprintf("explore: %v of the correct replica %d is refused: %v", wire.TypeOf(l.msg), l.from, err))
		}
		n.receive(port.Source{Replica: l.from}, v)
	}
}

func (c *continuation) highest() (v wire.View) {
	for _, n := range c.nodes {
		if n.core != nil {
			v = max(v, n.core.Inspect().View)
		}
	}
	return v
}

// done reports whether every correct replica has executed every request, all have executed the same batches, and all may
// vote.
func (c *continuation) done() bool {
	for _, n := range c.nodes {
		if n.core == nil || n.core.Inspect().Silent || len(n.done) < len(n.w.requests) || len(n.executed) != len(c.nodes[0].executed) {
			return false
		}
	}
	return true
}

func (c *continuation) agree() error {
	for _, n := range c.nodes[1:] {
		if !slices.Equal(n.executed, c.nodes[0].executed) {
			return fmt.Errorf("I1: r%d and r%d execute different batches", c.nodes[0].cfg.Self, n.cfg.Self)
		}
	}
	return nil
}

// describe returns a text that says what each replica waits for.
func (c *continuation) describe() string {
	var lines []byte
	for _, n := range c.nodes {
		if n.core == nil {
			lines = fmt.Appendf(lines, "  r%d asks what it has forgotten\n", n.cfg.Self)
			continue
		}
		in := n.core.Inspect()
		lines = fmt.Appendf(lines, "  r%d is in v%d (active: %v), has executed up to #%d and suspects its view: %v\n",
			n.cfg.Self, in.View, in.Active, in.Executed, in.Suspecting)
	}
	return string(lines)
}
