package play

import (
	"fmt"
	"time"
)

// Show is shown a run as it goes. Its methods may be called from several goroutines, and must not block for long.
type Show interface {
	// Phase begins a part of the run: "baseline", "start", "load" or "judge". What describes it.
	Phase(name, what string)
	// State is the state of the run, several times a second.
	State(s State)
	// Happened reports an event of the run that is worth a line: a fault, an operation after it, or the end of a
	// process.
	Happened(h Happening)
}

// State is how a run is at one moment.
type State struct {
	At           time.Duration // since the workload began
	Acknowledged int           // operations
	Goal         int           // operations of the workload; 0: a time ends it
	End          time.Duration // when the workload ends; 0: unknown
	OpsPerSecond float64       // over the last second
	Replicas     []Replica
}

// Kind says what sort of thing happened.
type Kind string

// The kinds.
const (
	Fired     Kind = "fired"     // a fault or an act of the scenario
	Recovered Kind = "recovered" // an operation that was submitted after a fault was acknowledged
	Note      Kind = "note"      // anything else worth knowing
	Bad       Kind = "bad"       // something that nobody planned
)

// Happening is something that happened.
type Happening struct {
	At   time.Duration // since the workload began
	Kind Kind
	What string // one line
}

// Say shows something that happened.
func Say(show Show, at time.Duration, kind Kind, format string, args ...any) {
	show.Happened(Happening{At: at, Kind: kind, What: fmt.Sprintf(format, args...)})
}

// Silent shows nothing.
type Silent struct{}

// Phase implements Show.
func (Silent) Phase(string, string) {}

// State implements Show.
func (Silent) State(State) {}

// Happened implements Show.
func (Silent) Happened(Happening) {}
