package port

import "tagma/pbft/wire"

// Effect is what a replica wants done. Effects are performed in slice order, and nothing leaves the replica and nothing
// is executed before every earlier Persist and every earlier broadcast vote is durable (D0). The set is closed.
//
//sumtype:decl
type Effect interface{ effect() }

// Persist makes a record durable.
type Persist struct{ Record wire.Record }

// Note writes a record together with the next one that must be durable. Losing it in a crash is harmless.
type Note struct{ Record wire.Record }

// Broadcast signs a message (nested statements of our own first), makes it durable as a Sent record if it is of a type
// that Durable names, sends it to every other replica, and returns it to this core as Received over the loopback.
type Broadcast struct{ Msg wire.Message }

// Send sends to one replica a message that needs no signature of ours or carries it already.
type Send struct {
	To  wire.ReplicaID
	Msg wire.Message
}

// Respond sends a reply to a client's link, if one is open here.
type Respond struct{ Reply *wire.Reply }

// Execute hands the batch of the next sequence number to execution.
type Execute struct {
	Seq  wire.Seq
	Body *wire.Body
}

// Snapshot asks for Snapshotted once everything up to Seq is executed and durable in the store (K1).
type Snapshot struct{ Seq wire.Seq }

// Truncate allows journal records of sequence numbers ≤ Below to be deleted, and state versions below Discard to be
// forgotten (K1, K4).
type Truncate struct {
	Below   wire.Seq
	Discard wire.Seq
}

// Transfer asks for the state of a stable checkpoint, that of Target or a newer one, from other replicas, after what was
// handed to execution before (X1). It is repeated with each newer target. Transferred follows, or Starving.
type Transfer struct {
	Target wire.StableCert
	Doubt  bool // the own state was found to be wrong: nothing that is in memory or on the disk is to be believed (K2)
}

// Offer tells that a checkpoint is stable, and durable here: other replicas may fetch its state (X2).
type Offer struct{ Cert wire.StableCert }

// Resume lets execution go on from a state that was fetched (X6).
type Resume struct{ Seq wire.Seq }

// Forgot reports that another replica holds a statement of this one that its journal lacks (D8.5). Nothing follows it.
type Forgot struct {
	Said    wire.Statement
	Witness wire.ReplicaID
}

// Accuse reports proven misbehaviour (E1).
type Accuse struct{ Evidence wire.Evidence }

// Diverged reports that a stable checkpoint has another digest than this replica's own (K2), with the certificate that
// proves it. The replica stops replying.
type Diverged struct {
	Own  wire.Digest
	Cert wire.StableCert
}

// Split reports a checkpoint that can never be stable: the votes that are in leave no digest enough of those that are not,
// so that the states of correct replicas differ. Nothing is ordered past the window that it closes.
type Split struct {
	Seq   wire.Seq
	Votes []wire.Checkpoint // ascending by replica
}

// Entered reports a view that became active here.
type Entered struct{ View wire.View }

// Dropped says why an input changed nothing. It is data for traces, tests and counters.
type Dropped struct {
	Msg wire.Message
	Why Reason
}

func (Persist) effect()   {}
func (Note) effect()      {}
func (Broadcast) effect() {}
func (Send) effect()      {}
func (Respond) effect()   {}
func (Execute) effect()   {}
func (Snapshot) effect()  {}
func (Truncate) effect()  {}
func (Transfer) effect()  {}
func (Resume) effect()    {}
func (Offer) effect()     {}
func (Forgot) effect()    {}
func (Accuse) effect()    {}
func (Diverged) effect()  {}
func (Split) effect()     {}
func (Entered) effect()   {}
func (Dropped) effect()   {}

// Reason says why an input changed nothing.
type Reason string

// The reasons for dropping an input.
const (
	ReasonDuplicate    Reason = "duplicate"
	ReasonOldView      Reason = "old view"
	ReasonInactive     Reason = "no active view"
	ReasonBelowWindow  Reason = "at or below the low watermark"
	ReasonAboveWindow  Reason = "above the window"
	ReasonNotSender    Reason = "signer is not the link's peer"
	ReasonFromPrimary  Reason = "the primary's prepare does not count"
	ReasonConflict     Reason = "conflicts with an accepted statement"
	ReasonNoBody       Reason = "statement without a body"
	ReasonUnknownBody  Reason = "no certificate vouches for this body"
	ReasonNoRoom       Reason = "the window holds too many bytes"
	ReasonNotHeld      Reason = "asked for a body that is not held"
	ReasonOrdered      Reason = "already ordered"
	ReasonTooOften     Reason = "asks again too soon"
	ReasonBusy         Reason = "not admitted"
	ReasonNotPrimary   Reason = "relayed to a replica that is not the primary"
	ReasonWrongNewView Reason = "new view does not follow from its view changes"
	ReasonUnexpected   Reason = "not a message for replicas"
	ReasonAsking       Reason = "this replica does not know yet whether it remembers all that it signed"
	ReasonUnasked      Reason = "not asked for"
	ReasonOwn          Reason = "a statement of this replica that another one passed on"
	ReasonFromClient   Reason = "not a message for clients to send"
)

// Reasons are all reasons for dropping an input.
var Reasons = [...]Reason{
	ReasonDuplicate, ReasonOldView, ReasonInactive, ReasonBelowWindow, ReasonAboveWindow, ReasonNotSender, ReasonFromPrimary,
	ReasonConflict, ReasonNoBody, ReasonUnknownBody, ReasonNoRoom, ReasonNotHeld, ReasonOrdered, ReasonTooOften, ReasonBusy,
	ReasonNotPrimary, ReasonWrongNewView, ReasonUnexpected, ReasonAsking, ReasonUnasked, ReasonOwn, ReasonFromClient,
}
