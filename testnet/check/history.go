package check

import (
	"fmt"
	"strings"
	"time"
)

// Kind is what an operation does.
type Kind string

// The kinds of operations. The first five are of the key-value store, the others of the bank.
const (
	Put      Kind = "put"
	Get      Kind = "get"
	Delete   Kind = "delete"
	Txn      Kind = "txn"
	Revert   Kind = "revert" // gives the keys that begin with Key their values at a mark; without a mark, removes them
	Open     Kind = "open"
	Transfer Kind = "transfer"
	Balance  Kind = "balance"
	Audit    Kind = "audit"
)

// Op is an operation as a client means it. It is not in the encoding of a machine, because the model must not share code
// with the machine that it checks.
type Op struct {
	Kind   Kind
	Key    string // for the bank: the account, for a transfer the paying one
	Value  string
	To     string // transfer: the account that is paid; put: the mark that it sets; revert: the mark to revert to
	Amount uint64 // for a revert to a mark: the sequence number of the batch that set the mark
	If     []Cond // for a transaction: if all conditions hold, Then is executed, in order, else Else
	Then   []Op
	Else   []Op
}

// Cond is a condition of a transaction: that a key has a value, or does not exist.
type Cond struct {
	Key    string
	Absent bool
	Value  string
}

// Out is what an operation returned.
type Out struct {
	Found   bool   // get: the key exists; delete: the key existed
	Value   string // get
	Version uint64 // get: how often the key was put since it was created; 0: not known
	Held    bool   // txn: all conditions held
	Outs    []Out  // txn: results of the executed operations
	Refused string // bank: one of the refusals below, or ""
	Balance uint64 // of Key, after the operation; audit: the sum of all balances
	Other   uint64 // transfer: the balance of To, after the operation; audit: the number of accounts
}

// The reasons for which the bank refuses an operation.
const (
	AccountExists = "the account exists"
	NoAccount     = "no such account"
	NoRecipient   = "no such recipient"
	Insufficient  = "not enough money"
)

// Call is one operation of a history: what a client asked for, the answer, and when.
type Call struct {
	Client   int
	Op       Op
	Invoked  time.Duration
	Returned time.Duration
	Out      Out
	Known    bool // false: the outcome is unknown, so the operation may happen at any time after Invoked, or never
	// Order is the operation's position in the order in which operations were first executed, from 1. Operations of one
	// batch may have the same position. 0 means that it is not known. It is only a hint for the search, and is checked.
	Order uint64
}

func (c Call) String() string {
	what := []string{string(c.Op.Kind)}
	for _, s := range []string{c.Op.Key, c.Op.To, c.Op.Value} {
		if s != "" {
			what = append(what, s)
		}
	}
	if c.Op.Amount > 0 {
		what = append(what, fmt.Sprint(c.Op.Amount))
	}
	return fmt.Sprintf("client %d: %s → %+v, from %v to %v", c.Client, strings.Join(what, " "), c.Out, c.Invoked, c.Returned)
}
