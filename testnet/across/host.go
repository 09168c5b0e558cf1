package across

import (
	"time"

	"tagma/statemachine/attest"
	"tagma/statemachine/commit"
)

// Host runs the clients. It calls everything that it is given on one goroutine.
type Host interface {
	// After calls do once a time has passed.
	After(d time.Duration, do func())
	// Elapse calls do once the clocks of all groups have gone on by d, in whatever time that takes.
	Elapse(d time.Duration, do func())
	// Now is the time since the beginning, and Wall what a correct clock shows.
	Now() time.Duration
	Wall() time.Time
	// Join makes another program, a client of every group. The first one is an administrator of all.
	Join() Program
}

// Program is a client of all groups.
type Program interface {
	// Do has a group execute an operation. Done is called with the result, or with nil if the program gave up and it may
	// be executed later. It is not called once the program was killed.
	Do(group int, op []byte, done func(result []byte))
	// Attest collects a certificate of what a group vouches for when it is asked by op. Done is called with nil if there
	// is none in time.
	Attest(group int, op []byte, done func(*attest.Certificate))
	// Kill ends the program, with everything that it waits for. After Start it goes on with new sessions. If midway is
	// set, the program dies with the next operation that it sends, which reaches perhaps one replica.
	Kill(midway bool)
	Start()
	// Life rises whenever the program is killed.
	Life() int
}

// Group is a cluster that takes part.
type Group struct {
	commit.Group
	// Forge signs a statement with the keys of the group's liars; nil: there are none.
	Forge func(statement []byte) []attest.Signature
}
