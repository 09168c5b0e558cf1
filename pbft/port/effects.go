package port

import "tagma/pbft/wire"

// Effect is something that a replica wants done. Effects are performed in slice order, and nothing leaves the replica and
// nothing is executed before every earlier Persist and every earlier broadcast vote is durable (D0). The set is closed.
//
//sumtype:decl
type Effect interface{ effect() }

// Persist makes a record durable.
type Persist struct{ Record wire.Record }

// Note writes a record together with the next one that must be durable. Losing a Note in a crash is harmless.
type Note struct{ Record wire.Record }

// Broadcast signs a message (its own nested statements first), makes it durable as a Sent record if Durable says so for
// its type, sends it to every other replica, and passes it back to this core as Received over the loopback.
type Broadcast struct{ Msg wire.Message }

// Send sends one replica a message that needs no signature of ours, or already has it.
type Send struct {
	To  wire.ReplicaID
	Msg wire.Message
}

// Respond sends a reply over a client's link, if this replica has one.
type Respond struct{ Reply *wire.Reply }

// Execute hands the batch of the next sequence number to execution.
type Execute struct {
	Seq  wire.Seq
	Body *wire.Body
}

// Snapshot asks for a Snapshotted once everything up to Seq is executed and durable in the store (K1).
type Snapshot struct{ Seq wire.Seq }

// Truncate allows deletion of journal records of sequence numbers ≤ Below, and of state versions below Discard (K1, K4).
type Truncate struct {
	Below   wire.Seq
	Discard wire.Seq
}

// Transfer asks for the state of the stable checkpoint Target, or of a newer one, from other replicas, after execution
// of what was handed over before (X1). It is repeated with each newer target. A Transferred follows, or a Starving.
type Transfer struct {
	Target wire.StableCert
	// This replica's own state was found to be wrong, so nothing in its memory or on its disk can be relied upon (K2).
	Doubt bool
}

// Offer says that a checkpoint is stable, and durable here, so that other replicas may fetch its state (X2).
type Offer struct{ Cert wire.StableCert }

// Resume makes execution continue from a fetched state (X6).
type Resume struct{ Seq wire.Seq }

// Forgot reports that another replica holds a statement of this one that its journal lacks (D8.5). No further effect
// follows.
type Forgot struct {
	Said    wire.Statement
	Witness wire.ReplicaID
}

// Accuse reports proven misbehaviour (E1).
type Accuse struct{ Evidence wire.Evidence }

// Diverged reports that a stable checkpoint has another digest than this replica's own (K2), with the certificate that
// proves it. The replica stops replying to clients.
type Diverged struct {
	Own  wire.Digest
	Cert wire.StableCert
}

// Split reports a checkpoint that can never be stable: no digest can reach a quorum, whatever the replicas vote that
// have not voted yet. So the states of correct replicas differ. Nothing can be ordered above the present window, because
// only this checkpoint would move the window.
type Split struct {
	Seq   wire.Seq
	Votes []wire.Checkpoint // ascending by replica
}

// Entered reports a view that became active here.
type Entered struct{ View wire.View }

// Dropped reports that an input was ignored, and why, for traces, tests and counters.
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

// Reason says why an input was ignored.
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
