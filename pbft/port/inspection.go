package port

import (
	"time"

	"tagma/pbft/wire"
)

// Inspection is a copy of what an operator may want to see of a replica.
type Inspection struct {
	View        wire.View
	Active      bool
	Primary     wire.ReplicaID
	Handed      wire.Seq         // last sequence number handed to execution
	Executed    wire.Seq         // last sequence number whose execution was reported
	Stable      wire.Seq         // low watermark h
	StateDigest wire.Digest      // of the state after Stable
	Proposed    wire.Seq         // highest sequence number that this replica assigned, if it is the primary
	Seen        wire.Seq         // highest sequence number that any message named
	Pending     int              // requests that are known and not ordered
	LeftBehind  bool             // no replica can give it the batch to execute next, so it fetches a state
	Asking      bool             // it does not know yet whether it remembers everything that it signed (D8.5)
	Silent      bool             // it has forgotten what it signed, and does not vote yet (D8.7)
	Until       wire.Seq         // the checkpoint at which its silence ends; 0 if it forgot nothing
	Unclean     bool             // it is silent because its last stop lost votes (D8.14)
	Halted      bool             // so many others also lost votes that no quorum is left: only a restore helps
	Lost        []wire.ReplicaID // others that answered that they do not remember everything that they signed
	Since       wire.View        // the first view in which it votes; 0 if it forgot nothing
	Suspecting  bool
	Left        Cause // why the view before this one was left
	Diverged    bool
	Split       wire.Seq // a checkpoint above Stable that can never be stable, since states differ; 0: none is known
	Timeout     time.Duration
	Peers       []PeerInspection // by replica; the own entry is empty
	Waits       *Waits           // nil unless it was asked for
}

// Cause is the reason why a replica leaves a view, as text for people. No behaviour depends on it.
type Cause string

// The causes.
const (
	CauseProof    Cause = "the primary is proven faulty"
	CauseSilence  Cause = "nothing was heard of the primary for a view timeout"
	CauseRequest  Cause = "a request was not executed in time"
	CauseStall    Cause = "a batch did not commit in time"
	CauseWithheld Cause = "the primary orders nothing for clients of others"
	CauseNewView  Cause = "the next primary did not start its view in time"
	CauseOthers   Cause = "others suspect the primary, or are in a later view"
)

// PeerInspection is what another replica last reported about itself.
type PeerInspection struct {
	Heard    bool
	Age      time.Duration // since that report
	View     wire.View
	Active   bool
	Executed wire.Seq
	Stable   wire.Seq
}

// Position is the part of an Inspection that is cheap enough to read after every step.
type Position struct {
	View     wire.View
	Active   bool
	Executed wire.Seq // last sequence number handed to execution
	Stable   wire.Seq // low watermark h
}

// Footprint is how much a replica holds in memory, for checks that this is bounded (S4).
type Footprint struct {
	Slots    int      // slots in the ring; constant
	Highest  wire.Seq // sequence number of the highest slot that accepted a pre-prepare in the current view
	Bodies   int      // the largest number of bodies in one slot
	Requests int      // in the pool, including ordered ones that were not executed yet
	Queues   int      // clients with a request in the pool
}

// Waits says what a replica waits for: why it orders and executes nothing, or does not follow. It is for people and
// changes nothing. Durations count from the moment at which the Waits was made.
type Waits struct {
	// The first sequence numbers that something is known of and that are not handed to execution.
	Slots       []SlotWait
	Request     *RequestWait     // the oldest request that is not ordered; nil if there is none
	Timer       Cause            // the timer that ends first, as what it will make this replica suspect; "" if none runs
	Silence     bool             // that timer ends unless a message of the primary arrives
	Left        time.Duration    // until that timer ends; 0 if it has ended
	Suspects    []wire.ReplicaID // replicas whose suspicion of the current view counts
	ViewChanges []wire.ReplicaID // replicas whose ViewChange is held: for a later view, or for this one if it is not active
	Full        bool             // all of the window is handed to execution: only a stable checkpoint makes room
	Checkpoints []CheckpointWait // checkpoints that some replica announced and that are not stable, ascending
}

// MaxSlotWaits is how many slots Waits holds at most.
const MaxSlotWaits = 3

// SlotWait is a sequence number that is not handed to execution. In the current view it waits, in this order, for a
// pre-prepare, its body, Q prepares (of which the pre-prepare is one) and Q commits.
type SlotWait struct {
	Seq       wire.Seq
	Accepted  bool             // a pre-prepare of the current view is accepted, or its NewView chose a digest
	Held      bool             // the body that it names, or that is committed, is here
	Committed bool             // a commit certificate is held
	Prepares  []wire.ReplicaID // replicas whose vote for the accepted digest is held, the primary among them
	Commits   []wire.ReplicaID
	For       time.Duration // since the pre-prepare was accepted
	Ahead     time.Duration // above 0: a pre-prepare waits here whose agreed time is so far ahead of this replica's clock
}

// RequestWait is a request that waits to be ordered.
type RequestWait struct {
	ID  wire.RequestID
	For time.Duration
}

// CheckpointWait is a checkpoint that is not stable.
type CheckpointWait struct {
	Seq   wire.Seq
	Votes []CheckpointVote // one for each digest
}

// CheckpointVote is a digest, and the replicas that announced it.
type CheckpointVote struct {
	Digest   wire.Digest
	Replicas []wire.ReplicaID
}
