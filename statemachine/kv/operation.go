package kv

import (
	"encoding/binary"

	"tagma/statemachine/internal/wire"
)

// An operation is the format version, the type, and the type's fields. Integers are big endian; a key is preceded by
// its length as 2 bytes, a value by its length as 4. Every operation has exactly one encoding.
const formatVersion = 1

type opType uint8

// Operation types. Messages and clients' histories contain the numbers, so none is ever reused.
const (
	opPut         opType = 1 // flags, key, value
	opGet         opType = 2 // key
	opRange       opType = 3 // flags, start, end, limit as 4 bytes
	opDeleteRange opType = 4 // flags, start, end
	opCount       opType = 5 // flags, start, end
	opTxn         opType = 6 // compares and two lists of operations; see txn.go
	opRevert      opType = 7 // sequence number, prefix; see revert.go
	opCompact     opType = 8 // revision; see compact.go
	opAt          opType = 9 // revision, a whole operation as value; see at.go

	opGrant     opType = 10 // nanoseconds; see lease.go, also for the next ones
	opKeepAlive opType = 11 // lease
	opRevoke    opType = 12 // lease
	opLease     opType = 13 // lease
	opLeases    opType = 14 // the first lease
)

const (
	flagPrevious = 1 << 0 // put: return the pair that was replaced
	flagLease    = 1 << 1 // put: a lease follows, to which the key is attached
	flagNoEnd    = 1 << 0 // range: it has no end; the field end must be empty then
)

// operation is a decoded operation of any type. Deleting one key is a range that holds only this key.
type operation struct {
	kind     opType
	previous bool
	key      []byte // start of a range
	end      []byte // nil: no end
	value    []byte
	limit    uint32
	to       uint64 // the sequence number to revert to, a revision, a lease, or a lease's time
	lease    uint64 // the lease of a put; 0 for none
	txn      *txn
	inner    *operation // what is read at a revision
}

// modifies reports whether the operation may change the store.
func (o *operation) modifies() bool {
	switch o.kind {
	case opPut, opDeleteRange, opRevert, opCompact, opGrant, opKeepAlive, opRevoke:
		return true
	case opTxn:
		return o.txn.modifies()
	}
	return false
}

// Put sets key to value. DecodePut reads its result.
func Put(key, value []byte) []byte { return put(0, key, value) }

// PutPrevious is a Put that returns the pair that it replaces.
func PutPrevious(key, value []byte) []byte { return put(flagPrevious, key, value) }

// Get reads one key. DecodeGet reads its result.
func Get(key []byte) []byte { return wire.AppendKey([]byte{formatVersion, byte(opGet)}, key) }

// Range reads the pairs start ≤ key < end, at most limit of them; 0 stands for MaxRangeKeys. A nil end means no end.
// DecodeRange reads its result.
func Range(start, end []byte, limit uint32) []byte {
	return binary.BigEndian.AppendUint32(span(opRange, start, end), limit)
}

// Prefix is Range over the keys that begin with prefix.
func Prefix(prefix []byte, limit uint32) []byte { return Range(prefix, PrefixEnd(prefix), limit) }

// Count counts the keys start ≤ key < end, however many. DecodeCount reads its result.
func Count(start, end []byte) []byte { return span(opCount, start, end) }

// DeleteRange deletes the keys start ≤ key < end. DecodeDeleteRange reads its result.
func DeleteRange(start, end []byte) []byte { return span(opDeleteRange, start, end) }

// Delete deletes one key. DecodeDeleteRange reads its result.
func Delete(key []byte) []byte { return DeleteRange(key, Next(key)) }

// Next returns the lowest key above key. A range that ended with key continues there.
func Next(key []byte) []byte { return append(key[:len(key):len(key)], 0) }

// PrefixEnd returns the end of the range of keys that begin with prefix; nil if no greater key exists.
func PrefixEnd(prefix []byte) []byte {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] != 0xff {
			end := append([]byte{}, prefix[:i+1]...)
			end[i]++
			return end
		}
	}
	return nil
}

