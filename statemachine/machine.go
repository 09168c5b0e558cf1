package statemachine

import (
	"iter"
	"math/rand/v2"
	"time"
)

// Machine is an application: the one thing a developer writes. Both methods are deterministic: they depend on their
// arguments only, never on a clock, randomness, a map's order, a goroutine or anything outside the state. A panic in
// either of them, and a runtime.Goexit, is contained: every replica answers with the same constant error and keeps
// nothing that was written. What never ends, and a stack overflow, is not: it stops every replica at the same
// operation. The arguments, and slices read through them, are valid until the method returns; op must not be modified.
//
// A machine may have more methods, those of Initializer, Versioned or Historian. One that wraps another machine has a
// method Unwrap that returns it, so that they are found in there.
type Machine interface {
	// Apply executes one ordered operation and returns its result. It is called by one goroutine.
	Apply(tx Txn, op []byte) (result []byte)
	// Query answers an operation that modifies nothing. For a request that is ordered as read-only it is called in its place
	// in a batch, in place of Apply; for a read of a past state (QueryAt of a client) beside execution, on that state.
	// Several may run at once, and beside Apply.
	Query(r Reader, op []byte) (result []byte)
}

// Historian is a Machine whose state holds some of its own past. The Service asks it for states that the storage has
// given up: how far the storage reaches back differs between replicas, and what lies in the state is the same on all of
// them.
type Historian interface {
	Machine
	// QueryPast answers as Query would have on the state after sequence number at, which lies below that of r. Without
	// kept it cannot tell.
	QueryPast(r Reader, op []byte, at uint64) (result []byte, kept bool)
}

// Reader is the application's keys as they are after one sequence number. Returned slices must not be modified.
type Reader interface {
	// Get returns the value under key.
	Get(key []byte) (value []byte, found bool)
	// Range yields the keys start ≤ key < end in ascending order with their values. A nil end means no end. In a Txn
	// every step goes to the next key of the state as it is then: what the loop writes ahead of itself is seen.
	Range(start, end []byte) iter.Seq2[[]byte, []byte]
	// RangeDown yields what Range does in descending order, and costs as much: the newest of what is numbered first.
	RangeDown(start, end []byte) iter.Seq2[[]byte, []byte]
	// Seq is the sequence number of the batch that is executed, or that was executed last.
	Seq() uint64
	// Time is the agreed time of that batch. It never goes back.
	Time() time.Time
	// Version is the version of the state, for a Versioned machine; 1 for any other.
	Version() int
}

// Txn is a Reader that sees its own writes. What it wrote is kept when Apply returns and dropped when it panics, and
// also when the result, the writes or the keys that ranges pass exceed a replicated limit, which ends the operation
// with a panic of its own.
type Txn interface {
	Reader
	// Client is the public key that signed the request of the operation: who calls. Nobody else can make a request
	// under it.
	Client() [32]byte
	// Index counts the operations of the batch that were executed before this one: those of the same request, of other
	// clients, and queries among them. No other operation has the same Seq and Index, and later ones have higher ones, so
	// the two make keys that are new and in order. They say nothing of fairness: the primary chooses the order. A client
	// does not know the index of its operation unless the result tells it.
	Index() int
	// Rand is a source of random numbers that are the same on all replicas: it is seeded from Seq, Index and Time, and
	// goes on within the operation. The numbers are unpredictable to nobody. Who knows those three can compute them; the
	// primary chooses them, and can choose what suits it. So they are good to spread load or to shuffle, and not for a
	// lottery, a secret or anything else that somebody gains by.
	Rand() *rand.Rand
	// Put sets key to value; both are copied.
	Put(key, value []byte)
	// Delete removes key, if it is there.
	Delete(key []byte)
}
