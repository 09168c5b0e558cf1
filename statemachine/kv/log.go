package kv

import (
	"encoding/binary"
	"time"

	"tagma/statemachine"
	"tagma/statemachine/internal/wire"
)

// From version 2 of the state on, the history is a log of changes by revision. Each entry holds a key with its record
// before and after one revision; so the log tells both what changed (for watchers) and what was before (for reads of the
// past). The entries lie in chunks with consecutive numbers, each written as a whole, because a key of its own for each
// former value costs every replica as much as the put itself. There is no index by key: a record has the revision of its
// own put, and the entry of that revision has the record before it. A deleted key has no record, so its tombstone has the
// revision that deleted it.
var keyLog = []byte{'l'}

const (
	logPrefix  = 'e' // + number of the chunk
	tombPrefix = 'd' // + key; the value is the revision that deleted it

	logFormat     = 1
	logChunkBytes = 2 << 10 // a chunk of this length or more is full
	chunkHeader   = 3 * 8   // of its last entry: revision, batch, and agreed time as Unix nanoseconds; the entries follow

	firstRevision = 1 // of an empty store, as in etcd
)

// Keep says how much of its past a store keeps, from version 2 of the state on. Zero fields do not count, and the
// shortest of the others does. Whatever it says, Compact gives up more.
type Keep struct {
	Revisions uint64        // this many revisions back
	Age       time.Duration // changes that are this old, by agreed time
	All       bool          // until somebody compacts
}

// logHead is the log's record about itself. It changes only with a chunk's end, a compaction or a delete.
type logHead struct {
	first, last uint64 // numbers of the chunks; the last one is being filled, and may not exist yet
	oldest      uint64 // the oldest revision whose state can be told (C of Compacted)
	base        uint64 // the last revision that is not in the log any more, or was made before it
	baseSeq     uint64 // the batch that made it
	closed      uint64 // the last revision in a chunk that is full
	tombs       uint64 // tombstones
	old         bool   // the state has a history of version 1 that is not deleted yet
}

func readLogHead(r statemachine.Reader) (h logHead, found bool) {
	b, found := r.Get(keyLog)
	if !found {
		return logHead{}, false
	}
	c := read(b)
	format := c.Byte()
	h = logHead{c.Uint64(), c.Uint64(), c.Uint64(), c.Uint64(), c.Uint64(), c.Uint64(), c.Uint64(), c.Flags(1) != 0}
	if format != logFormat || !c.Done() {
		panic("kv: the head of the log is broken")
	}
	return h, true
}

func (h *logHead) encode() []byte {
	b := append(make([]byte, 0, 2+7*8), logFormat)
	for _, n := range [...]uint64{h.first, h.last, h.oldest, h.base, h.baseSeq, h.closed, h.tombs} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	if h.old {
		return append(b, 1)
	}
	return append(b, 0)
}

// entry is one change of one key.
type entry struct {
	rev, seq uint64
	key      []byte
	former   []byte // the record before; empty if the key did not exist
	deleted  uint64 // without a former record: the revision that deleted the key before; 0 if the log does not tell of one
	remove   bool   // the change is a delete
	value    []byte // unless it is one
}

const (
	entryFormer = 1 << 0
	entryDelete = 1 << 1
)

func (e *entry) size() int {
	return 8 + 8 + 1 + 2 + len(e.key) + max(8, 4+len(e.former)) + 4 + len(e.value)
}

func (e *entry) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, e.rev), e.seq)
	flags := byte(0)
	if len(e.former) > 0 {
		flags |= entryFormer
	}
	if e.remove {
		flags |= entryDelete
	}
	b = wire.AppendKey(append(b, flags), e.key)
	if len(e.former) > 0 {
		b = wire.AppendValue(b, e.former)
	} else {
		b = binary.BigEndian.AppendUint64(b, e.deleted)
	}
	if !e.remove {
		b = wire.AppendValue(b, e.value)
	}
	return b
}

// entry reads one entry of a chunk, which this package wrote.
func (c *cursor) entry() (e entry) {
	e.rev, e.seq = c.Uint64(), c.Uint64()
	flags := c.Flags(entryFormer | entryDelete)
	e.key, e.remove = c.Key(), flags&entryDelete != 0
	if flags&entryFormer != 0 {
		e.former = c.Value()
	} else {
		e.deleted = c.Uint64()
	}
	if !e.remove {
		e.value = c.Value()
	}
	if c.Bad {
		panic("kv: a chunk of the log is broken")
	}
	return e
}

// after is the pair that the change made.
func (e *entry) after() KeyValue {
	pair := KeyValue{Key: e.key, Value: e.value, CreateRevision: e.rev, ModRevision: e.rev, Version: 1}
	if before := e.before(); before != nil {
		pair.CreateRevision, pair.Version = before.CreateRevision, before.Version+1
	}
	return pair
}

// before is the pair that the change replaced; nil if there was none.
func (e *entry) before() *KeyValue {
	if len(e.former) == 0 {
		return nil
	}
	pair := decodePair(e.key, e.former)
	return &pair
}

func logKey(n uint64) []byte { return binary.BigEndian.AppendUint64([]byte{logPrefix}, n) }

func tombKey(key []byte) []byte {
	return append(append(make([]byte, 0, 1+len(key)), tombPrefix), key...)
}

// chunkEnd is what the header of a chunk says of its last entry.
func chunkEnd(chunk []byte) (rev, seq uint64, at int64) {
	c := read(chunk)
	rev, seq, at = c.Uint64(), c.Uint64(), int64(c.Uint64())
	if c.Bad {
		panic("kv: a chunk of the log has no header")
	}
	return rev, seq, at
}

// tombstone returns the revision that deleted a key; 0 if the log tells of none.
func tombstone(r statemachine.Reader, key []byte) uint64 {
	b, found := r.Get(tombKey(key))
	if !found {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}
