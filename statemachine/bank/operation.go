package bank

import (
	"encoding/binary"

	"tagma/statemachine/internal/wire"
)

// An operation is the machine's mark, the type, and the type's fields. Integers are big endian; a name is preceded by
// its length as 1 byte. Every operation has exactly one encoding. The mark names machine and format version, so that
// operations of the key-value store, which begin with 1, are refused as unknown.
const mark = 0xb1

type opType uint8

// Operation types. Messages and clients' histories contain the numbers, so none is ever reused.
const (
	opOpen     opType = 1 // name, amount
	opTransfer opType = 2 // payer, recipient, amount
	opBalance  opType = 3 // name
	opHistory  opType = 4 // name, first entry's number, limit as 4 bytes
	opAudit    opType = 5
	opLedgers  opType = 6
	opPart     opType = 7 // a part of a transaction over several clusters, and no operation of its own: see cross.go
)

// operation is a decoded operation of any type.
type operation struct {
	kind     opType
	name, to []byte
	amount   uint64
	first    uint64
	limit    uint32
}

// Open creates an account and mints amount into it. DecodeOpen reads its result.
func Open(name string, amount uint64) []byte {
	return binary.BigEndian.AppendUint64(named(opOpen, name), amount)
}

// Transfer moves amount, at least 1, from one account to another. DecodeTransfer reads its result.
func Transfer(from, to string, amount uint64) []byte {
	b := wire.AppendShort(named(opTransfer, from), []byte(to))
	return binary.BigEndian.AppendUint64(b, amount)
}

// Balance reads an account. DecodeBalance reads its result.
func Balance(name string) []byte { return named(opBalance, name) }

// History reads at most limit of an account's entries, from number first on; limit 0 stands for MaxPage. Entries are
// numbered from 1 in the order of execution. DecodeHistory reads its result.
func History(name string, first uint64, limit uint32) []byte {
	b := binary.BigEndian.AppendUint64(named(opHistory, name), first)
	return binary.BigEndian.AppendUint32(b, limit)
}

// Audit adds up all accounts, however many. DecodeAudit reads its result.
func Audit() []byte { return []byte{mark, byte(opAudit)} }

func named(kind opType, name string) []byte {
	return wire.AppendShort([]byte{mark, byte(kind)}, []byte(name))
}

// unknown is the code of an operation whose type is not known.
func unknown(c *wire.Cursor) Code {
	if c.Bad {
		return Malformed
	}
	return Unknown
}

// decodeOperation reads exactly what the functions above write, as far as a state of this version knows it. The operation
// refers to op's memory.
func decodeOperation(op []byte, version int) (operation, Code) {
	c := wire.Cursor{Rest: op}
	if first := c.Byte(); c.Bad {
		return operation{}, Malformed
	} else if first != mark {
		return operation{}, Unknown
	}
	o := operation{kind: opType(c.Byte())}
	switch o.kind {
	case opOpen:
		o.name, o.amount = c.Short(), c.Uint64()
	case opTransfer:
		o.name, o.to, o.amount = c.Short(), c.Short(), c.Uint64()
	case opBalance:
		o.name = c.Short()
	case opHistory:
		o.name, o.first, o.limit = c.Short(), c.Uint64(), c.Uint32()
	case opAudit:
	case opLedgers:
		if version < crossVersion {
			return operation{}, unknown(&c)
		}
	default:
		return operation{}, unknown(&c)
	}
	if !c.Done() {
		return operation{}, Malformed
	}
	return o, o.check()
}

// check looks at the operation's own fields; it reads no state.
func (o *operation) check() Code {
	switch {
	case o.kind != opAudit && o.kind != opLedgers && !validName(o.name), o.kind == opTransfer && !validName(o.to):
		return BadName
	case o.kind == opTransfer && o.amount == 0:
		return ZeroAmount
	case o.kind == opTransfer && string(o.name) == string(o.to):
		return SameAccount
	}
	return 0
}

func validName(name []byte) bool {
	if len(name) == 0 || len(name) > MaxNameBytes {
		return false
	}
	for _, b := range name {
		if b <= ' ' || b > '~' {
			return false
		}
	}
	return true
}
