// Package bank is a replicated state machine of accounts with atomic transfers between them. An account has a name, a
// balance and a history. Opening an account mints its first amount, and nothing else makes or destroys money. So the
// sum of all balances equals the total supply, which the machine also stores: an invariant that is easy to check.
//
// The package owns the binary forms of operations and results, their limits, and the machine that executes them. It
// does not restrict who may spend from an account: every registered client may.
package bank

// Limits of the bank. They are part of its definition, not configuration: each decides results.
const (
	// MaxNameBytes bounds a name. A name has at least one byte and consists of visible ASCII, so that names which look
	// alike are equal.
	MaxNameBytes = 64

	// MaxPage bounds the entries in one History result. If more entries follow, the result's More is set.
	MaxPage = 1000
)

// Kind says what an entry of a history records.
type Kind uint8

// The kinds of entries.
const (
	Opened   Kind = 1
	Sent     Kind = 2
	Received Kind = 3
)

func (k Kind) String() string {
	switch k {
	case Opened:
		return "opened"
	case Sent:
		return "sent"
	case Received:
		return "received"
	}
	return "unknown"
}

// Entry is one change of an account.
type Entry struct {
	Number  uint64 // in the account's history, from 1
	Kind    Kind
	Other   string // the other account of a transfer
	Amount  uint64
	Balance uint64 // of the account, after the change
	Seq     uint64 // sequence number of the batch that made the change
	Time    int64  // agreed time of that batch, nanoseconds since the Unix epoch
}

// Code says why an operation was not executed. As an error it has one constant text per code.
type Code uint8

// The codes of operations that changed nothing. Code 0 stands for success.
const (
	Malformed     Code = 1 // not an operation's canonical form
	Unknown       Code = 2 // a format version or an operation type of a later release, or of another machine
	BadName       Code = 3
	NotRead       Code = 4 // a modifying operation was sent as a read
	AccountExists Code = 5
	NoAccount     Code = 6 // the account that is to pay, or that is asked for, does not exist
	NoRecipient   Code = 7
	SameAccount   Code = 8
	ZeroAmount    Code = 9
	Insufficient  Code = 10
	Overflow      Code = 11 // the total supply would overflow; no balance can exceed it
	Held          Code = 12 // the balance suffices, but transactions under way hold back a part of it
)

func (c Code) Error() string {
	switch c {
	case Malformed:
		return "the operation is malformed; build it with this package"
	case Unknown:
		return "the replicas do not know this operation; upgrade them, or use a cluster of this machine"
	case BadName:
		return "a name must have 1 to 64 visible ASCII characters"
	case NotRead:
		return "the operation modifies accounts and cannot be sent as a read"
	case AccountExists:
		return "the account exists already"
	case NoAccount:
		return "there is no such account"
	case NoRecipient:
		return "there is no account to receive the amount"
	case SameAccount:
		return "an account cannot pay itself"
	case ZeroAmount:
		return "the amount must be at least 1"
	case Insufficient:
		return "the balance is smaller than the amount"
	case Overflow:
		return "all balances together would exceed 18446744073709551615"
	case Held:
		return "a part of the balance is held back for transactions under way, and the rest is smaller than the amount"
	}
	return "unknown error code of the bank"
}
