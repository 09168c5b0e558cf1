package kv

import (
	"bytes"

	"tagma/statemachine"
)

// Machine executes the operations that this package builds. It holds nothing: all state is in the transaction.
type Machine struct{}

var _ statemachine.Machine = Machine{}

// Apply executes one operation. One that is refused gives its code as result and changes nothing.
func (Machine) Apply(tx statemachine.Txn, op []byte) []byte {
	o, code := decodeOperation(op)
	if code != 0 {
		return refusal(code)
	}
	switch o.kind {
	case opPut:
		return applyPut(tx, &o)
	case opDeleteRange:
		return applyDeleteRange(tx, &o)
	}
	return answer(tx, &o)
}

// Query answers an operation that reads.
func (Machine) Query(r statemachine.Reader, op []byte) []byte {
	o, code := decodeOperation(op)
	if code != 0 {
		return refusal(code)
	}
	return answer(r, &o)
}

func answer(r statemachine.Reader, o *operation) []byte {
	switch o.kind {
	case opGet:
		return answerGet(r, o)
	case opRange:
		return answerRange(r, o)
	case opCount:
		return answerCount(r, o)
	}
	return refusal(NotRead)
}

func applyPut(tx statemachine.Txn, o *operation) []byte {
	previous, found := readPair(tx, o.key)
	rev := nextRevision(tx)
	next := KeyValue{Key: o.key, Value: o.value, CreateRevision: rev, ModRevision: rev, Version: 1}
	if found {
		next.CreateRevision, next.Version = previous.CreateRevision, previous.Version+1
	}
	tx.Put(pairKey(o.key), encodePair(&next))
	return encodePut(rev, &previous, found && o.previous)
}

func applyDeleteRange(tx statemachine.Txn, o *operation) []byte {
	var doomed [][]byte
	for key := range tx.Range(pairKey(o.key), pairEnd(o.end)) {
		if len(doomed) == MaxDeleteKeys {
			return refusal(TooManyKeys)
		}
		doomed = append(doomed, bytes.Clone(key))
	}
	rev := revision(tx)
	if len(doomed) > 0 {
		rev = nextRevision(tx)
	}
	for _, key := range doomed {
		tx.Delete(key)
	}
	return encodeNumber(opDeleteRange, rev, uint64(len(doomed)))
}

func answerGet(r statemachine.Reader, o *operation) []byte {
	pair, found := readPair(r, o.key)
	return encodeGet(revision(r), &pair, found)
}

func answerRange(r statemachine.Reader, o *operation) []byte {
	limit := o.limit
	if limit == 0 || limit > MaxRangeKeys {
		limit = MaxRangeKeys
	}
	out := beginRange(revision(r))
	for key, record := range r.Range(pairKey(o.key), pairEnd(o.end)) {
		pair := decodePair(key[1:], record)
		if !out.add(&pair, limit) {
			break
		}
	}
	return out.bytes
}

func answerCount(r statemachine.Reader, o *operation) []byte {
	n := uint64(0)
	for range r.Range(pairKey(o.key), pairEnd(o.end)) {
		n++
	}
	return encodeNumber(opCount, revision(r), n)
}
