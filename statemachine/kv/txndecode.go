package kv

import "bytes"

// txn reads what follows a transaction's type. The first fault that it finds decides the code.
func (c *cursor) txn(k knows) (*txn, Code) {
	t := &txn{}
	n, code := c.count()
	for ; n > 0 && code == 0; n-- {
		var compare Compare
		compare, code = c.compare()
		t.compares = append(t.compares, compare)
	}
	if code == 0 {
		t.then, code = c.branch(k)
	}
	if code == 0 {
		t.orElse, code = c.branch(k)
	}
	return t, code
}

func (c *cursor) count() (int, Code) {
	n := c.Uint16()
	if n > MaxTxnOps {
		return 0, TooManyOps
	}
	return int(n), c.or(0)
}

func (c *cursor) compare() (Compare, Code) {
	compare := Compare{Target: Target(c.Byte()), Relation: Relation(c.Byte()), Key: c.Key()}
	switch compare.Target {
	case TargetVersion, TargetCreateRevision, TargetModRevision:
		compare.Number = c.Uint64()
	case TargetValue:
		compare.Value = c.Value()
	default:
		c.Fail()
	}
	switch {
	case c.Bad || compare.Relation < Equal || compare.Relation > Greater:
		return Compare{}, Malformed
	case len(compare.Key) == 0 || len(compare.Key) > MaxKeyBytes:
		return Compare{}, KeySize
	case len(compare.Value) > MaxValueBytes:
		return Compare{}, ValueSize
	}
	return compare, 0
}

func (c *cursor) branch(k knows) ([]operation, Code) {
	n, code := c.count()
	if code != 0 {
		return nil, code
	}
	branch := make([]operation, n)
	for i := range branch {
		op := c.Value()
		switch {
		case c.Bad:
			return nil, Malformed
		case isKind(op, opTxn), k.reverts && isKind(op, opRevert), k.revisions && (isKind(op, opCompact) || isKind(op, opAt)),
			k.leases && len(op) > 1 && op[0] == formatVersion && opType(op[1]).isLease():
			return nil, Nested
		}
		if branch[i], code = decodeOperation(op, k); code != 0 {
			return nil, code
		}
	}
	return branch, refuseOverlap(branch)
}

func isKind(op []byte, kind opType) bool {
	return len(op) > 1 && op[0] == formatVersion && opType(op[1]) == kind
}

// refuseOverlap refuses a list that would change a key twice in one revision, as etcd does: all puts must be of
// different keys, and of none that a delete of the list covers, whatever the order.
func refuseOverlap(branch []operation) Code {
	for i := range branch {
		if branch[i].kind != opPut {
			continue
		}
		for j := range branch {
			other := &branch[j]
			if j < i && other.kind == opPut && bytes.Equal(other.key, branch[i].key) ||
				other.kind == opDeleteRange && other.spans(branch[i].key) {
				return DuplicateKey
			}
		}
	}
	return 0
}

// spans reports whether a range holds the key.
func (o *operation) spans(key []byte) bool {
	return bytes.Compare(o.key, key) <= 0 && (o.end == nil || bytes.Compare(key, o.end) < 0)
}
