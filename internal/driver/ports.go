package driver

import (
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// Core is a replica, or an attacker in its place.
type Core interface {
	port.Actor
	// Anchor returns the records that a journal segment begins with (D9).
	Anchor() []wire.Record
}

// Journal keeps records.
type Journal interface {
	// Append makes one turn durable, after all that Later was given. It returns when it is; any error is final (D6). When
	// there is no room it begins a new segment with what anchor returns, and puts the turn after it. It keeps neither slice.
	Append(turn []wire.Record, anchor func() []wire.Record) error
	// Later takes a turn that need not be durable yet, and makes it so in the background, in order, within a bounded time
	// (D8.14). It waits only when too much is not durable yet. It is called every turn, an empty one included; an error of
	// the background is returned by the next call.
	Later(turn []wire.Record, anchor func() []wire.Record) error
	// Truncate forgets records of sequence numbers ≤ below, behind a new segment that begins with the anchor where that
	// is worth one.
	Truncate(below wire.Seq, anchor func() []wire.Record) error
}

// Signer holds the replica's private key.
type Signer interface {
	Sign(message []byte) [64]byte
}

// Transport carries frames. It never blocks and may lose any of them.
type Transport interface {
	// Send sends a frame to a replica.
	Send(to wire.ReplicaID, frame []byte)
	// Respond sends a reply to the link that last brought a request of its session, if there is one.
	Respond(reply *wire.Reply)
}

// Machine executes batches, beside the turns or within them; what comes of it returns as events. Neither of its methods
// blocks: the core hands over at most a window of batches ahead.
type Machine interface {
	// Do takes work on the state, in order: an Execute, a Snapshot, a Transfer, a Resume, an Offer, or a Truncate, of
	// which its share is the Discard.
	Do(work port.Effect)
	// Lookup answers a request that was executed already (C3).
	Lookup(req *wire.Request) (*wire.Reply, bool)
}

// Observer is called with what happens, for logs, counters and evidence. It changes nothing.
type Observer interface {
	// Observe takes an Entered, Accuse, Dropped, Diverged, Split or Forgot. After a Forgot the replica must not go on with
	// its journal (D8.5).
	Observe(e port.Effect)
}
