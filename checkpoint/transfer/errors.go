package transfer

import "errors"

var (
	// ErrMalformed says that bytes are not the encoding of a query or an answer.
	ErrMalformed = errors.New("malformed")
	// ErrBad says that a correct donor cannot have sent an answer; the donor is blamed.
	ErrBad = errors.New("invalid answer")
	// ErrNotReady says that the source must be prepared before it answers. The same query may be passed again afterwards.
	ErrNotReady = errors.New("the source is not prepared yet")
	// ErrWorn says that the source has moved its index as often as it may. The caller should close it and make another one.
	ErrWorn = errors.New("the source has indexed the state as often as it may; make a new one")
	// ErrDamaged says that the storage does not contain what its tree describes.
	ErrDamaged = errors.New("the storage does not match its tree; rebuild the state from other replicas")
	// ErrClosed says that the source was closed.
	ErrClosed = errors.New("the source is closed")
)
