package trace

import (
	"fmt"

	"tagma/pbft/wire"
)

// Evidence says that a replica has proof of misbehaviour (E1).
type Evidence struct {
	Stamp
	Against int     `json:"against"` // a replica
	Proves  string  `json:"proves"`
	First   Message `json:"first"`
	Second  Message `json:"second"`
}

// Diverged says that a replica's state differs from a stable checkpoint (K2).
type Diverged struct {
	Stamp
	Seq    wire.Seq `json:"seq"`
	Own    Digest   `json:"own"`
	Stable Digest   `json:"stable"`
}

// Split says that a checkpoint can never be stable, because the states of replicas differ (K1).
type Split struct {
	Stamp
	Seq   wire.Seq  `json:"seq"`
	Votes []Opinion `json:"votes"`
}

// Opinion is a replica's digest of the state after a checkpoint.
type Opinion struct {
	Replica int    `json:"replica"`
	Digest  Digest `json:"digest"`
}

// Forgot says that another replica has shown this one a signed statement of its own that its journal lacks (D8.5).
type Forgot struct {
	Stamp
	Said    string `json:"said"`
	Witness int    `json:"witness"` // the replica that showed it
}

// Process is a start or an end of a replica's process.
type Process struct {
	Stamp
	Step string    `json:"step"` // started, crashed, stopped, paused, resumed or noted
	View wire.View `json:"view,omitempty"`
	Seq  wire.Seq  `json:"seq,omitempty"` // executed at the start
	Why  string    `json:"why,omitempty"`
}

// The steps of a process.
const (
	Started = "started"
	Crashed = "crashed"
	Stopped = "stopped"
	Paused  = "paused"
	GoesOn  = "resumed"
	Noted   = "noted" // none of these, but worth a line
)

// Fault is something that the test harness does to a replica or to the cluster.
type Fault struct {
	Stamp
	Step string `json:"step"` // fired or healed
	Does string `json:"what"`
}

// The steps of a fault.
const (
	Fired  = "fired"
	Healed = "healed"
)

// Kind implements Event.
func (*Evidence) Kind() string { return "evidence" }

// Kind implements Event.
func (*Diverged) Kind() string { return "diverged" }

// Kind implements Event.
func (*Split) Kind() string { return "split" }

// Kind implements Event.
func (*Forgot) Kind() string { return "forgot" }

// Kind implements Event.
func (*Process) Kind() string { return "process" }

// Kind implements Event.
func (*Fault) Kind() string { return "fault" }

// What implements Event.
func (e *Evidence) What() string {
	return fmt.Sprintf("accuses %s of %s: %v, and %v", party(e.Against), e.Proves, e.First, e.Second)
}

// What implements Event.
func (e *Diverged) What() string {
	return fmt.Sprintf("diverged at s%d: its own state is %v, and %v is stable", e.Seq, e.Own, e.Stable)
}

// What implements Event.
func (e *Split) What() string {
	text := fmt.Sprintf("the checkpoint at s%d can never be stable:", e.Seq)
	for _, v := range e.Votes {
		text += fmt.Sprintf(" %s says %v", party(v.Replica), v.Digest)
	}
	return text
}

// What implements Event.
func (e *Forgot) What() string {
	return fmt.Sprintf("forgot %s, which %s has", e.Said, party(e.Witness))
}

// What implements Event.
func (e *Process) What() string {
	text := e.Step
	if e.Step == Started {
		text += fmt.Sprintf(" in v%d at s%d", e.View, e.Seq)
	}
	if e.Why != "" {
		text += ": " + e.Why
	}
	return text
}

// What implements Event.
func (e *Fault) What() string { return fmt.Sprintf("fault %s: %s", e.Step, e.Does) }
