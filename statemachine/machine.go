package statemachine

import (
	"iter"
	"time"
)

// Machine is an application: the one thing a developer writes. Both methods are deterministic: they depend on their
// arguments only, never on a clock, randomness, a map's order, a goroutine or anything outside the state. A panic in
// either of them is contained: every replica answers with the same constant error and keeps nothing that was written.
type Machine interface {
	// Apply executes one ordered operation and returns its result.
	Apply(tx Txn, op []byte) (result []byte)
	// Query answers an operation that modifies nothing.
	Query(r Reader, op []byte) (result []byte)
}

// Reader is the application's keys as they are after one sequence number. Returned slices must not be modified.
type Reader interface {
	// Get returns the value under key.
	Get(key []byte) (value []byte, found bool)
	// Range yields the keys start ≤ key < end in ascending order with their values. A nil end means no end.
	Range(start, end []byte) iter.Seq2[[]byte, []byte]
	// Seq is the sequence number of the batch that is executed, or that was executed last.
	Seq() uint64
	// Time is the agreed time of that batch. It never goes back.
	Time() time.Time
}

// Txn is a Reader that sees its own writes. What it wrote is kept when Apply returns and dropped when it panics.
type Txn interface {
	Reader
	Put(key, value []byte)
	Delete(key []byte)
}