func put(flags byte, key, value []byte) []byte {
	b := make([]byte, 0, 3+2+len(key)+4+len(value))
	b = wire.AppendKey(append(b, formatVersion, byte(opPut), flags), key)
	return wire.AppendValue(b, value)
}

func span(kind opType, start, end []byte) []byte {
	flags := byte(0)
	if end == nil {
		flags = flagNoEnd
	}
	b := make([]byte, 0, 3+2+len(start)+2+len(end)+4)
	return wire.AppendKey(wire.AppendKey(append(b, formatVersion, byte(kind), flags), start), end)
}

// knows says which operations exist besides those of the first release. Others are refused as unknown, as they were by
// versions before they existed, so that old batches give the same results when they are executed again.
type knows struct{ reverts, revisions, leases bool }

// decodeOperation reads exactly what the functions above write. The operation refers to op's memory.
func decodeOperation(op []byte, k knows) (operation, Code) {
	c := read(op)
	if c.Byte() != formatVersion {
		return operation{}, c.or(Unknown)
	}
	o := operation{kind: opType(c.Byte())}
	switch o.kind {
	case opPut:
		known := byte(flagPrevious)
		if k.leases {
			known |= flagLease
		}
		flags := c.Flags(known)
		o.previous, o.key, o.value = flags&flagPrevious != 0, c.Key(), c.Value()
		if flags&flagLease != 0 {
			if o.lease = c.Uint64(); o.lease == 0 {
				c.Fail()
			}
		}
	case opGet:
		o.key = c.Key()
	case opRange:
		c.span(&o)
		o.limit = c.Uint32()
	case opDeleteRange, opCount:
		c.span(&o)
	case opTxn:
		var code Code
		if o.txn, code = c.txn(k); code != 0 {
			return operation{}, code
		}
	case opRevert:
		if !k.reverts {
			return operation{}, c.or(Unknown)
		}
		o.to, o.key = c.Uint64(), c.Key()
	case opCompact, opAt:
		if !k.revisions {
			return operation{}, c.or(Unknown)
		}
		o.to = c.Uint64()
		if o.kind == opAt {
			inner, code := decodeOperation(c.Value(), k)
			switch {
			case code != 0:
				return operation{}, code
			case inner.kind == opAt || inner.modifies():
				return operation{}, NotRead
			}
			o.inner = &inner
		}
	case opGrant, opKeepAlive, opRevoke, opLease, opLeases:
		if !k.leases {
			return operation{}, c.or(Unknown)
		}
		o.to = c.Uint64()
	default:
		return operation{}, c.or(Unknown)
	}
	if !c.Done() {
		return operation{}, Malformed
	}
	return o, o.check()
}

// check compares the fields with the limits. A bound of a range may be empty, and may be one byte longer than a key,
// since the end of a range of a single key is.
func (o *operation) check() Code {
	point := o.kind == opPut || o.kind == opGet
	switch {
	case point && (len(o.key) == 0 || len(o.key) > MaxKeyBytes):
		return KeySize
	case len(o.key) > MaxKeyBytes+1 || len(o.end) > MaxKeyBytes+1:
		return KeySize
	case len(o.value) > MaxValueBytes:
		return ValueSize
	}
	return 0
}

func (c *cursor) span(o *operation) {
	flags := c.Flags(flagNoEnd)
	o.key, o.end = c.Key(), c.Key()
	if flags&flagNoEnd == 0 {
		return
	}
	if len(o.end) != 0 {
		c.Fail()
	}
	o.end = nil
}

// cursor reads operations and results.
type cursor struct{ wire.Cursor }

func read(b []byte) *cursor { return &cursor{wire.Cursor{Rest: b}} }

// failed returns a cursor that yields only zeros.
func failed() *cursor { return &cursor{wire.Cursor{Bad: true}} }

// or returns code, or Malformed if anything read before was malformed.
func (c *cursor) or(code Code) Code {
	if c.Bad {
		return Malformed
	}
	return code
}
