package statemachine

import (
	"encoding/binary"
	"hash/maphash"
	"math/rand/v2"
)

// recentBytes bounds what a service keeps of recent values. Memory is taken as it is needed.
const recentBytes = 16 << 20

// recent holds the newest values of the application keys that were written or read last, as they are in the view that
// batches execute on. Most operations read the key that they write, and a storage takes microseconds to find it.
//
// Entries lie in chunks without pointers, so the collector has nothing to scan; a chunk gives way as a whole. Which one is
// drawn by lot: if it were the oldest, going round keys that take a little more than there is room for would never find one.
// A chunk is never filled again: values that were handed out stay what they are until the executor calls set or forget.
type recent struct {
	seed   maphash.Seed
	index  map[uint64]uint32 // by hash of the key: number of the chunk and offset in it
	chunks [][]byte
	now    int // the chunk that is filled
	most   int // chunks
}

const (
	chunkBits   = 16
	chunkBytes  = 1 << chunkBits
	entryHeader = 8 + 3*4 // hash; lengths of key and value, and the room for a value
)

func newRecent(bytes int) *recent {
	return &recent{seed: maphash.MakeSeed(), index: make(map[uint64]uint32), most: max(bytes>>chunkBits, 2)}
}

// entry is one key with its value in a chunk.
type entry []byte

func (e entry) hash() uint64  { return binary.LittleEndian.Uint64(e) }
func (e entry) keyBytes() int { return int(binary.LittleEndian.Uint32(e[8:])) }
func (e entry) size() int     { return int(binary.LittleEndian.Uint32(e[12:])) }
func (e entry) room() int     { return int(binary.LittleEndian.Uint32(e[16:])) }
func (e entry) key() []byte   { return e[entryHeader : entryHeader+e.keyBytes()] }
func (e entry) value() []byte {
	at := entryHeader + e.keyBytes()
	return e[at : at+e.size() : at+e.size()]
}
func (e entry) end() int            { return entryHeader + e.keyBytes() + e.room() }
func (e entry) setSize(n int)       { binary.LittleEndian.PutUint32(e[12:], uint32(n)) }
func (r *recent) at(p uint32) entry { return entry(r.chunks[p>>chunkBits][p&(chunkBytes-1):]) }

// find returns the entry of key, or nil.
func (r *recent) find(hash uint64, key []byte) entry {
	at, ok := r.index[hash]
	if !ok {
		return nil
	}
	if e := r.at(at); string(e.key()) == string(key) {
		return e
	}
	return nil
}

func (r *recent) get(key []byte) (value []byte, ok bool) {
	e := r.find(maphash.Bytes(r.seed, key), key)
	if e == nil {
		return nil, false
	}
	return e.value(), true
}

// set gives key its value, in place where there is room. It copies both.
func (r *recent) set(key, value []byte) {
	hash := maphash.Bytes(r.seed, key)
	if e := r.find(hash, key); e != nil && e.room() >= len(value) {
		copy(e[entryHeader+e.keyBytes():], value)
		e.setSize(len(value))
		return
	}
	size := entryHeader + len(key) + len(value)
	if size > chunkBytes/4 { // it would push out too many others
		delete(r.index, hash)
		return
	}
	if len(r.chunks) == 0 || len(r.chunks[r.now])+size > chunkBytes {
		r.next()
	}
	c := r.chunks[r.now]
	r.index[hash] = uint32(r.now<<chunkBits | len(c))
	c = binary.LittleEndian.AppendUint64(c, hash)
	c = binary.LittleEndian.AppendUint32(c, uint32(len(key)))
	c = binary.LittleEndian.AppendUint32(c, uint32(len(value)))
	c = binary.LittleEndian.AppendUint32(c, uint32(len(value)))
	r.chunks[r.now] = append(append(c, key...), value...)
}

// forget drops key: its value is that of the storage.
func (r *recent) forget(key []byte) {
	hash := maphash.Bytes(r.seed, key)
	if r.find(hash, key) != nil {
		delete(r.index, hash)
	}
}

// next begins a chunk, in the place of another one when there are as many as may be.
func (r *recent) next() {
	fresh := make([]byte, 0, chunkBytes)
	if len(r.chunks) < r.most {
		r.now = len(r.chunks)
		r.chunks = append(r.chunks, fresh)
		return
	}
	r.now = (r.now + 1 + rand.IntN(r.most-1)) % r.most // any but the one just filled
	for rest, at := entry(r.chunks[r.now]), r.now<<chunkBits; len(rest) > 0; {
		if r.index[rest.hash()] == uint32(at) {
			delete(r.index, rest.hash())
		}
		n := rest.end()
		rest, at = rest[n:], at+n
	}
	r.chunks[r.now] = fresh
}

// remembered is the view that batches execute on, with what is recent in front of it.
type remembered struct {
	StorageView
	recent *recent
}

func (v *remembered) Get(key []byte) (value []byte, found bool, err error) {
	if value, found = v.recent.get(key); found {
		return value, true, nil
	}
	value, found, err = v.StorageView.Get(key)
	if found && err == nil {
		v.recent.set(key, value)
	}
	return value, found, err
}
