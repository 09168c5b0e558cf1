package statemachine

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// reservedPrefix begins every result that the service returns instead of the application's. If an application's own
// result begins with it, the service replaces that result. So the prefix alone distinguishes the two kinds.
const reservedPrefix = "\xfftagma:"

// The results that the Service returns for operations that failed. None of a failed operation's writes were kept; the
// other operations of its request are not affected. The results are constants, the same on every replica (C9).
const (
	ResultPanicked = reservedPrefix + "the operation panicked"
	ResultTooLarge = reservedPrefix + "a result, write or range of the operation exceeds a limit"
	ResultReserved = reservedPrefix + "the operation's result begins with the reserved prefix"
	ResultUnwanted = reservedPrefix + "the request is on the cluster's list of refused ones"
)

// The errors that Failure returns for these results.
var (
	ErrPanicked = errors.New("the operation panicked in the application and changed nothing")
	ErrTooLarge = errors.New("the operation's result, writes or ranges exceed a replicated limit and it changed nothing")
	ErrReserved = errors.New("the application gave a result that begins with a reserved prefix and it changed nothing")
	ErrUnwanted = errors.New("the cluster's operators had this request refused (refused_requests), it was never executed to an end and" +
		" changed nothing; do not send its operations again")
)

// refusalPrefix begins the results of Refuse. The code follows, four bytes in big endian, and then the text.
const refusalPrefix = "\xfftagma?"

// Refusal is how an application says that it did not do what an operation asked for.
type Refusal struct {
	Code uint32 // for programs; the application defines its meaning
	Text string // for people
}

// Error returns the refusal's text.
func (r *Refusal) Error() string { return r.Text }

// Refuse returns the result of an operation that the application refuses. A client receives it as an error, a *Refusal:
// see Failure. Writes that the operation made before are kept, so an application should refuse before it writes. Like
// every result it must be the same on all replicas.
func Refuse(code uint32, text string) (result []byte) {
	return append(binary.BigEndian.AppendUint32([]byte(refusalPrefix), code), text...)
}

// Failure returns why an operation did not do what it should: a *Refusal by the application, or the reason for which the
// service replaced the application's result. It is nil for any other result.
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
