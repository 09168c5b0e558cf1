package replica

import (
	"slices"

	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// collude is f replicas with one script. They need no channel but the cluster's own links: a primary shows its accomplices
// both of its proposals, and each of them knows whom to tell which.
var collude = tamper.Describe[colluder]("collude", tamper.Byzantine,
	"conspirators share a script: a primary proposes one batch to just enough replicas to commit it and another batch to "+
		"the rest, all of them vote for both, and in view changes they have prepared nothing",
	"the worst of its parts: at most one view change for each bad primary; proof against the primary is kept")

type colluder struct {
	rule
	With    tamper.Peers `default:"0+1" doc:"the conspirators, this replica among them, such as 0+6: every one has the same list"`
	FromSeq wire.Seq     `default:"1" doc:"the first sequence number that they lie about"`
	doubled map[Slot]double
	held    []heldProposal
}

func (c *colluder) ready() error {
	c.doubled = map[Slot]double{}
	return c.lie(c.split, wire.TypePrePrepare, wire.TypePrepare, wire.TypeCommit, wire.TypeViewChange)
}

// double is the two batches that a conspirator proposes for one place.
type double struct{ first, second wire.Digest }

// heldProposal waits a moment for its counterpart.
type heldProposal struct {
	event port.Event
	msg   *wire.PrePrepare
	ticks int
}

// conspires reports whether a replica is one of them.
func (c *colluder) conspires(id wire.ReplicaID) bool { return id == c.cfg.Self || c.With.Replica(id) }

// inFirst reports whether an honest replica is told the first proposal: as many are as it takes to commit it.
func (c *colluder) inFirst(id wire.ReplicaID) bool {
	honestBefore, conspirators := 0, 0
	for i := range c.cfg.Members {
		switch other := wire.ReplicaID(i); {
		case c.conspires(other):
			conspirators++
		case other < id:
			honestBefore++
		}
	}
	return honestBefore < c.cfg.Quorum()-conspirators
}

func (c *colluder) note(at Slot, d double) {
	if len(c.doubled) >= mostHeld {
		clear(c.doubled)
	}
	c.doubled[at] = d
}

// hear keeps a conspirator's proposals from the core until both are there: it must not vote for one of them in public.
func (c *colluder) hear(ev port.Event) []port.Event {
	if _, ok := ev.(port.Tick); ok {
		return append(c.overdue(), ev)
	}
	p, ok := received(ev).(*wire.PrePrepare)
	if !c.awake || !ok || p.Body == nil || p.Seq < c.FromSeq {
		return []port.Event{ev}
	}
	if from := ev.(port.Received).From.Replica; c.cfg.Primary(p.View) != from || !c.conspires(from) {
		return []port.Event{ev}
	}
	return c.pair(ev, p)
}

// pair takes a proposal to its counterpart, and answers the two with votes for both.
func (c *colluder) pair(ev port.Event, p *wire.PrePrepare) []port.Event {
	here := Slot{p.View, p.Seq}
	if d, known := c.doubled[here]; known { // sent again
		if p.Digest == d.second {
			return nil
		}
		return []port.Event{ev}
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
				for _, kind := range []wire.Type{wire.TypePrepare, wire.TypeCommit} {
					c.say(port.Send{To: to, Msg: c.signed(c.vote(kind, p.View, p.Seq, digest))})
				}
			}
		}
		return []port.Event{h.event}
	}
	c.held = append(c.held, heldProposal{event: ev, msg: p})
	return nil
}

// overdue lets proposals go whose counterpart does not come: their primary is honest for the time being.
func (c *colluder) overdue() []port.Event {
	const patience = 3 // ticks
	var out []port.Event
	kept := c.held[:0]
	for _, h := range c.held {
		if h.ticks++; h.ticks > patience || !c.awake {
			out = append(out, h.event)
			continue
		}
		kept = append(kept, h)
	}
	c.held = kept
	return out
}

func (c *colluder) toldTo(to wire.ReplicaID, d double) wire.Digest {
	if c.inFirst(to) {
		return d.first
	}
	return d.second
}

func (c *colluder) twists(m wire.Message) bool {
	if !c.rule.twists(m) {
		return false
	}
	switch m := m.(type) {
	case *wire.PrePrepare:
		return m.Seq >= c.FromSeq
	case *wire.ViewChange:
		return true
	default: // a vote
		v, _ := tamper.ViewOf(m)
		_, twice := c.doubled[Slot{v, tamper.SeqOf(m)}]
		return twice
	}
}

func (c *colluder) split(to port.Source, m wire.Message) []wire.Message {
	switch m := m.(type) {
	case *wire.PrePrepare:
		return c.propose(to.Replica, m)
	case *wire.ViewChange:
		return []wire.Message{c.signed(&wire.ViewChange{View: m.View, Replica: m.Replica, Suspects: m.Suspects, Stable: m.Stable})}
	default: // a vote for the first batch: the others were told another one
		if c.conspires(to.Replica) || c.inFirst(to.Replica) {
			return []wire.Message{m}
		}
		return nil
	}
}

// propose tells a replica its batch, with a commit for it, and an accomplice both batches. A statement without its body,
// which would confess, is kept back.
func (c *colluder) propose(to wire.ReplicaID, m *wire.PrePrepare) []wire.Message {
	if m.Body == nil {
		return nil
	}
	other := c.signed(variant(m, 0)).(*wire.PrePrepare)
	d := double{m.Digest, other.Digest}
	c.note(Slot{m.View, m.Seq}, d)
	told := m
	switch {
	case c.conspires(to):
		return []wire.Message{m, other}
	case !c.inFirst(to):
		told = other
	}
	return []wire.Message{told, c.signed(c.vote(wire.TypeCommit, m.View, m.Seq, told.Digest))}
}
