package port

import (
	"time"

	"tagma/pbft/wire"
)

// Event is something that happens to a replica. The set is closed.
//
//sumtype:decl
type Event interface{ event() }

// Tick tells the time. Mono counts from an arbitrary start and never goes back; timeouts use only this (T3). Wall is in
// nanoseconds since the Unix epoch, and is used only for the agreed time of a batch (N1). Due is the agreed time at which
// the application has something to do even if no request arrives; 0 if there is nothing (see statemachine.Timed).
type Tick struct {
	Mono time.Duration
	Wall int64
	Due  int64
}

// Source says over which link a message came.
type Source struct {
	Replica  wire.ReplicaID // set unless Client is
	Client   bool           // a client's link
	Loopback bool           // this replica's own broadcast, durable by now
}

// Received is a message that was checked and whose signatures hold.
type Received struct {
	From Source
	Msg  wire.Verified
}

// Executed says that a batch was executed, with the replies to its requests and their costs: Costs in units that are
// the same on every replica, and Took in this machine's time.
type Executed struct {
	Seq     wire.Seq
	Replies []*wire.Reply
	Costs   []uint64 // by request; nil if not known
	Took    time.Duration
}

// Snapshotted says that the state after Seq is durable and readable, with its digest (K1).
type Snapshotted struct {
	Seq    wire.Seq
	Digest wire.Digest
}

// Transferred says that the state of a stable checkpoint was fetched from others and is completely durable in the store
// (X6).
type Transferred struct{ Cert wire.StableCert }

// Starving says that no other replica serves a state that this one can use.
type Starving struct{}

// Damaged says that the store does not hold the state that was executed, because the disk lost or changed something (K2).
type Damaged struct{}

// BadNewView says that the primary of a view sent an invalid NewView for it: malformed, or with a false signature. It
// came over the primary's own link, so nobody else can cause this event.
type BadNewView struct{ View wire.View }

// Refused returns the event for a frame that was refused on another replica's link. The result is nil, unless the frame
// is a NewView from the primary of its view: then the replica acts as if the view's timer had ended (V7).
func Refused(cfg *wire.Config, from wire.ReplicaID, frame []byte) Event {
	if v, is := wire.NewViewIn(frame); is && cfg.Primary(v) == from {
		return BadNewView{View: v}
	}
	return nil
}

// Stop says that the process ends on purpose: the core writes what must be durable, and sends nothing any more.
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

// Actor is what a driver runs as a core: a *Replica, or an attacker that wraps one.
type Actor interface {
	// Step takes one event and returns the effects to perform, in order. The slice is valid until the next Step.
	Step(Event) []Effect
}
