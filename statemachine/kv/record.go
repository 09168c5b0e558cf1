package kv

import (
	"encoding/binary"

	"tagma/statemachine"
)

// The application's keys: the revision under one key, and each pair under a prefix and its key.
var keyRevision = []byte{'r'}

const pairPrefix = 'k'

const recordHeader = 3 * 8 // create revision, mod revision, version; the value follows

func pairKey(key []byte) []byte {
	return append(append(make([]byte, 0, 1+len(key)), pairPrefix), key...)
}

// pairEnd is the application key at which a range of pairs ends.
func pairEnd(end []byte) []byte {
	if end == nil {
		return []byte{pairPrefix + 1}
	}
	return pairKey(end)
}

func encodePair(kv *KeyValue) []byte {
	b := make([]byte, 0, recordHeader+len(kv.Value))
	b = binary.BigEndian.AppendUint64(b, kv.CreateRevision)
	b = binary.BigEndian.AppendUint64(b, kv.ModRevision)
	b = binary.BigEndian.AppendUint64(b, kv.Version)
	return append(b, kv.Value...)
}

// decodePair reads a record that this package wrote; a malformed one means that the store is broken, so it panics.
func decodePair(key, record []byte) KeyValue {
	if len(record) < recordHeader {
		panic("kv: the record of a key is too short")
	}
	c := read(record)
	return KeyValue{
		Key: key, CreateRevision: c.Uint64(), ModRevision: c.Uint64(), Version: c.Uint64(), Value: record[recordHeader:],
	}
}

func readPair(r statemachine.Reader, key []byte) (KeyValue, bool) {
	record, found := r.Get(pairKey(key))
	if !found {
		return KeyValue{}, false
	}
	return decodePair(key, record), true
}

// revision is the store's revision: what an empty store begins with, and the number of modifications after that.
func revision(r statemachine.Reader) uint64 {
	rev := revisionRecord(r)
	if rev == 0 && r.Version() >= versionLog {
		return firstRevision
	}
	return rev
}

func revisionRecord(r statemachine.Reader) uint64 {
	b, found := r.Get(keyRevision)
	if !found {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}

func nextRevision(tx statemachine.Txn) uint64 {
	next := revision(tx) + 1
	tx.Put(keyRevision, binary.BigEndian.AppendUint64(nil, next))
	return next
}
