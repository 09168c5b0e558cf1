package driver

import (
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// Core is a replica, or an attacker that runs in place of one.
type Core interface {
	port.Actor
	// Anchor returns the records that a journal segment begins with (D9).
	Anchor() []wire.Record
}

// Journal keeps records.
type Journal interface {
	// Append makes one turn durable, after everything that was given to Later. It returns once it is durable; any error
	// is final (D6). If the segment has no room, it begins a new one with what anchor returns, and writes the turn
	// after that. It keeps neither slice.
	Append(turn []wire.Record, anchor func() []wire.Record) error
	// Later takes a turn that need not be durable yet, and makes it durable in the background, in order, within a
	// bounded time (D8.14). It waits only if too much is not durable yet. The driver calls it every turn, even with an
	// empty turn; a call returns the error of the background if there was one.
	Later(turn []wire.Record, anchor func() []wire.Record) error
	// Truncate deletes records of sequence numbers ≤ below. If that is worth it, it first begins a new segment with the
	// anchor.
	Truncate(below wire.Seq, anchor func() []wire.Record) error
}

// Signer holds the replica's private key.
type Signer interface {
	Sign(message []byte) [64]byte
}

// Transport carries frames. It must not block, and may lose any frame.
type Transport interface {
	// Send sends a frame to a replica.
	Send(to wire.ReplicaID, frame []byte)
	// Respond sends a reply over the link that last brought a request of its session, if there is such a link.
	Respond(reply *wire.Reply)
}

// Machine executes batches, within the turns or concurrently; results return as events. Neither method may block: the
// core hands over at most a window of batches ahead.
type Machine interface {
	// Do takes work on the state, in order: an Execute, a Snapshot, a Transfer, a Resume, an Offer, or a Truncate, of
	// which it performs the Discard.
	Do(work port.Effect)
	// Lookup answers a request that was executed already (C3).
	Lookup(req *wire.Request) (*wire.Reply, bool)
}

// Observer is told what happens at a replica, in the terms of the protocol: for logs, counters, evidence and traces. It
// is told what a step does before the records are durable and before anything is sent. An observer changes nothing, and
// must not block. Most observers embed Ignore and implement only the methods that they need. An observer with a method
// Heard() bool is told nothing while that returns false.
type Observer interface {
	// Received tells of a message that was given to the core, except those that this replica sent itself.
	Received(from port.Source, m wire.Message)
	// Dropped tells of a message that the core ignored, and why.
	Dropped(m wire.Message, why port.Reason)

	// The progress of a batch (§4.2).
	//
	// Proposing: this replica is about to sign its pre-prepare.
	//
	// PrePrepared: it has accepted a pre-prepare with so many requests.
	//
	// Prepared and Committed: a certificate with so many votes is complete. The pre-prepare counts as the vote of its
	// primary. requests is 0 if the number is not known.
	//
	// Executing: the batch is handed to execution.
	//
	// Executed: its results are known.
	Proposing(s wire.Seq)
	PrePrepared(v wire.View, s wire.Seq, d wire.Digest, requests int)
	Prepared(v wire.View, s wire.Seq, d wire.Digest, votes int)
	Committed(v wire.View, s wire.Seq, d wire.Digest, votes, requests int)
	Executing(s wire.Seq, requests, operations int)
	Executed(s wire.Seq, requests int)

	// A checkpoint (§4.3): this replica's own state is recorded, or the stable certificate is complete.
	Snapshotted(s wire.Seq, d wire.Digest)
	Stable(s wire.Seq, d wire.Digest)

	// A view change (§4.4). The cause is TimerExpired, Proof, or the type of the message that brought it about.
	// Suspected: this replica suspects the primary of a view. AskedFor: it has sent a ViewChange for a view, with these
	// Suspects. Entered: a view is active.
	Suspected(v wire.View, cause string)
	AskedFor(v wire.View, suspects []wire.ReplicaID, cause string)
	Entered(v wire.View, cause string)

	// A transfer of state (X1). Transferring: the state of a checkpoint is fetched from others. Transferred: it is
	// complete. Resumed: execution continues from it (X6). Starving: no replica serves a useful state. Damaged: this
	// replica's own state is damaged (K2).
	Transferring(s wire.Seq)
	Transferred(s wire.Seq)
	Resumed(s wire.Seq)
	Starving()
	Damaged()

	// Syncing is called before the sync of a turn, and Synced after it, with the number of its records.
	Syncing()
	Synced(records int)

	// Accused tells of proven misbehaviour (E1). Diverged tells of a stable checkpoint that this replica's own state
	// contradicts (K2). Split tells of a checkpoint that can never be stable, with the digest of each replica, which is
	// zero for a replica without a vote. Forgot says that another replica (the witness) holds a statement of this one
	// that its journal lacks, described as text; this replica must not continue with its journal (D8.5).
	Accused(e wire.Evidence)
	Diverged(own wire.Digest, cert wire.StableCert)
	Split(s wire.Seq, says []wire.Digest)
	Forgot(said string, witness wire.ReplicaID)
}

// Ignore is an Observer that ignores everything.
type Ignore struct{}

// Received implements Observer.
func (Ignore) Received(port.Source, wire.Message) {}

// Dropped implements Observer.
func (Ignore) Dropped(wire.Message, port.Reason) {}

// Proposing implements Observer.
func (Ignore) Proposing(wire.Seq) {}

// PrePrepared implements Observer.
func (Ignore) PrePrepared(wire.View, wire.Seq, wire.Digest, int) {}

// Prepared implements Observer.
func (Ignore) Prepared(wire.View, wire.Seq, wire.Digest, int) {}

// Committed implements Observer.
func (Ignore) Committed(wire.View, wire.Seq, wire.Digest, int, int) {}

// Executing implements Observer.
func (Ignore) Executing(wire.Seq, int, int) {}

// Executed implements Observer.
func (Ignore) Executed(wire.Seq, int) {}

// Snapshotted implements Observer.
func (Ignore) Snapshotted(wire.Seq, wire.Digest) {}

// Stable implements Observer.
func (Ignore) Stable(wire.Seq, wire.Digest) {}

// Suspected implements Observer.
func (Ignore) Suspected(wire.View, string) {}

// AskedFor implements Observer.
func (Ignore) AskedFor(wire.View, []wire.ReplicaID, string) {}

// Entered implements Observer.
func (Ignore) Entered(wire.View, string) {}

// Transferring implements Observer.
func (Ignore) Transferring(wire.Seq) {}

// Transferred implements Observer.
func (Ignore) Transferred(wire.Seq) {}

// Resumed implements Observer.
func (Ignore) Resumed(wire.Seq) {}

// Starving implements Observer.
func (Ignore) Starving() {}

// Damaged implements Observer.
func (Ignore) Damaged() {}

// Syncing implements Observer.
func (Ignore) Syncing() {}

// Synced implements Observer.
func (Ignore) Synced(int) {}

// Accused implements Observer.
func (Ignore) Accused(wire.Evidence) {}

// Diverged implements Observer.
func (Ignore) Diverged(wire.Digest, wire.StableCert) {}

// Split implements Observer.
func (Ignore) Split(wire.Seq, []wire.Digest) {}

// Forgot implements Observer.
func (Ignore) Forgot(string, wire.ReplicaID) {}
