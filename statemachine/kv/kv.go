// Package kv is a replicated key-value store with etcd's data model. The store has one revision, which every modifying
// operation raises by one. Each key has the revisions of its creation and its last change, and a version that counts
// its changes since it was created.
//
// The package owns the binary forms of operations and results, their limits, and the machine that executes them. All of
// the machine's state is in application keys, including the revision. The machine does not know clients or replicas. A
// revision is not a sequence number: it counts modifications, not batches.
package kv

// Limits of the store. They are part of its definition, not configuration: each decides results.
const (
	MaxKeyBytes   = 1 << 10
	MaxValueBytes = 128 << 10

	// MaxRangeKeys and MaxRangeBytes bound the pairs in one Range result; keys and values count. If more pairs follow,
	// the result's More is set. The first pair is returned however large it is.
	MaxRangeKeys  = 10_000
	MaxRangeBytes = 512 << 10

	// MaxDeleteKeys bounds what one DeleteRange deletes. If the range has more keys, nothing is deleted.
	MaxDeleteKeys = 10_000

	// MaxTxnOps bounds the compares and each list of operations of one Txn. All ranges of a Txn together may return as
	// much as a single Range, less the pairs that its gets return; in a Txn the first pair must keep the bound too. All
	// deletes of a Txn together may delete as much as a single DeleteRange.
	MaxTxnOps = 128
)

// KeyValue is a key with its value, revisions and version at the time of the read.
type KeyValue struct {
	Key, Value     []byte
	CreateRevision uint64 // revision of the put that created the key
	ModRevision    uint64 // revision of the last put
	Version        uint64 // number of puts since the key was created, the first included; a deleted key starts again at 1
}

// Code says why an operation was not executed. As an error it has one constant text per code.
type Code uint8

// The codes of operations that changed nothing. Code 0 stands for success.
const (
	Malformed   Code = 1 // not an operation's canonical form
	Unknown     Code = 2 // a format version or an operation type of a later release
	KeySize     Code = 3
	ValueSize   Code = 4
	NotRead     Code = 5 // a modifying operation was sent as a read
	TooManyKeys Code = 6

	TooManyOps   Code = 7  // in a transaction
	DuplicateKey Code = 8  // one list of a transaction puts a key twice, or puts and deletes it
	TxnSize      Code = 9  // the pairs that a transaction's gets return and its puts replace have too many bytes
	Nested       Code = 10 // a transaction contains a transaction or a revert

	NotKept    Code = 11 // the state that is to be reverted to is older than the history
	NotYet     Code = 12 // the state that is to be reverted to is not older than the revert's own batch
	RevertSize Code = 13 // a revert would change too much

	TooOld         Code = 14 // the history does not reach back to a revision; as an error it is a *Compacted
	NotYetRevision Code = 15 // the store has not reached that revision

	NoLease       Code = 16 // the lease does not exist, or has ended
	LeaseTime     Code = 17 // of a lease that is to be granted
	TooManyLeases Code = 18
)

func (c Code) Error() string {
	switch c {
	case Malformed:
		return "the operation is malformed; build it with this package"
	case Unknown:
		return "the replicas do not know this operation; upgrade them"
	case KeySize:
		return "the key must have 1 to 1024 bytes"
	case ValueSize:
		return "the value must have at most 131072 bytes"
	case NotRead:
		return "the operation modifies the store and cannot be sent as a read"
	case TooManyKeys:
		return "the range holds more than 10000 keys; delete it in parts"
	case TooManyOps:
		return "the transaction has more than 128 compares or operations in a list"
	case DuplicateKey:
		return "a list of the transaction puts a key twice, or puts and deletes it"
	case TxnSize:
		return "the gets of the transaction would return more than 524288 bytes; read in parts"
	case Nested:
		return "a transaction cannot hold another transaction or a revert"
	case NotKept:
		return "the state after that sequence number is older than the history that is kept"
	case NotYet:
		return "that sequence number was not executed before the revert"
	case RevertSize:
		return "it is more than one operation may change or pass, and nothing was changed; revert parts of it, by longer prefixes"
	case TooOld:
		return "the history does not reach back to that revision any more"
	case NotYetRevision:
		return "the store has not reached that revision yet"
	case NoLease:
		return "the lease does not exist, or has ended"
	case LeaseTime:
		return "a lease must last from 1 second to 30 days"
	case TooManyLeases:
		return "there are 100000 leases; revoke some, or wait until some end"
	}
	return "unknown error code of the key-value store"
}
