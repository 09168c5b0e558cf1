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
	Revert   Kind = "revert" // keys that begin with Key, to what they were at a mark, or at the beginning: nothing
	Open     Kind = "open"
	Transfer Kind = "transfer"
	Balance  Kind = "balance"
	Audit    Kind = "audit"
)

// Op is an operation as a client means it, in no machine's encoding: a model here must not share code with the machine
// that it judges.
type Op struct {
	Kind   Kind
	Key    string // of the bank: the account, the paying one
	Value  string
	To     string // the account that is paid; of a put: the mark that it sets, of a revert: the one that it goes back to
	Amount uint64 // of a revert to a mark: the sequence number of the batch that set it
	If     []Cond // of a transaction: if all hold Then is done, in order, else Else; both hold other kinds
	Then   []Op
	Else   []Op
}

// Cond is a condition of a transaction: that a key has a value, or is absent.
type Cond struct {
	Key    string
	Absent bool
	Value  string
}

// Out is what an operation returned.
type Out struct {
	Found   bool   // get: the key exists; delete: it did
	Value   string // get
	Version uint64 // get: how often the key was put since it exists; 0: not told
	Held    bool   // txn: all conditions held
	Outs    []Out  // txn: of the operations that were done
	Refused string // bank: one of the constants below, or ""
	Balance uint64 // of Key, after it; audit: the sum of all
	Other   uint64 // transfer: the balance of To, after it; audit: the number of accounts
}

// Why the bank refuses.
const (
	AccountExists = "the account exists"
	NoAccount     = "no such account"
	NoRecipient   = "no such recipient"
	Insufficient  = "not enough money"
)

// Call is one operation of a history: what a client asked and was told, and when.
type Call struct {
	Client   int
	Op       Op
	Invoked  time.Duration
	Returned time.Duration
	Out      Out
	Known    bool // false: its outcome is unknown, it may happen at any time after Invoked, or never
	// Order is where among all operations it is said to have been executed first, from 1; those of one batch may share a
	// place; 0: nobody says. It is a hint for the search of an order, and proves nothing by itself.
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
