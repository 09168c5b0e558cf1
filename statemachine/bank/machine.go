package bank

import (
	"math"

	"tagma/statemachine"
	"tagma/statemachine/commit"
)

// Machine executes the operations that this package builds. It has no fields: all state is in the transaction.
type Machine struct{}

var _ statemachine.Versioned = Machine{}

// Apply executes one operation. A refused operation returns its code as result and changes nothing.
func (Machine) Apply(tx statemachine.Txn, op []byte) []byte {
	if tx.Version() >= crossVersion && commit.Is(op) {
		return commit.Apply(tx, participant{}, op)
	}
	o, code := decodeOperation(op, tx.Version())
	switch {
	case code != 0:
		return refusal(code)
	case o.kind == opOpen:
		return open(tx, &o)
	case o.kind == opTransfer:
		return transfer(tx, &o)
	}
	return answer(tx, &o)
}

// Query answers an operation that reads.
func (Machine) Query(r statemachine.Reader, op []byte) []byte {
	if r.Version() >= crossVersion && commit.Is(op) {
		return commit.Query(r, participant{}, op)
	}
	o, code := decodeOperation(op, r.Version())
	if code != 0 {
		return refusal(code)
	}
	return answer(r, &o)
}

func answer(r statemachine.Reader, o *operation) []byte {
	switch o.kind {
	case opBalance:
		return balance(r, o)
	case opHistory:
		return history(r, o)
	case opAudit:
		return audit(r)
	case opLedgers:
		return ledgers(r)
	}
	return refusal(NotRead)
}

func open(tx statemachine.Txn, o *operation) []byte {
	total, room := supply(tx), uint64(0)
	if tx.Version() >= crossVersion {
		room = reserved(tx)
	}
	switch _, exists := readAccount(tx, o.name); {
	case exists:
		return refusal(AccountExists)
	case o.amount > math.MaxUint64-total-room:
		return refusal(Overflow)
	}
	total += o.amount
	setSupply(tx, total)
	account{}.note(tx, o.name, Entry{Kind: Opened, Amount: o.amount, Balance: o.amount})
	return encodeNumbers(opOpen, o.amount, total)
}

// transfer cannot overflow: no balance exceeds the supply.
func transfer(tx statemachine.Txn, o *operation) []byte {
	from, exists := readAccount(tx, o.name)
	if !exists {
		return refusal(NoAccount)
	}
	to, exists := readAccount(tx, o.to)
	switch {
	case !exists:
		return refusal(NoRecipient)
	case from.balance < o.amount:
		return refusal(Insufficient)
	case from.balance-from.held < o.amount:
		return refusal(Held)
	case o.amount > math.MaxUint64-to.balance:
		panic("bank: two balances exceed the total supply")
	}
	left, now := from.balance-o.amount, to.balance+o.amount
	from.note(tx, o.name, Entry{Kind: Sent, Other: string(o.to), Amount: o.amount, Balance: left})
	to.note(tx, o.to, Entry{Kind: Received, Other: string(o.name), Amount: o.amount, Balance: now})
	return encodeNumbers(opTransfer, left, now)
}

func balance(r statemachine.Reader, o *operation) []byte {
	a, exists := readAccount(r, o.name)
	if !exists {
		return refusal(NoAccount)
	}
	return encodeNumbers(opBalance, a.balance, a.entries)
}

func history(r statemachine.Reader, o *operation) []byte {
	if _, exists := readAccount(r, o.name); !exists {
		return refusal(NoAccount)
	}
	limit := o.limit
	if limit == 0 || limit > MaxPage {
		limit = MaxPage
	}
	out := beginHistory()
	for _, entry := range r.Range(entryKey(o.name, o.first), entriesEnd(o.name)) {
		if !out.add(entry, limit) {
			break
		}
	}
	return out.bytes
}

// entriesEnd is the key after an account's last possible entry.
func entriesEnd(name []byte) []byte { return append(entryKey(name, math.MaxUint64), 0) }

func audit(r statemachine.Reader) []byte {
	accounts, sum := uint64(0), uint64(0)
	for _, record := range r.Range([]byte{accountPrefix}, []byte{accountPrefix + 1}) {
		accounts++
		sum += decodeAccount(record).balance
	}
	return encodeNumbers(opAudit, supply(r), sum, accounts)
}
