package client

import (
	"time"

	"tagma/pbft/wire"
)

// reads are those of the past that are under way, and what is known of it.
type reads struct {
	at      wire.Seq // the state that is asked for; older and older, until it is given up
	newest  wire.Seq // that a reply told of
	gone    bool     // nobody has the state that was asked for any more
	nonce   uint64
	under   map[wire.ReplicaID]int           // way
	since   map[wire.ReplicaID]time.Duration // something was asked or answered last
	learned time.Duration                    // a request was sent that will tell a newer one
}

// unheard is so long without an answer that none is waited for: longer than a replica reads for anybody.
const unheard = 15 * time.Second

// read has so many reads of the past under way at each replica. A link has one of them at a time and holds the others back,
// so there is always a next one. Now and then a request tells a newer state.
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

// Replied learns how far the cluster is.
func (c *burden) Replied(from wire.ReplicaID, m *wire.Reply) {
	c.many.Replied(from, m)
	c.reads.newest = max(c.reads.newest, m.Seq)
}

// Asked takes the answer to a read of the past.
func (c *burden) Asked(from wire.ReplicaID, m *wire.QueryReply, now time.Duration) {
	r := &c.reads
	if r.under[from] > 0 {
		r.under[from]--
		r.since[from] = now
	}
	r.gone = r.gone || m.At == r.at && m.Outcome == wire.QueryNotRetained
	c.tally.Reads++
}
