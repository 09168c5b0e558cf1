package session

import (
	"fmt"
	"time"
)

// Semantics is how often an operation may be executed when messages are lost (C7). docs/semantics.md has the cases.
type Semantics uint8

// The semantics that a caller can choose.
const (
	// ExactlyOnce sends a request again until it is answered, always under one number, which is executed once.
	ExactlyOnce Semantics = iota
	// AtMostOnce sends a request once. Without an answer it was executed once or not at all.
	AtMostOnce
	// AtLeastOnce sends the operation again as a new request, in a new session if it must, until one of them is
	// answered. Others of them may have been executed too: it is for operations that may run twice.
	AtLeastOnce
	// BestEffort sends a request once and waits for nothing. It is executed once or not at all, and nobody is told.
	BestEffort
)

var semanticsNames = [...]string{"exactly-once", "at-most-once", "at-least-once", "best-effort"}

// SemanticsNames lists what ParseSemantics takes.
func SemanticsNames() []string { return semanticsNames[:] }

// String is the name that ParseSemantics takes.
func (s Semantics) String() string {
	if int(s) < len(semanticsNames) {
		return semanticsNames[s]
	}
	return fmt.Sprintf("semantics %d", uint8(s))
}

// Check reports semantics that there are not.
func (s Semantics) Check() error {
	if int(s) < len(semanticsNames) {
		return nil
	}
	return fmt.Errorf("there are no %v; choose exactly-once, at-most-once, at-least-once or best-effort", s)
}

// ParseSemantics reads a name.
func ParseSemantics(name string) (Semantics, error) {
	for i, known := range semanticsNames {
		if name == known {
			return Semantics(i), nil
		}
	}
	return 0, fmt.Errorf("no semantics are called %q; choose exactly-once, at-most-once, at-least-once or best-effort", name)
}

// sentOnce tells that a request is never sent a second time to have it executed.
func (s Semantics) sentOnce() bool { return s == AtMostOnce || s == BestEffort }

// What bounds a request that is sent once.
const (
	// passAfter is when a session acknowledges past its number. Whoever waits for it still may be answered; but where it
	// was not executed by then, it will not be any more.
	passAfter = maxTimeout
	// lostAfter is when its call ends, if nobody gave it up before.
	lostAfter = 30 * time.Second
)

// maxAttempts is how many numbers an at-least-once operation holds at most. The oldest is given up for a further one.
const maxAttempts = 4
