package port

import (
	"time"

	"tagma/pbft/wire"
)

// Event is what happens to a replica. The set is closed.
//
//sumtype:decl
type Event interface{ event() }

// Tick tells the time. Mono counts from an arbitrary start and never goes back: timeouts use nothing else (T3). Wall is
// nanoseconds since the Unix epoch and enters only as the agreed time of a batch (N1).
type Tick struct {
	Mono time.Duration
	Wall int64
}

// Source says which link a message came over.
type Source struct {
	Replica  wire.ReplicaID // meaningful unless Client
	Client   bool           // a client's link
	Loopback bool           // this replica's own broadcast, durable by now
}

// Received is a message that was checked and whose claims hold.
type Received struct {
	From Source
	Msg  wire.Verified
}

// Executed tells that a batch was executed, what its requests were answered, and what they cost: each in units that are the
// same everywhere, and all together of this machine's time.
type Executed struct {
	Seq     wire.Seq
	Replies []*wire.Reply
	Costs   []uint64 // by request; none: not known
	Took    time.Duration
}

// Snapshotted tells that the state after Seq is durable and readable, with its digest (K1).
type Snapshotted struct {
	Seq    wire.Seq
	Digest wire.Digest
}

// Transferred tells that the state of a stable checkpoint was fetched from others and is durable in the store, whole (X6).
type Transferred struct{ Cert wire.StableCert }

// Starving tells that no other replica serves a state that is of use to this one.
type Starving struct{}

// Damaged tells that the store does not hold the state that was executed: a disk lost or changed something of it (K2).
type Damaged struct{}

// BadNewView tells that the primary of a view sent a NewView for it that is not what a NewView must be: malformed, or with a
// signature that does not hold. It came over the primary's own link, so that nobody else can bring it about.
type BadNewView struct{ View wire.View }

// Refused is what a core is told of a frame that came over another replica's link and is not believed: nil, but for a
// NewView of the primary whose view it is for, which counts as expiry (V7).
func Refused(cfg *wire.Config, from wire.ReplicaID, frame []byte) Event {
	if v, is := wire.NewViewIn(frame); is && cfg.Primary(v) == from {
		return BadNewView{View: v}
	}
	return nil
}

// Stop tells that the process ends on purpose: what is to be written is made durable, and nothing is sent any more.
type Stop struct{}

func (Tick) event()        {}
func (Received) event()    {}
func (Executed) event()    {}
func (Snapshotted) event() {}
func (Transferred) event() {}
func (Starving) event()    {}
func (Damaged) event()     {}
func (BadNewView) event()  {}
func (Stop) event()        {}

// Actor is whatever takes a replica's place in a driver: a *Replica, or an attacker around one.
type Actor interface {
	// Step takes one event and returns what is to be done, in order. The slice is valid until the next Step.
	Step(Event) []Effect
}
