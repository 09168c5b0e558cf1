package kv

import (
	"bytes"
	"encoding/binary"
	"slices"

	"tagma/statemachine"
	"tagma/statemachine/internal/wire"
)

// The key spaces of the history, which only a machine with a History writes. Everything in it is replicated state: what a
// replica can tell of the past depends on nothing that it happens to keep.
//
// A former value lies under its key and the batch that changed it: the record as it was before that batch, or nothing if
// there was no such key. The store's revision is kept likewise, under the key without bytes. So the state after sequence
// number s has for a key the first former value of a batch above s, else the value of now.
//
// The queue names all of them in the order in which they were made, in chunks with consecutive numbers: what is too old is
// found and deleted without a search.
var keyHead = []byte{'h'}

const (
	formerPrefix = 'v' // + key, escaped + batch
	queuePrefix  = 'q' // + number of the chunk: batch and key of each entry

	chunkBytes = 512 // a chunk that is so long or longer is full
	headFormat = 1
)

// head is what the history knows of itself.
type head struct {
	floor       uint64 // states below it cannot be told
	revision    uint64 // of the store when it was written: if the store's is another one, changes were made without history
	batch       uint64 // the last one that changed anything,
	before      uint64 // and the store's revision before it
	first, last uint64 // chunks of the queue; the last one is being filled
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

// keeps reports whether the state after at can be told, where newest is the newest state and the store's revision is rev.
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
	chunk   []byte // the last one
	full    int    // chunks that this operation filled
}

// newChronicle begins the history of an operation that made revision rev.
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

// changes is told of a key before the operation changes it, with its record if it has one. What counts is its value before
// the batch: a key that an earlier operation of the batch changed has it written.
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

// close ends the operation's history, and gives up what is too old: at most a chunk more than the operation filled. So no
// operation pays for many others, and what one leaves behind those after it remove.
func (c *chronicle) close() {
	for n := 0; n <= c.full && c.giveUp(); n++ {
		c.head.first++
	}
	if len(c.chunk) > 0 {
		c.tx.Put(queueKey(c.head.last), c.chunk)
	}
	c.tx.Put(keyHead, c.head.encode())
}

// giveUp deletes the first chunk and what it names, if all of it is too old.
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

// formerKey is where the value lies that key had before batch.
func formerKey(key []byte, batch uint64) []byte {
	return binary.BigEndian.AppendUint64(append(formerStart(key), 0, 1), batch)
}

// formerEnd lies above all former values of key, and below those of every greater key.
func formerEnd(key []byte) []byte { return append(formerStart(key), 0, 2) }

// formerStart is where the former values of the keys from key on begin. Keys are escaped, so that none is the beginning of
// another one and their order stays: 0 stands as 0 255, and 0 1 ends a key.
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

// splitFormer takes a former value's place apart.
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
