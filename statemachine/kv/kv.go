// Package kv is a replicated key-value store with etcd's data model: one revision for the whole store, raised by one by
// every operation that modifies it, and per key the revisions of its creation and last change and a version that counts
// its changes since it was created.
//
// The package owns the binary forms of operations and results, the limits they keep, and the machine that executes them.
// Everything the machine knows is in application keys, the revision included. It knows nothing of clients, replicas or
// sequence numbers: a revision counts modifications, a sequence number batches.
package kv

// Limits of the store. They are part of its definition, not configuration: each decides results.
const (
	MaxKeyBytes   = 1 << 10
	MaxValueBytes = 128 << 10

	// MaxRangeKeys and MaxRangeBytes bound the pairs in one Range result, keys and values counted. What is beyond is
	// announced by More. A first pair always fits.
	MaxRangeKeys  = 10_000
	MaxRangeBytes = 512 << 10

	// MaxDeleteKeys bounds what one DeleteRange deletes. A range that holds more is left as it is.
	MaxDeleteKeys = 10_000

	// MaxTxnOps bounds the compares and each list of operations of one Txn. What its ranges return is bounded together
	// as that of a single one is, after the pairs of its gets were counted: there a first pair need not fit. What it
	// deletes is bounded together too.
	MaxTxnOps = 128
)

// KeyValue is a key as it is after some revision.
type KeyValue struct {
	Key, Value     []byte
	CreateRevision uint64 // of the put that created the key
	ModRevision    uint64 // of the last put
	Version        uint64 // puts since the key was created, that one included; a deleted key starts again at 1
}

// Code is why an operation was not executed. It is an error with one constant text per code.
type Code uint8

// The codes of operations that changed nothing. 0 is success.
const (
	Malformed   Code = 1 // not an operation's canonical form
	Unknown     Code = 2 // a format version or an operation type of a later release
	KeySize     Code = 3
	ValueSize   Code = 4
	NotRead     Code = 5 // a modifying operation was sent as a read
	TooManyKeys Code = 6

	TooManyOps   Code = 7  // in a transaction
	DuplicateKey Code = 8  // a list of a transaction puts a key twice, or puts and deletes it
	TxnSize      Code = 9  // the gets of a transaction, and the pairs its puts replace, have too many bytes
	Nested       Code = 10 // a transaction or a revert in a transaction

	NotKept    Code = 11 // a revert to a state that is older than the history
	NotYet     Code = 12 // a revert to the state after its own batch or a later one
	RevertSize Code = 13 // a revert would change too much
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
	}
	return "unknown error code of the key-value store"
}
