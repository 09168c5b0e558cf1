package kv

import (
	"bytes"
	"cmp"
	"encoding/binary"

	"tagma/statemachine"
	"tagma/statemachine/internal/wire"
)

// Target is what a compare examines of a key.
type Target uint8

// The targets. The first three are numbers, and are 0 for a key that does not exist.
const (
	TargetVersion        Target = 1
	TargetCreateRevision Target = 2
	TargetModRevision    Target = 3
	TargetValue          Target = 4 // compared as bytes; for a key that does not exist no relation holds
)

// Relation is the relation that must hold between what the store has and what the compare names.
type Relation uint8

// The relations.
const (
	Equal    Relation = 1
	NotEqual Relation = 2
	Less     Relation = 3
	Greater  Relation = 4
)

// Compare is one condition of a transaction.
type Compare struct {
	Key      []byte
	Target   Target
	Relation Relation
	Number   uint64 // what to compare with, unless the target is the value
	Value    []byte // what to compare with if the target is the value
}

// Version compares the number of puts since the key was created. Version(key, Equal, 0) holds if the key does not exist.
func Version(key []byte, r Relation, n uint64) Compare {
	return Compare{Key: key, Target: TargetVersion, Relation: r, Number: n}
}

// CreateRevision compares the revision of the put that created the key.
func CreateRevision(key []byte, r Relation, n uint64) Compare {
	return Compare{Key: key, Target: TargetCreateRevision, Relation: r, Number: n}
}

// ModRevision compares the revision of the key's last put.
func ModRevision(key []byte, r Relation, n uint64) Compare {
	return Compare{Key: key, Target: TargetModRevision, Relation: r, Number: n}
}

// Value compares the key's value.
func Value(key []byte, r Relation, v []byte) Compare {
	return Compare{Key: key, Target: TargetValue, Relation: r, Value: v}
}

// Txn executes the operations of then if all compares hold, else those of orElse, as one step. The operations are what
// this package's other functions return, except Txn and Revert. They are executed in order, and each sees the effects
// of those before it. The store's revision rises by one if any of them modifies something. A list that puts a key
// twice, or puts a key that it also deletes, is refused. DecodeTxn reads the result.
func Txn(compares []Compare, then, orElse [][]byte) []byte {
	b := appendCount([]byte{formatVersion, byte(opTxn)}, len(compares))
	for i := range compares {
		b = appendCompare(b, &compares[i])
	}
	return appendBranch(appendBranch(b, then), orElse)
}

// appendCount appends a count, cut off at 65,535: the replicas refuse such a transaction in any case.
func appendCount(b []byte, n int) []byte {
	return binary.BigEndian.AppendUint16(b, uint16(min(n, 1<<16-1)))
}

func appendCompare(b []byte, c *Compare) []byte {
	b = wire.AppendKey(append(b, byte(c.Target), byte(c.Relation)), c.Key)
	if c.Target == TargetValue {
		return wire.AppendValue(b, c.Value)
	}
	return binary.BigEndian.AppendUint64(b, c.Number)
}

func appendBranch(b []byte, ops [][]byte) []byte {
	b = appendCount(b, len(ops))
	for _, op := range ops {
		b = wire.AppendValue(b, op)
	}
	return b
}

// txn is a decoded transaction.
type txn struct {
	compares     []Compare
	then, orElse []operation
}

func (t *txn) modifies() bool {
	for _, branch := range [][]operation{t.then, t.orElse} {
		for i := range branch {
			if branch[i].modifies() {
				return true
			}
		}
	}
	return false
}

// choose evaluates the compares and returns the list to execute.
func (t *txn) choose(r statemachine.Reader) (branch []operation, succeeded bool) {
	for i := range t.compares {
		c := &t.compares[i]
		if pair, found := readPair(r, c.Key); !c.holds(&pair, found) {
			return t.orElse, false
		}
	}
	return t.then, true
}

func (c *Compare) holds(pair *KeyValue, found bool) bool {
	switch c.Target {
	case TargetVersion:
		return c.Relation.holds(cmp.Compare(pair.Version, c.Number))
	case TargetCreateRevision:
		return c.Relation.holds(cmp.Compare(pair.CreateRevision, c.Number))
	case TargetModRevision:
		return c.Relation.holds(cmp.Compare(pair.ModRevision, c.Number))
	}
	return found && c.Relation.holds(bytes.Compare(pair.Value, c.Value))
}

// holds reports whether the relation holds, given the sign of the store's value minus the compare's.
func (r Relation) holds(order int) bool {
	switch r {
	case Equal:
		return order == 0
	case NotEqual:
		return order != 0
	case Less:
		return order < 0
	}
	return order > 0
}
