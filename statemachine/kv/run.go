package kv

import (
	"bytes"

	"tagma/statemachine"
)

// run executes one operation. The operations of a transaction share one run, and so share its revision and what ranges
// may return.
type run struct {
	statemachine.Reader
	tx        statemachine.Txn // nil in a query
	raised    uint64           // the revision that this run made; 0 before it modified anything
	crosses   bool             // the state is at a version in which transactions over several clusters lock keys
	machine   *Machine
	chronicle *chronicle // writes the history of version 1; nil before the first modification, and without a history
	log       *logWriter // the same from version 2 on

	leased int // whether there are leases: 0 not known yet, 1 no, 2 yes

	pairs uint32 // how many pairs ranges may still return
	bytes int    // how many bytes these pairs may have
}

func (m *Machine) newRun(r statemachine.Reader, tx statemachine.Txn) *run {
	return &run{Reader: r, tx: tx, machine: m, pairs: MaxRangeKeys, bytes: MaxRangeBytes}
}

func (x *run) do(o *operation) []byte {
	switch o.kind {
	case opPut:
		return x.put(o)
	case opDeleteRange:
		return x.deleteRange(o)
	case opGet:
		pair, found := readPair(x, o.key)
		return encodeGet(revision(x), &pair, found)
	case opRange:
		return x.getRange(o)
	case opCount:
		return x.count(o)
	case opRevert:
		return x.revert(o)
	case opCompact:
		return x.compact(o)
	case opAt:
		return x.readAt(o)
	case opGrant:
		return x.grant(o)
	case opKeepAlive:
		return x.keepAlive(o)
	case opRevoke:
		return x.revoke(o)
	case opLease:
		return x.getLease(o)
	case opLeases:
		return x.listLeases(o)
	}
	return x.transaction(o.txn)
}

// raise returns this run's revision, and makes it at the first call.
func (x *run) raise() uint64 {
	if x.raised == 0 {
		x.raised = nextRevision(x.tx)
		switch keep := x.machine.retention(); {
		case x.Version() >= versionLog && keep.any():
			x.log = newLogWriter(x.tx, &keep, x.raised)
		case x.Version() < versionLog && x.machine.History > 0:
			x.chronicle = newChronicle(x.tx, x.machine.History, x.raised)
		}
	}
	return x.raised
}

// close ends the history of the operation.
func (x *run) close() {
	if x.chronicle != nil {
		x.chronicle.close()
	}
	if x.log != nil {
		x.log.close()
	}
}

// set gives a key a value in this run's revision, and attaches it to a lease unless that is 0. It replaces record, the
// key's present one, if found.
func (x *run) set(key, value, record []byte, found bool, lease uint64) (rev uint64, previous KeyValue) {
	rev = x.raise()
	next := KeyValue{Key: key, Value: value, CreateRevision: rev, ModRevision: rev, Version: 1}
	if found {
		previous = decodePair(key, record)
		next.CreateRevision, next.Version = previous.CreateRevision, previous.Version+1
	}
	if x.chronicle != nil {
		x.chronicle.changes(key, record, found)
	}
	if x.log != nil {
		x.log.put(key, record, found, value)
	}
	x.tx.Put(pairKey(key), encodePair(&next))
	x.attach(key, lease)
	return rev, previous
}

// remove deletes a key, whose record it is given, in this run's revision.
func (x *run) remove(key, record []byte) {
	x.raise()
	if x.chronicle != nil {
		x.chronicle.changes(key, record, true)
	}
	if x.log != nil {
		x.log.remove(key, record)
	}
	x.tx.Delete(pairKey(key))
	x.attach(key, 0)
}

func (x *run) put(o *operation) []byte {
	if code := x.mayAttach(o); code != 0 {
		return refusal(code)
	}
	record, found := x.Get(pairKey(o.key))
	rev, previous := x.set(o.key, o.value, record, found, o.lease)
	return encodePut(rev, &previous, found && o.previous)
}

func (x *run) deleteRange(o *operation) []byte {
	var doomed [][]byte
	for key := range x.Range(pairKey(o.key), pairEnd(o.end)) {
		if len(doomed) == MaxDeleteKeys {
			return refusal(TooManyKeys)
		}
		doomed = append(doomed, bytes.Clone(key))
	}
	rev := revision(x)
	if len(doomed) > 0 {
		rev = x.raise()
	}
	for _, key := range doomed {
		var record []byte
		// Records are read one at a time, because together they may exceed the memory and the limit of one operation.
		if x.chronicle != nil || x.log != nil {
			record, _ = x.Get(key)
		}
		x.remove(key[1:], record)
	}
	return encodeNumber(opDeleteRange, rev, uint64(len(doomed)))
}

func (x *run) getRange(o *operation) []byte {
	limit := o.limit
	if limit == 0 {
		limit = MaxRangeKeys
	}
	out := beginRange(revision(x), min(limit, x.pairs), x.bytes)
	for key, record := range x.Range(pairKey(o.key), pairEnd(o.end)) {
		pair := decodePair(key[1:], record)
		if !out.add(&pair) {
			break
		}
	}
	x.pairs -= out.pairs
	x.bytes -= out.size
	return out.bytes
}

func (x *run) count(o *operation) []byte {
	n := uint64(0)
	for range x.Range(pairKey(o.key), pairEnd(o.end)) {
		n++
	}
	return encodeNumber(opCount, revision(x), n)
}

func (x *run) transaction(t *txn) []byte {
	branch, succeeded := t.choose(x)
	if x.crosses { // never in a query
		if l := heldFor(x.tx, t, branch); l != nil {
			return l.Result()
		}
	}
	if code := x.weigh(branch); code != 0 {
		return refusal(code)
	}
	results := make([][]byte, len(branch))
	for i := range branch {
		results[i] = x.do(&branch[i])
	}
	return encodeTxn(revision(x), succeeded, results)
}

// weigh refuses a list of operations that could exceed a limit, before anything is written, because no write is undone
// later. Ranges may return as many bytes as gets and replaced pairs leave.
func (x *run) weigh(branch []operation) Code {
	doomed := 0
	for i := range branch {
		if code := x.mayAttach(&branch[i]); code != 0 {
			return code
		}
		switch o := &branch[i]; {
		case o.kind == opGet:
			x.bytes -= len(o.key) + max(x.valueBytes(o.key), valuePut(branch, o.key))
		case o.kind == opPut && o.previous:
			x.bytes -= len(o.key) + x.valueBytes(o.key)
		case o.kind == opDeleteRange:
			for range x.Range(pairKey(o.key), pairEnd(o.end)) {
				if doomed++; doomed > MaxDeleteKeys {
					return TooManyKeys
				}
			}
		}
	}
	if x.bytes < 0 {
		return TxnSize
	}
	return 0
}

func (x *run) valueBytes(key []byte) int {
	pair, _ := readPair(x, key)
	return len(pair.Value)
}

// valuePut is the length of the value that a list puts under key; a get in the same list may return it.
func valuePut(branch []operation, key []byte) int {
	for i := range branch {
		if branch[i].kind == opPut && bytes.Equal(branch[i].key, key) {
			return len(branch[i].value)
		}
	}
	return 0
}
