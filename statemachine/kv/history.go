package kv

import (
	"bytes"
	"encoding/binary"
	"slices"

	"tagma/statemachine"
	"tagma/statemachine/internal/wire"
)

// The history's key spaces, which only a machine with a History writes. All of it is replicated state, so that every
// replica can tell the same about the past, whatever its storage happens to retain.
//
// A former value is stored under its key and the batch that changed it: the record as it was before that batch, or
// nothing if the key did not exist. Former revisions of the store are kept in the same way, under the empty key. So
// after sequence number s a key had the first former value of a batch above s, or its present value if there is none.
//
// The queue lists all former values in the order in which they were made, in chunks with consecutive numbers, so that
// those which are too old are found and deleted without a search.
var keyHead = []byte{'h'}

const (
	formerPrefix = 'v' // + escaped key + batch
	queuePrefix  = 'q' // + number of the chunk; the value lists batch and key of each entry

	chunkBytes = 512 // a chunk of this length or more is full
	headFormat = 1
)

// head is the history's record about itself.
type head struct {
	floor       uint64 // the oldest state that the history can tell
	revision    uint64 // the store's when head was written; a different one now means that changes were made without history
	batch       uint64 // the last batch that changed anything
	before      uint64 // the store's revision before that batch
	first, last uint64 // numbers of the queue's chunks; the last one is being filled
}

func readHead(r statemachine.Reader) (h head) {
	b, found := r.Get(keyHead)
	if !found {
		return head{}
	}
	c := read(b)
	format := c.Byte()
	h = head{c.Uint64(), c.Uint64(), c.Uint64(), c.Uint64(), c.Uint64(), c.Uint64()}
	if format != headFormat || !c.Done() {
		panic("kv: the head of the history is broken")
	}
	return h
}

func (h *head) encode() []byte {
	b := append(make([]byte, 0, 1+6*8), headFormat)
	for _, n := range [...]uint64{h.floor, h.revision, h.batch, h.before, h.first, h.last} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return b
}

// keeps reports whether the history contains the state after at. Newest is the sequence number of the newest state, and
// rev is the store's present revision.
func (h *head) keeps(at, newest, rev, history uint64) bool {
	floor := h.floor
	if h.revision != rev {
		floor = newest
	}
	return at >= floor && at <= newest && newest-at <= history
}

// chronicle writes the history of one operation.
type chronicle struct {
	tx      statemachine.Txn
	seq     uint64
	history uint64
	head    head
	chunk   []byte // the content of the last chunk
	full    int    // chunks that this operation filled
}

// newChronicle begins the history of an operation that raised the store's revision to rev.
func newChronicle(tx statemachine.Txn, history, rev uint64) *chronicle {
	c := &chronicle{tx: tx, seq: tx.Seq(), history: history, head: readHead(tx)}
	if c.head.revision != rev-1 {
		c.head.floor = c.seq - 1
	}
	c.head.revision = rev
	chunk, _ := tx.Get(queueKey(c.head.last))
	c.chunk = append(make([]byte, 0, chunkBytes+64), chunk...)
	if c.head.batch != c.seq {
		c.head.batch, c.head.before = c.seq, rev-1
		c.write(nil, binary.BigEndian.AppendUint64(nil, rev-1))
	}
	return c
}

// changes must be called before the operation changes a key, with the key's record if it has one. It keeps the value
// from before the batch: if an earlier operation of the same batch changed the key, that value is stored already.
func (c *chronicle) changes(key, record []byte, found bool) {
	if found {
		if pair := decodePair(key, record); pair.ModRevision > c.head.before {
			return
		}
	} else if _, written := c.tx.Get(formerKey(key, c.seq)); written {
		return
	}
	c.write(key, record)
}

func (c *chronicle) write(key, former []byte) {
	c.tx.Put(formerKey(key, c.seq), former)
	c.chunk = wire.AppendKey(binary.BigEndian.AppendUint64(c.chunk, c.seq), key)
	if len(c.chunk) < chunkBytes {
		return
	}
	c.tx.Put(queueKey(c.head.last), c.chunk)
	c.chunk = c.chunk[:0]
	c.head.last++
	c.full++
}

// close ends the operation's history and deletes what is too old: at most one chunk more than the operation filled. So
// one operation never has to delete what many others left. The next operations delete the rest.
func (c *chronicle) close() {
	for n := 0; n <= c.full && c.giveUp(); n++ {
		c.head.first++
	}
	if len(c.chunk) > 0 {
		c.tx.Put(queueKey(c.head.last), c.chunk)
	}
	c.tx.Put(keyHead, c.head.encode())
}

// giveUp deletes the queue's first chunk and the former values that it lists, if all of them are too old.
func (c *chronicle) giveUp() bool {
	newest := c.seq - 1
	if c.head.first == c.head.last || newest <= c.history {
		return false
	}
	chunk, _ := c.tx.Get(queueKey(c.head.first))
	batch := uint64(0)
	for q := read(chunk); len(q.Rest) > 0; q.Key() {
		if batch = q.Uint64(); batch > newest-c.history {
			return false
		}
	}
	if batch == 0 {
		panic("kv: the queue of the history is broken")
	}
	for q := read(chunk); len(q.Rest) > 0; {
		batch := q.Uint64()
		c.tx.Delete(formerKey(q.Key(), batch))
	}
	c.tx.Delete(queueKey(c.head.first))
	c.head.floor = max(c.head.floor, batch)
	return true
}

func queueKey(n uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{queuePrefix}, n)
}

// formerKey is the stored key of the value that key had before batch.
func formerKey(key []byte, batch uint64) []byte {
	return binary.BigEndian.AppendUint64(append(formerStart(key), 0, 1), batch)
}

// formerEnd lies above the stored keys of all former values of key, and below those of every greater key.
func formerEnd(key []byte) []byte { return append(formerStart(key), 0, 2) }

// formerStart is where the former values of key, and of greater keys, begin. Keys are escaped, so that no escaped key
// is a prefix of another and their order is kept: byte 0 becomes 0 255, and 0 1 ends a key.
func formerStart(key []byte) []byte {
	b := append(make([]byte, 0, 1+len(key)+bytes.Count(key, []byte{0})+2+8), formerPrefix)
	for {
		i := bytes.IndexByte(key, 0)
		if i < 0 {
			return append(b, key...)
		}
		b = append(append(b, key[:i]...), 0, 0xff)
		key = key[i+1:]
	}
}

// splitFormer splits the stored key of a former value into the value's own key, escaped, and its batch.
func splitFormer(place []byte) (escaped []byte, batch uint64) {
	at := len(place) - 8
	if at < 3 || place[0] != formerPrefix || place[at-2] != 0 || place[at-1] != 1 {
		panic("kv: the key of a former value is broken")
	}
	return place[1 : at-2], binary.BigEndian.Uint64(place[at:])
}

func unescape(escaped []byte) []byte {
	key := slices.Clone(escaped)
	return bytes.ReplaceAll(key, []byte{0, 0xff}, []byte{0})
}
