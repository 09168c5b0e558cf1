package byzantine

import (
	"slices"

	"tagma/pbft"
)

// collude is f replicas with one script. They need no channel but the cluster's own links: a primary shows its accomplices
// both of its proposals, and each of them knows whom to tell which.
var collude = Behaviour{
	Name:  "collude",
	Model: Byzantine,
	Summary: "conspirators share a script: a primary proposes one batch to just enough replicas to commit it and another batch to " +
		"the rest, all of them vote for both, and in view changes they have prepared nothing",
	Bound: "the worst of its parts: at most one view change for each bad primary; proof against the primary is kept",
	Parameters: []Parameter{
		{"with", "0+1", "the conspirators, this replica among them, such as 0+6: every one has the same list"},
		{"from_seq", "1", "the first sequence number that they lie about"},
	},
	build: newColluder,
}

type colluder struct {
	honest
	seat
	from    pbft.Seq
	with    *destinations
	doubled map[place]double
	held    []heldProposal
	say     []pbft.Effect
}

// place is one in the order of one view.
type place struct {
	view pbft.View
	seq  pbft.Seq
}

// double is the two batches that a conspirator proposes for one place.
type double struct{ first, second pbft.Digest }

// heldProposal waits a moment for its counterpart.
type heldProposal struct {
	event pbft.Event
	msg   *pbft.PrePrepare
	ticks int
}

func newColluder(v values, at seat) (Core, error) {
	c := &colluder{seat: at, doubled: make(map[place]double)}
	var err error
	if c.with, err = v.destinations("with", at.cfg); err != nil {
		return nil, err
	}
	if c.from, err = v.seq("from_seq"); err != nil {
		return nil, err
	}
	return at.speaks(c), nil
}

// conspires reports whether a replica is one of them.
func (c *colluder) conspires(id pbft.ReplicaID) bool { return id == c.cfg.Self || c.with.replica(id) }

// inFirst reports whether an honest replica is told the first proposal: as many are as it takes to commit it.
func (c *colluder) inFirst(id pbft.ReplicaID) bool {
	honestBefore, conspirators := 0, 0
	for i := range c.cfg.Members {
		switch other := pbft.ReplicaID(i); {
		case c.conspires(other):
			conspirators++
		case other < id:
			honestBefore++
		}
	}
	return honestBefore < c.cfg.Quorum()-conspirators
}

func (c *colluder) note(at place, d double) {
	if len(c.doubled) >= mostHeld {
		clear(c.doubled)
	}
	c.doubled[at] = d
}

// before says what the last proposals of a conspirator called for.
func (c *colluder) before(pbft.Event, bool) []pbft.Effect {
	out := c.say
	c.say = nil
	return out
}

// hear keeps a conspirator's proposals from the core until both are there: it must not vote for one of them in public.
func (c *colluder) hear(ev pbft.Event, awake bool) []pbft.Event {
	if _, ok := ev.(pbft.Tick); ok {
		return append(c.overdue(awake), ev)
	}
	e, ok := ev.(pbft.Received)
	if !ok || !awake {
		return []pbft.Event{ev}
	}
	p, ok := e.Msg.Message().(*pbft.PrePrepare)
	if !ok || p.Body == nil || p.Seq < c.from || e.From.Loopback || c.cfg.Primary(p.View) != e.From.Replica ||
		!c.conspires(e.From.Replica) {
		return []pbft.Event{ev}
	}
	return c.pair(ev, p)
}

// pair takes a proposal to its counterpart, and answers the two with votes for both.
func (c *colluder) pair(ev pbft.Event, p *pbft.PrePrepare) []pbft.Event {
	here := place{p.View, p.Seq}
	if d, known := c.doubled[here]; known { // sent again
		if p.Digest == d.second {
			return nil
		}
		return []pbft.Event{ev}
	}
	for i := range c.held {
		h := c.held[i]
		if h.msg.View != p.View || h.msg.Seq != p.Seq {
			continue
		}
		if h.msg.Digest == p.Digest {
			return nil
		}
		c.held = slices.Delete(c.held, i, i+1)
		d := double{h.msg.Digest, p.Digest}
		c.note(here, d)
		for _, to := range c.others() {
			if !c.conspires(to) {
				digest := c.toldTo(to, d)
				c.say = append(c.say,
					pbft.Send{To: to, Msg: c.signed(&pbft.Prepare{View: p.View, Seq: p.Seq, Digest: digest, Replica: c.cfg.Self})},
					pbft.Send{To: to, Msg: c.signed(&pbft.Commit{View: p.View, Seq: p.Seq, Digest: digest, Replica: c.cfg.Self})})
			}
		}
		return []pbft.Event{h.event}
	}
	c.held = append(c.held, heldProposal{event: ev, msg: p})
	return nil
}

// overdue lets proposals go whose counterpart does not come: their primary is honest for the time being.
func (c *colluder) overdue(awake bool) []pbft.Event {
	const patience = 3 // ticks
	var out []pbft.Event
	kept := c.held[:0]
	for _, h := range c.held {
		if h.ticks++; h.ticks > patience || !awake {
			out = append(out, h.event)
			continue
		}
		kept = append(kept, h)
	}
	c.held = kept
	return out
}

func (c *colluder) toldTo(to pbft.ReplicaID, d double) pbft.Digest {
	if c.inFirst(to) {
		return d.first
	}
	return d.second
}

func (c *colluder) twists(m pbft.Message) bool {
	if !c.mine(m) {
		return false
	}
	switch m := m.(type) {
	case *pbft.PrePrepare:
		return m.Seq >= c.from
	case *pbft.Prepare:
		_, twice := c.doubled[place{m.View, m.Seq}]
		return twice
	case *pbft.Commit:
		_, twice := c.doubled[place{m.View, m.Seq}]
		return twice
	case *pbft.ViewChange:
		return true
	default:
		return false
	}
}

func (c *colluder) tell(to pbft.ReplicaID, m pbft.Message) []pbft.Effect {
	switch m := m.(type) {
	case *pbft.PrePrepare:
		return c.propose(to, m)
	case *pbft.ViewChange:
		lie := &pbft.ViewChange{View: m.View, Replica: m.Replica, Suspects: m.Suspects, Stable: m.Stable}
		return []pbft.Effect{pbft.Send{To: to, Msg: c.signed(lie)}}
	default: // a vote for the first batch: the others were told another one
		if c.conspires(to) || c.inFirst(to) {
			return c.honest.tell(to, m)
		}
		return nil
	}
}

// propose tells a replica its batch, with a commit for it, and an accomplice both batches. A statement without its body,
// which would confess, is kept back.
func (c *colluder) propose(to pbft.ReplicaID, m *pbft.PrePrepare) []pbft.Effect {
	if m.Body == nil {
		return nil
	}
	other := variant(m, 0).(*pbft.PrePrepare)
	c.signed(other)
	d := double{m.Digest, other.Digest}
	c.note(place{m.View, m.Seq}, d)
	if c.conspires(to) {
		return []pbft.Effect{pbft.Send{To: to, Msg: m}, pbft.Send{To: to, Msg: other}}
	}
	mine := m
	if !c.inFirst(to) {
		mine = other
	}
	return []pbft.Effect{
		pbft.Send{To: to, Msg: mine},
		pbft.Send{To: to, Msg: c.signed(&pbft.Commit{View: m.View, Seq: m.Seq, Digest: c.toldTo(to, d), Replica: c.cfg.Self})},
	}
}
