package statemachine

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// reservedPrefix begins the results that the service gives in place of an application's. An application's own result
// that begins with it is replaced, so the prefix tells them apart without a status byte on every result.
const reservedPrefix = "\xfftagma:"

// The results that the Service puts in place of an operation's own, of operations that failed. Nothing that such an
// operation wrote was kept; the other operations of its request are not affected. They are constants, the same on every
// replica (C9).
const (
	ResultPanicked = reservedPrefix + "the operation panicked"
	ResultTooLarge = reservedPrefix + "a result, write or range of the operation exceeds a limit"
	ResultReserved = reservedPrefix + "the operation's result begins with the reserved prefix"
	ResultUnwanted = reservedPrefix + "the request is on the cluster's list of refused ones"
)

// Errors that Failure tells apart.
var (
	ErrPanicked = errors.New("the operation panicked in the application and changed nothing")
	ErrTooLarge = errors.New("the operation's result, writes or ranges exceed a replicated limit and it changed nothing")
	ErrReserved = errors.New("the application gave a result that begins with a reserved prefix and it changed nothing")
	ErrUnwanted = errors.New("the cluster's operators had this request refused (refused_requests), it was never executed to an end and" +
		" changed nothing; do not send its operations again")
)

// refusalPrefix begins the results of Refuse: a code of four bytes, big-endian, and the text follow.
const refusalPrefix = "\xfftagma?"

// Refusal is an application's own way to say that it did not do what an operation asked for.
type Refusal struct {
	Code uint32 // for programs; what it means is the application's
	Text string // for people
}

// Error is the text.
func (r *Refusal) Error() string { return r.Text }

// Refuse is the result of an operation that an application refuses. Clients have it as an error, a *Refusal: see Failure.
// What the operation wrote before stands all the same, so refuse first and write afterwards. Like every result it must be
// the same on all replicas.
func Refuse(code uint32, text string) (result []byte) {
	return append(binary.BigEndian.AppendUint32([]byte(refusalPrefix), code), text...)
}

// Failure returns why an operation did not do what was asked for: a *Refusal of the application, or why the service gave
// this result in place of the application's. It is nil for any other result.
func Failure(result []byte) error {
	if rest, refused := bytes.CutPrefix(result, []byte(refusalPrefix)); refused && len(rest) >= 4 {
		return &Refusal{Code: binary.BigEndian.Uint32(rest), Text: string(rest[4:])}
	}
	if !bytes.HasPrefix(result, []byte(reservedPrefix)) {
		return nil
	}
	switch string(result) {
	case ResultPanicked:
		return ErrPanicked
	case ResultTooLarge:
		return ErrTooLarge
	case ResultUnwanted:
		return ErrUnwanted
	}
	return ErrReserved
}
