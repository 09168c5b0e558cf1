package transfer

import "errors"

var (
	// ErrMalformed says that bytes are not the encoding of a query or an answer.
	ErrMalformed = errors.New("malformed")
	// ErrBad says that an answer cannot come from a correct donor: the donor is blamed.
	ErrBad = errors.New("invalid answer")
	// ErrNotReady says that the source must be prepared before it answers. The same query may be put again afterwards.
	ErrNotReady = errors.New("the source is not prepared yet")
	// ErrWorn says that the source has moved its index as often as it may; drop it and make another.
	ErrWorn = errors.New("the source has indexed the state as often as it may; make a new one")
	// ErrDamaged says that the storage does not hold what its tree says.
	ErrDamaged = errors.New("the storage does not match its tree; rebuild the state from other replicas")
	// ErrClosed says that the source was closed.
	ErrClosed = errors.New("the source is closed")
)
