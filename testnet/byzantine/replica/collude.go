package replica

import (
	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// collude is a behaviour of f replicas that work together. One of them is the primary. It sends one batch to the first
// half of the honest replicas, and another batch with the same sequence number to the others. The f replicas need no
// communication except the cluster's own links: the primary sends its accomplices both proposals, the second one without
// its body. Each accomplice knows which replica gets which proposal.
var collude = tamper.Describe[colluder]("collude", tamper.Byzantine,
	"conspirators share a script: a primary proposes one batch to just enough replicas to commit it and another batch to "+
		"the rest, all of them vote for both, and in view changes they have prepared nothing",
	"the worst of its parts: at most one view change for each bad primary; proof against them is kept")

type colluder struct {
	rule
	With    tamper.Peers `default:"0+1" doc:"the conspirators, this replica among them, such as 0+6: every one has the same list"`
	FromSeq wire.Seq     `default:"1" doc:"the first sequence number that they lie about"`
	// By view and sequence number, the digest of the batch that goes to the replicas outside the first half.
	seconds map[Slot]wire.Digest
}

func (c *colluder) ready() error {
	c.seconds = map[Slot]wire.Digest{}
	return c.lie(c.split, wire.TypePrePrepare, wire.TypePrepare, wire.TypeCommit, wire.TypeViewChange)
}

// conspires reports whether a replica is one of those that work together.
func (c *colluder) conspires(id wire.ReplicaID) bool { return id == c.cfg.Self || c.With.Replica(id) }

// inFirst reports whether an honest replica gets the first proposal. So many replicas get it that, with the votes of the
// colluding ones, it can commit.
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

func (c *colluder) note(at Slot, second wire.Digest) {
	if len(c.seconds) >= mostHeld {
		clear(c.seconds)
	}
	c.seconds[at] = second
}

// hear handles the proposals of a colluding primary. A proposal without body names the second batch and comes before the
// first one. The core gets only the first proposal, and votes for it. To each replica, the accomplice sends a vote for
// the batch that this replica got.
func (c *colluder) hear(ev port.Event) []port.Event {
	p, ok := received(ev).(*wire.PrePrepare)
	if !c.active || !ok || p.Seq < c.FromSeq {
		return []port.Event{ev}
	}
	if from := ev.(port.Received).From.Replica; c.cfg.Primary(p.View) != from || !c.conspires(from) {
		return []port.Event{ev}
	}
	here := Slot{p.View, p.Seq}
	second, twice := c.seconds[here]
	switch {
	case p.Body == nil:
		c.note(here, p.Digest)
		return nil
	case p.Digest == second: // the primary is honest, and repeats itself
		delete(c.seconds, here)
	case twice:
		for _, to := range c.others() {
			digest := second
			if c.inFirst(to) {
				digest = p.Digest
			}
			for _, kind := range []wire.Type{wire.TypePrepare, wire.TypeCommit} {
				if !c.conspires(to) {
					c.say(port.Send{To: to, Msg: c.signed(c.vote(kind, p.View, p.Seq, digest))})
				}
			}
		}
	}
	return []port.Event{ev}
}

func (c *colluder) split(to port.Source, m wire.Message) []wire.Message {
	switch m := m.(type) {
	case *wire.PrePrepare:
		if m.Seq >= c.FromSeq {
			return c.propose(to.Replica, m)
		}
	case *wire.ViewChange:
		return []wire.Message{c.signed(&wire.ViewChange{View: m.View, Replica: m.Replica, Suspects: m.Suspects, Stable: m.Stable})}
	default: // the core votes for the first batch; replicas that were told the second one do not get that vote
		v, _ := tamper.ViewOf(m)
		if _, twice := c.seconds[Slot{v, tamper.SeqOf(m)}]; twice && !c.conspires(to.Replica) && !c.inFirst(to.Replica) {
			return nil
		}
	}
	return []wire.Message{m}
}

// propose sends each honest replica its batch and a commit for it. It sends each accomplice the second digest, and then
// the first batch. It drops messages of the core that have no body, because they would show the first digest to all.
func (c *colluder) propose(to wire.ReplicaID, m *wire.PrePrepare) []wire.Message {
	if m.Body == nil {
		return nil
	}
	told, other := m, c.signed(variant(m, 0)).(*wire.PrePrepare)
	c.note(Slot{m.View, m.Seq}, other.Digest)
	switch {
	case c.conspires(to):
		return []wire.Message{&wire.PrePrepare{View: m.View, Seq: m.Seq, Digest: other.Digest, Sig: other.Sig}, m}
	case !c.inFirst(to):
		told = other
	}
	return []wire.Message{told, c.signed(c.vote(wire.TypeCommit, m.View, m.Seq, told.Digest))}
}
