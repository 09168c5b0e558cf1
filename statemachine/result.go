package statemachine

import (
	"bytes"
	"errors"
)

// reservedPrefix begins the results that the service gives in place of an application's. An application's own result
// that begins with it is replaced, so the prefix tells them apart without a status byte on every result.
const reservedPrefix = "\xfftagma:"

// The results of operations that failed in the service's eyes. Nothing that such an operation wrote was kept; the
// other operations of its request are not affected. They are constants, the same on every replica (C9).
const (
	ResultPanicked = reservedPrefix + "the operation panicked"
	ResultTooLarge = reservedPrefix + "a result, write or range of the operation exceeds a limit"
	ResultReserved = reservedPrefix + "the operation's result begins with the reserved prefix"
)

// Errors that Failure tells apart.
var (
	ErrPanicked = errors.New("the operation panicked in the application and changed nothing")
	ErrTooLarge = errors.New("the operation's result, writes or ranges exceed a replicated limit and it changed nothing")
	ErrReserved = errors.New("the application gave a result that begins with a reserved prefix and it changed nothing")
)

// Failure returns why the service gave this result in place of the application's, or nil if it is the application's.
func Failure(result []byte) error {
	if !bytes.HasPrefix(result, []byte(reservedPrefix)) {
		return nil
	}
	switch string(result) {
	case ResultPanicked:
		return ErrPanicked
	case ResultTooLarge:
		return ErrTooLarge
	}
	return ErrReserved
}
