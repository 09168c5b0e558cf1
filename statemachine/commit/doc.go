// Package commit lets transactions over several independent clusters take effect in all of them or in none (TX1 to
// TX12). It is the part that every cluster's machine shares: transactions and their encoding, the registry of other
// clusters, the records of transactions, the locks on keys, and the operations Prepare, Decide and Finish.
//
// A group is a cluster with its own members and keys. A transaction has one part for each of its groups, and one of
// these groups is its coordinator. Each of the others prepares its part: it checks the part and locks the keys that the
// part uses. Its receipt says so; a receipt is an attestation by f+1 of its members. When the coordinator gets all
// receipts, it executes its own part and records the decision, in one operation. With the coordinator's receipt, the
// other groups finish. A client that sends these operations is a driver. It decides nothing: it may crash, lie, or be
// replaced by any other client at any step.
//
// A machine takes part by implementing Participant. The package keeps all its state among the machine's keys, under
// Prefix, and a machine must not use keys that begin with it. A machine answers the operations for which Is is true with
// Apply and Query, and asks Written, Read or Range before an ordinary operation changes, or depends on, keys that a
// transaction may have locked.
//
// The package must not read a clock or contact anybody. It must not release a lock because time has passed: only the
// coordinator's decision releases locks (TX4, TX9).
package commit

// Limits of transactions. They are part of the package's definition, not configuration: each decides results.
const (
	MaxParts     = 8         // parts of a transaction; the least number is 2
	MaxPartBytes = 64 << 10  // of one part's operation
	MaxBytes     = 128 << 10 // of an encoded transaction
	MaxLocks     = 512       // keys that one part locks

	// MaxHold is how far the deadline of a transaction may lie ahead of a participant's agreed time when it prepares, in
	// nanoseconds: one hour.
	MaxHold = int64(3600e9)
	// Keep is how long after its deadline the record of a finished transaction is kept at least, in nanoseconds: one hour.
	Keep = int64(3600e9)

	MaxOpen       = 1024 // prepared and not yet finished transactions of a group
	MaxOpenClient = 128  // of those, transactions that one client had prepared
	MaxShared     = 64   // transactions that share the lock on one key

	MaxGroups  = 64  // registered groups
	MaxMembers = 64  // replicas of a registered group
	MaxName    = 32  // bytes of a group's name and of its machine's name
	MaxWhy     = 200 // bytes of a participant's reason
	MaxPending = 100 // transactions in one result of Pending
)
