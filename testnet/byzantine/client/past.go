package client

import (
	"time"

	"tagma/pbft/wire"
)

// reads is the state of a client's reads of the past.
type reads struct {
	at     wire.Seq // the state that is read; it stays the same until a replica does not have it any more
	newest wire.Seq // the highest sequence number in a reply
	gone   bool     // a replica does not have the state that is read any more
	nonce  uint64
	under  map[wire.ReplicaID]int           // reads under way, by replica
	since  map[wire.ReplicaID]time.Duration // when the last read was answered, by replica
	// When the last request was sent; its reply gives a newer sequence number to read.
	learned time.Duration
}

// unheard is the time after which a read without an answer counts as lost. It is longer than a replica takes for any
// read.
const unheard = 15 * time.Second

// read keeps c.Parallel reads of the past under way at each replica. A replica serves one read of a link at a time, so
// the others wait there. Once in a T the client sends a request, because the reply gives it a newer sequence number to
// read.
func (c *burden) read(now time.Duration) []Parcel {
	r := &c.reads
	if r.under == nil {
		r.under, r.since = map[wire.ReplicaID]int{}, map[wire.ReplicaID]time.Duration{}
	}
	if r.gone || r.at == 0 {
		r.at, r.gone = r.newest, false
	}
	if r.learned == 0 || now-r.learned >= c.ViewTimeout {
		r.learned = now
		c.spread(false, wire.Encode(c.next()))
	}
	for to := range wire.ReplicaID(c.Replicas) {
		if now-r.since[to] > unheard {
			r.under[to], r.since[to] = 0, now
		}
		for r.at > 0 && uint64(r.under[to]) < c.Parallel {
			r.nonce++
			r.under[to]++
			c.send(to, true, wire.Encode(&wire.Query{Nonce: r.nonce, At: r.at, Op: c.Burdens.Past}))
		}
	}
	return c.flush()
}

// Replied learns from a reply which sequence number the cluster has reached.
func (c *burden) Replied(from wire.ReplicaID, m *wire.Reply) {
	c.many.Replied(from, m)
	c.reads.newest = max(c.reads.newest, m.Seq)
}

// Asked handles the answer to a read of a past state.
func (c *burden) Asked(from wire.ReplicaID, m *wire.QueryReply, now time.Duration) {
	r := &c.reads
	if r.under[from] > 0 {
		r.under[from]--
		r.since[from] = now
	}
	r.gone = r.gone || m.At == r.at && m.Outcome == wire.QueryNotRetained
	c.tally.Reads++
}
