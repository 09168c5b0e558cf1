package tamper

import "slices"

// Model is one of the four classical failure models, from the mildest to the worst: each includes those before it.
type Model string

// The failure models.
const (
	Crash     Model = "crash"     // it stops, and may come back
	Omission  Model = "omission"  // some of what it sends or should hear is lost
	Timing    Model = "timing"    // what it does is right, at the wrong time
	Byzantine Model = "Byzantine" // it does anything its key allows
)

// Models lists the failure models, the mildest first.
func Models() []Model { return []Model{Crash, Omission, Timing, Byzantine} }

// Summary says in one line what a faulty part may do under the model.
func (m Model) Summary() string {
	switch m {
	case Crash:
		return "it stops, and may come back"
	case Omission:
		return "some of what it sends or should hear is lost: send, receive and channel omission"
	case Timing:
		return "what it does is right, at the wrong time"
	default:
		return "it does anything that its key allows"
	}
}

// Rank is its place among them.
func (m Model) Rank() int { return slices.Index(Models(), m) }
