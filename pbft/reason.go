package pbft

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
