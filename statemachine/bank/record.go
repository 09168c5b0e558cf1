package bank

import (
	"encoding/binary"

	"tagma/statemachine"
	"tagma/statemachine/internal/wire"
)

// The application's keys: the supply under one key, each account under a prefix and its name, and each entry of a
// history under a prefix, the length of the name, the name and the entry's number. The length keeps the entries of two
// accounts apart even if one name begins with the other.
var keySupply = []byte{'s'}

const (
	accountPrefix = 'a'
	historyPrefix = 'h'
)

// account is the record of an account.
type account struct {
	balance uint64
	entries uint64 // in its history
	held    uint64 // what transactions under way hold back; only from version 2 of the state on
}

func accountKey(name []byte) []byte {
	return append(append(make([]byte, 0, 1+len(name)), accountPrefix), name...)
}

func entryKey(name []byte, number uint64) []byte {
	b := wire.AppendShort(append(make([]byte, 0, 2+len(name)+8), historyPrefix), name)
	return binary.BigEndian.AppendUint64(b, number)
}

func readAccount(r statemachine.Reader, name []byte) (account, bool) {
	record, found := r.Get(accountKey(name))
	if !found {
		return account{}, false
	}
	return decodeAccount(record), true
}

func (a account) write(tx statemachine.Txn, name []byte) {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, 24), a.balance)
	b = binary.BigEndian.AppendUint64(b, a.entries)
	if a.held != 0 {
		b = binary.BigEndian.AppendUint64(b, a.held)
	}
	tx.Put(accountKey(name), b)
}

// decodeAccount reads a record that this package wrote; a malformed one means that the store is broken, so it panics.
func decodeAccount(record []byte) account {
	c := wire.Cursor{Rest: record}
	a := account{balance: c.Uint64(), entries: c.Uint64()}
	if len(c.Rest) > 0 {
		a.held = c.Uint64()
	}
	if !c.Done() {
		panic("bank: the record of an account is malformed")
	}
	return a
}

// note makes one change to an account: it adds the entry and stores the balance that the entry names.
func (a account) note(tx statemachine.Txn, name []byte, e Entry) {
	a.entries++
	a.balance = e.Balance
	e.Number, e.Seq, e.Time = a.entries, tx.Seq(), tx.Time().UnixNano()
	tx.Put(entryKey(name, e.Number), appendEntry(nil, &e))
	a.write(tx, name)
}

// Entries have the same form in the store and in results.
func appendEntry(b []byte, e *Entry) []byte {
	b = append(binary.BigEndian.AppendUint64(b, e.Number), byte(e.Kind))
	b = wire.AppendShort(b, []byte(e.Other))
	for _, n := range []uint64{e.Amount, e.Balance, e.Seq, uint64(e.Time)} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return b
}

func readEntry(c *wire.Cursor) Entry {
	return Entry{
		Number: c.Uint64(), Kind: Kind(c.Byte()), Other: string(c.Short()),
		Amount: c.Uint64(), Balance: c.Uint64(), Seq: c.Uint64(), Time: int64(c.Uint64()),
	}
}

// supply is the total amount that was ever minted.
func supply(r statemachine.Reader) uint64 {
	b, found := r.Get(keySupply)
	if !found {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}

func setSupply(tx statemachine.Txn, n uint64) {
	tx.Put(keySupply, binary.BigEndian.AppendUint64(nil, n))
}
