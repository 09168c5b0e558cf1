package statemachine

import (
	"encoding/binary"
	"hash/maphash"
	"math/rand/v2"
)

// recentBytes bounds the memory for recent values. It is allocated only as it is needed.
const recentBytes = 16 << 20

// recent caches the values of the application keys that were written or read most recently, as they are in the view on
// which batches execute. Most operations read the key that they write, and finding a key in the storage takes
// microseconds.
//
// Entries lie in chunks without pointers, which the garbage collector need not scan; a chunk is dropped as a whole. The
// dropped chunk is chosen at random. If it were always the oldest one, a client that reads slightly more keys than fit
// in, again and again in the same order, would never find one in the cache. The memory of a dropped chunk is not reused,
// so values that were returned stay valid until the executor calls set or forget.
type recent struct {
	seed   maphash.Seed
	index  map[uint64]uint32 // by hash of the key: chunk number and offset in the chunk
	chunks [][]byte
	now    int // the chunk that is being filled
	most   int // how many chunks there may be
}

const (
	chunkBits   = 16
	chunkBytes  = 1 << chunkBits
	entryHeader = 8 + 3*4 // hash; lengths of key and value; and the number of bytes reserved for the value
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

// set stores a copy of key and value, in place of the former value if it fits there.
func (r *recent) set(key, value []byte) {
	hash := maphash.Bytes(r.seed, key)
	if e := r.find(hash, key); e != nil && e.room() >= len(value) {
		copy(e[entryHeader+e.keyBytes():], value)
		e.setSize(len(value))
		return
	}
	size := entryHeader + len(key) + len(value)
	if size > chunkBytes/4 { // it would displace too many other entries
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

// forget drops key, whose value must then be read from the storage.
func (r *recent) forget(key []byte) {
	hash := maphash.Bytes(r.seed, key)
	if r.find(hash, key) != nil {
		delete(r.index, hash)
	}
}

// next begins a new chunk, which replaces another one if there are already as many as allowed.
func (r *recent) next() {
	fresh := make([]byte, 0, chunkBytes)
	if len(r.chunks) < r.most {
		r.now = len(r.chunks)
		r.chunks = append(r.chunks, fresh)
		return
	}
	r.now = (r.now + 1 + rand.IntN(r.most-1)) % r.most // any chunk but the one just filled
	for rest, at := entry(r.chunks[r.now]), r.now<<chunkBits; len(rest) > 0; {
		if r.index[rest.hash()] == uint32(at) {
			delete(r.index, rest.hash())
		}
		n := rest.end()
		rest, at = rest[n:], at+n
	}
	r.chunks[r.now] = fresh
}

// remembered is the view on which batches execute, with the cache of recent values in front of it.
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
