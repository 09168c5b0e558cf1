package statemachine

import (
	"iter"
	"math/rand/v2"
	"time"
)

// Machine is an application: the part that a developer writes. Both methods must be deterministic: their results depend only
// on their arguments, never on a clock, randomness, the order of a map, a goroutine or anything else outside the state. A
// panic or a runtime.Goexit in either method is contained: every replica answers with the same constant error and keeps none
// of the operation's writes. An operation that never ends or overflows the stack is not contained: it stops every replica.
// The arguments, and slices read through them, are valid until the method returns; op must not be modified.
//
// A machine may also implement Initializer, Versioned, Historian or Holder. A machine that wraps another one should have a
// method Unwrap that returns the inner machine, so that the inner one's methods are found.
type Machine interface {
	// Apply executes one ordered operation and returns its result. Only one goroutine calls it, one call at a time.
	Apply(tx Txn, op []byte) (result []byte)
	// Query answers an operation that modifies nothing. A request that is ordered as read-only is executed by Query
	// instead of Apply, at its place in the batch. A read of a past state (a client's QueryAt) is executed by Query on
	// that state, concurrently with other queries and with Apply.
	Query(r Reader, op []byte) (result []byte)
}

// Timed is a Machine that also acts when a certain agreed time comes, even if no operation arrives then.
type Timed interface {
	Machine
	// Tick is executed at the beginning of every batch that has an agreed time, before its operations. In it, Client is zero
	// and Index is 0, and the limits of one operation apply. If it panics or exceeds a limit, nothing that it wrote is kept.
	// What it has to do may exceed the limits of one operation, so it should do a bounded part, and have the rest due.
	Tick(tx Txn)
	// Due returns the agreed time at which a batch should be ordered for Tick although no operation arrives, in nanoseconds
	// since the Unix epoch; 0 for none. It is asked after each batch. The batch may come later, and others may come earlier.
	// If it panics, nothing is due. Such batches are at least MinTickInterval apart.
	Due(r Reader) int64
}

// MinTickInterval is the least time between two batches that are ordered for Tick alone.
const MinTickInterval = 10 * time.Millisecond

// Historian is a Machine whose state contains some of its own past. The Service asks it for a past state that the storage no
// longer holds. How far back a storage reaches differs between replicas; what is in the state is the same on all of them.
type Historian interface {
	Machine
	// QueryPast answers as Query would have on the state after sequence number at, which is older than the state of r.
	// It returns kept = false if the state that r reads does not contain that past state.
	QueryPast(r Reader, op []byte, at uint64) (result []byte, kept bool)
}

// Holder is a Machine in whose state transactions over several clusters may hold keys or amounts (package commit).
type Holder interface {
	Machine
	// Held says how much they hold, for an operator.
	Held(r Reader) Held
}

// Held is what transactions over several clusters hold in a state.
type Held struct {
	Transactions uint64        // prepared, and not finished
	Locks        uint64        // keys that they lock
	Oldest       time.Duration // how long the oldest is prepared, by agreed time
}

// Reader reads the application's keys in the state after one sequence number. Returned slices must not be modified.
type Reader interface {
	// Get returns the value under key.
	Get(key []byte) (value []byte, found bool)
	// Range yields the keys start ≤ key < end in ascending order with their values. A nil end means no end. In a Txn
	// every step reads the current state, so the loop also sees what it writes ahead of its position.
	Range(start, end []byte) iter.Seq2[[]byte, []byte]
	// RangeDown yields the same keys in descending order, at the same cost.
	RangeDown(start, end []byte) iter.Seq2[[]byte, []byte]
	// Seq is the sequence number of the batch that is being executed, or for a query that of the state that it reads.
	Seq() uint64
	// Time is the agreed time of that batch. It never decreases.
	Time() time.Time
	// Version is the version of the state of a Versioned machine; 1 for any other machine. It costs nothing.
	Version() int
	// Administrator reports whether a client is an administrator of the cluster, by its public key. Every replica has the
	// same list, which can change only while all replicas are stopped.
	Administrator(client [32]byte) bool
	// Cluster is the identity under which the cluster's replicas sign: a hash that other clusters know it by. It is zero in
	// a Service whose Limits do not name one. It costs nothing.
	Cluster() [32]byte
}

// Txn is a Reader that sees its own writes. The writes are kept when Apply returns. They are dropped when Apply panics,
// or when the result, the writes or the keys passed by ranges exceed a replicated limit; exceeding a limit ends the
// operation by a panic.
type Txn interface {
	Reader
	// Client is the public key that signed the operation's request, and so tells who calls. Nobody else can make a
	// request under this key.
	Client() [32]byte
	// Index is the number of operations of the batch that were executed before this one, including operations of other
	// clients and queries. No two operations have the same Seq and Index, and both rise in the order of execution, so
	// together they make keys that are unique and ordered. They say nothing about fairness: the primary chooses the
	// order. A client learns the index of its operation only if the result contains it.
	Index() int
	// Rand is a source of random numbers that are the same on all replicas. It is seeded from Seq, Index and Time, and
	// each operation has its own. The numbers are predictable: whoever knows these three values can compute them, and
	// the primary, which chooses the values, can choose numbers that suit it. So they are good for spreading load or
	// shuffling, but not for a lottery, a secret or anything else by which somebody could gain.
	Rand() *rand.Rand
	// Verify reports whether key signed message, by the one rule for all signatures of the system (S1), which refuses keys
	// that are not canonical or of small order. Each signature costs 80 units, and an operation may verify at most 512.
	Verify(key [32]byte, message []byte, signature [64]byte) bool
	// Put sets key to value; both are copied.
	Put(key, value []byte)
	// Delete removes key; it does nothing if the key does not exist.
	Delete(key []byte)
}
