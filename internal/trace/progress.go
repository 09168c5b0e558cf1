package trace

import (
	"fmt"
	"strings"

	"tagma/pbft/wire"
)

// Phase says that a slot has reached a phase at a replica (§4.2).
type Phase struct {
	Stamp
	Phase    string    `json:"phase"` // pre-prepared, prepared or committed
	View     wire.View `json:"view"`
	Seq      wire.Seq  `json:"seq"`
	Digest   Digest    `json:"digest"`
	Requests int       `json:"requests,omitempty"` // number of requests in the batch, if it is known
	Votes    int       `json:"votes"`              // votes in the certificate; the pre-prepare counts as its primary's vote
	Quorum   int       `json:"quorum"`
}

// The phases.
const (
	PrePrepared = "pre-prepared"
	Prepared    = "prepared"
	Committed   = "committed"
)

// Executed says that the results of a batch are known.
type Executed struct {
	Stamp
	Seq      wire.Seq `json:"seq"`
	Requests int      `json:"requests"`
}

// View is a step of a view change (§4.4).
type View struct {
	Stamp
	Step     string    `json:"step"`               // suspected, asked or entered
	View     wire.View `json:"view"`               // the view that is suspected, asked for or entered
	Cause    string    `json:"cause"`              // timer, evidence, or the type of the message that caused the step
	Suspects []int     `json:"suspects,omitempty"` // for a view that is asked for: the replicas whose Suspects justify it
}

// The steps of a view change: a replica signs a Suspect, signs a ViewChange for a later view, and that view becomes
// active.
const (
	Suspected = "suspected"
	AskedFor  = "asked"
	Entered   = "entered"
)

// Causes of a view change, in addition to types of messages.
const (
	Timer      = "timer"
	Accusation = "evidence"
)

// Checkpoint says that a replica recorded a state, or that the state's certificate is complete (§4.3).
type Checkpoint struct {
	Stamp
	Step   string   `json:"step"` // taken or stable
	Seq    wire.Seq `json:"seq"`
	Digest Digest   `json:"digest"`
}

// The steps of a checkpoint.
const (
	Taken  = "taken"
	Stable = "stable"
)

// Synced says that a turn's records are durable.
type Synced struct {
	Stamp
	Records int   `json:"records"`
	Took    int64 `json:"took_us"`
}

// Transfer says how far a replica is with fetching a state from others.
type Transfer struct {
	Stamp
	Step  string   `json:"step"` // begun, progress, installed, resumed, starving or damaged
	Seq   wire.Seq `json:"seq"`
	Share float64  `json:"share,omitempty"` // the part of the state that was compared and is right, 0 to 1
	Bytes uint64   `json:"bytes,omitempty"` // received
}

// The steps of a transfer. Starving means that no replica serves a useful state. Damaged means that the store does not
// hold the state that was executed.
const (
	Begun     = "begun"
	Moving    = "progress"
	Installed = "installed"
	Resumed   = "resumed"
	Starving  = "starving"
	Damaged   = "damaged"
)

// Kind implements Event.
func (*Phase) Kind() string { return "phase" }

// Kind implements Event.
func (*Executed) Kind() string { return "executed" }

// Kind implements Event.
func (*View) Kind() string { return "view" }

// Kind implements Event.
func (*Checkpoint) Kind() string { return "checkpoint" }

// Kind implements Event.
func (*Synced) Kind() string { return "synced" }

// Kind implements Event.
func (*Transfer) Kind() string { return "transfer" }

// What implements Event.
func (e *Phase) What() string {
	text := fmt.Sprintf("%s v%d s%d %v", e.Phase, e.View, e.Seq, e.Digest)
	if e.Phase != PrePrepared {
		text += fmt.Sprintf(", %d of %d", e.Votes, e.Quorum)
	}
	return text
}

// What implements Event.
func (e *Executed) What() string { return fmt.Sprintf("executed s%d, %d requests", e.Seq, e.Requests) }

// What implements Event.
func (e *View) What() string {
	switch e.Step {
	case Suspected:
		return fmt.Sprintf("suspects the primary of v%d: %s", e.View, e.Cause)
	case AskedFor:
		who := make([]string, len(e.Suspects))
		for i, id := range e.Suspects {
			who[i] = party(id)
		}
		return fmt.Sprintf("asks for v%d: %s, suspected by %s", e.View, e.Cause, strings.Join(who, " "))
	default:
		return fmt.Sprintf("%s v%d: %s", e.Step, e.View, e.Cause)
	}
}

// What implements Event.
func (e *Checkpoint) What() string {
	return fmt.Sprintf("checkpoint s%d %v is %s", e.Seq, e.Digest, e.Step)
}

// What implements Event.
func (e *Synced) What() string {
	text := fmt.Sprintf("synced %d records", e.Records)
	if e.Took > 0 { // in a simulated run the sync takes no time of its own
		text += fmt.Sprintf(" in %d µs", e.Took)
	}
	return text
}

// What implements Event.
func (e *Transfer) What() string {
	text := fmt.Sprintf("transfer %s s%d", e.Step, e.Seq)
	if e.Step == Moving {
		text += fmt.Sprintf(", %.0f%%, %d bytes", 100*e.Share, e.Bytes)
	}
	return text
}
