package check

import (
	"encoding/binary"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// The clients of a test cluster.

func (c *cluster) hear(from wire.ReplicaID, r *wire.Reply) {
	if c.open[r.ID] == nil || r.Outcome != wire.OutcomeExecuted {
		return
	}
	if c.heard[r.ID] == nil {
		c.heard[r.ID] = map[wire.ReplicaID]*wire.Reply{}
	}
	c.heard[r.ID][from] = r
	a := Acceptance{ID: r.ID, Request: r.Request, Outcome: r.Outcome, Seq: r.Seq, Result: wire.DigestResults(r.Results)}
	for id := range wire.ReplicaID(len(c.nodes)) {
		said := c.heard[r.ID][id]
		if said != nil && said.Seq == a.Seq && said.Request == a.Request && wire.DigestResults(said.Results) == a.Result || c.naive && said != nil {
			a.Voters = append(a.Voters, id)
		}
	}
	if len(a.Voters) <= (len(c.nodes)-1)/3 {
		return
	}
	c.mon.Accepted(a)
	c.acked++
	delete(c.open, r.ID)
	delete(c.heard, r.ID)
}

func request(t uint64) *wire.Request {
	key := keyOf("client", 0)
	r := &wire.Request{
		ID:  wire.RequestID{Client: key, Session: 1, T: t},
		Ops: [][]byte{binary.BigEndian.AppendUint64(nil, t)}, AckedBelow: t - min(t, 20),
	}
	wire.SignRequest(wire.Digest{1}, r, signWith(key))
	return r
}

func (c *cluster) submit() {
	c.next++
	r := request(c.next)
	c.open[r.ID] = r
}

// ask sends every unanswered request to all replicas.
func (c *cluster) ask() {
	for t := uint64(1); t <= c.next; t++ {
		if r := c.open[wire.RequestID{Client: keyOf("client", 0), Session: 1, T: t}]; r != nil {
			for _, n := range c.nodes {
				n.give(port.Source{Client: true}, wire.Encode(r))
			}
		}
	}
}
