package port

import (
	"time"

	"tagma/pbft/wire"
)

// Inspection is a copy of what an operator wants to see of a replica.
type Inspection struct {
	View        wire.View
	Active      bool
	Primary     wire.ReplicaID
	Handed      wire.Seq         // last sequence number handed to execution
	Executed    wire.Seq         // last one whose execution was reported
	Stable      wire.Seq         // low watermark h
	StateDigest wire.Digest      // of the state after Stable
	Proposed    wire.Seq         // highest one assigned, if this replica is the primary
	Seen        wire.Seq         // highest one any message named
	Pending     int              // requests known and not ordered
	LeftBehind  bool             // what is to be executed next comes from nobody: the state is fetched
	Asking      bool             // it does not know yet whether it remembers all that it signed (D8.5)
	Silent      bool             // it had forgotten what it signed, and does not vote yet (D8.7)
	Until       wire.Seq         // where its silence ends; 0 if it forgot nothing
	Unclean     bool             // it is silent for what its last stop lost (D8.14)
	Halted      bool             // so many others forgot as well that no quorum is left: only a restore helps
	Lost        []wire.ReplicaID // others that have answered that they do not remember all that they signed
	Since       wire.View        // the first view in which it votes; 0 if it forgot nothing
	Suspecting  bool
	Left        Cause // why the view before this one was left
	Diverged    bool
	Split       wire.Seq // a checkpoint above Stable that can never be stable, for the replicas' states differ; 0: none is known
	Timeout     time.Duration
	Peers       []PeerInspection // by replica; the own entry is empty
}

// Cause is why a replica leaves a view, in words. It is for people and changes nothing.
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

// PeerInspection is what another replica last said of itself.
type PeerInspection struct {
	Heard    bool
	Age      time.Duration // since it was heard
	View     wire.View
	Active   bool
	Executed wire.Seq
	Stable   wire.Seq
}

// Position is where a replica is: the part of an Inspection that is cheap enough to look at after every step.
type Position struct {
	View     wire.View
	Active   bool
	Executed wire.Seq // last sequence number handed to execution
	Stable   wire.Seq // low watermark h
}

// Footprint is how much a replica holds, for checks that it is bounded (S4).
type Footprint struct {
	Slots    int      // of the ring; constant
	Highest  wire.Seq // sequence number of the highest slot that accepted a pre-prepare in the current view
	Bodies   int      // most bodies that one slot holds
	Requests int      // in the pool, ordered ones that were not executed yet included
	Queues   int      // clients that have one in the pool
}
