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
}

// Cause is why a replica leaves a view, in words, for people. No behaviour depends on it.
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
