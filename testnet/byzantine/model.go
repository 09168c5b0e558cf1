package byzantine

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
