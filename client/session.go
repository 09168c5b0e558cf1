package client

import "tagma/client/session"

// What a call is asked for and comes to. Package session says what each of these means.
type (
	// Result is what f+1 replicas say that a request did.
	Result = session.Result
	// UnknownError is an ErrUnknown with its circumstances.
	UnknownError = session.UnknownError
	// Semantics is how often an operation may be executed when messages are lost. docs/semantics.md has the cases.
	Semantics = session.Semantics
)

// The semantics that a caller can choose.
const (
	ExactlyOnce = session.ExactlyOnce
	AtMostOnce  = session.AtMostOnce
	AtLeastOnce = session.AtLeastOnce
	BestEffort  = session.BestEffort
)

// SemanticsNames lists what ParseSemantics takes.
func SemanticsNames() []string { return session.SemanticsNames() }

// ParseSemantics reads a name.
func ParseSemantics(name string) (Semantics, error) { return session.ParseSemantics(name) }

// What callers tell apart with errors.Is.
var (
	ErrUnknown     = session.ErrUnknown     // it may or may not have been executed, now or later
	ErrBusy        = session.ErrBusy        // with ErrUnknown: f+1 replicas last said that they are overloaded
	ErrUnequal     = session.ErrUnequal     // with ErrUnknown: no f+1 replicas agree, though enough answered
	ErrNotSent     = session.ErrNotSent     // it was not and will not be executed
	ErrClosed      = session.ErrClosed      // the client was closed
	ErrExpired     = session.ErrExpired     // it may have been executed, and will not be any more
	ErrConflict    = session.ErrConflict    // another request was executed under its number
	ErrRefused     = session.ErrRefused     // the session holds as much as the cluster allows
	ErrTooLarge    = session.ErrTooLarge    // it exceeds a limit of cluster.toml, and was not sent
	ErrEmpty       = session.ErrEmpty       // it has no operation, and was not sent
	ErrNotRetained = session.ErrNotRetained // the replicas have given up the state that it asks for
	ErrNotExecuted = session.ErrNotExecuted // the cluster has not come to the sequence number yet
)
