package transfer

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"tagma/statemachine"
)

const (
	slabChunk    = 64 << 10 // bytes of a chunk of the slab; at least twice MaxKey
	slabBits     = 16       // bits of an offset that select a byte within a chunk
	slotBytes    = 12
	expectedKey  = 24 // assumed length of a key, by which memory is divided between slots and keys; not a bound
	minimalIndex = 4 * slabChunk
	maximalIndex = 1 << 32
)

// slot says where the key of one hash is stored. The struct has no padding.
type slot struct{ high, low, offset uint32 }

func (s slot) prefix() uint64 { return uint64(s.high)<<32 | uint64(s.low) }

func comparePrefix(s slot, prefix uint64) int {
	switch p := s.prefix(); {
	case p < prefix:
		return -1
	case p > prefix:
		return 1
	}
	return 0
}

// prefixOf returns the part of a hash by which keys are sorted. The lower of two hashes has the lower prefix, or an
// equal one.
func prefixOf(hash *[32]byte) uint64 { return binary.BigEndian.Uint64(hash[:]) }

// index finds keys by their hashes, within a window of the hash space. It scans the view once for each window, in
// steps. When its memory is full, it drops about the upper half of its keys, and the window ends there.
type index struct {
	view  statemachine.StorageView
	total int // number of keys in the whole state

	low, high uint64 // the window: all prefixes from low to high, inclusive
	slots     []slot // in the order of the scan, later sorted by prefix; its capacity is its limit
	slab      [][]byte
	used      int // bytes of the slab in use, including the unusable ends of chunks
	chunks    int // how many chunks the slab may have

	from    []byte // the key at which the scan continues
	scanned int    // keys that the scan has seen
	through bool   // the scan has seen all keys
	sorting []span
	ready   bool
	moves   int // number of windows begun
	allowed int // how many windows may begin; known once the first one was scanned
}

func newIndex(view statemachine.StorageView, total, limit int) *index {
	limit = max(minimalIndex, min(limit, maximalIndex))
	slots := max(1, min(total, limit/(slotBytes+expectedKey)))
	x := &index{
		view: view, total: total, chunks: max(1, (limit-slots*slotBytes)/slabChunk),
		slots: make([]slot, 0, slots), allowed: math.MaxInt,
	}
	x.begin(0)
	return x
}

// begin starts a new window that reaches from low to the end of the hash space.
func (x *index) begin(low uint64) {
	x.low, x.high = low, math.MaxUint64
	x.slots, x.used = x.slots[:0], 0 // the slab's chunks are reused
	x.from, x.scanned, x.through, x.sorting, x.ready = nil, 0, false, nil, false
	x.moves++
}

// move begins another window for a query outside the present one.
func (x *index) move(low uint64) error {
	if x.moves >= x.allowed {
		return ErrWorn
	}
	x.begin(low)
	return ErrNotReady
}

// size returns the bytes of memory that the index holds.
func (x *index) size() int { return cap(x.slots)*slotBytes + len(x.slab)*slabChunk }

func (x *index) within(hash *[32]byte) bool {
	p := prefixOf(hash)
	return x.low <= p && p <= x.high
}

// find returns the key of a hash within the window. The index must be ready.
func (x *index) find(hash *[32]byte) ([]byte, bool) {
	prefix := prefixOf(hash)
	at, _ := slices.BinarySearchFunc(x.slots, prefix, comparePrefix)
	for ; at < len(x.slots) && x.slots[at].prefix() == prefix; at++ {
		if key := x.key(x.slots[at].offset); sha256.Sum256(key) == *hash {
			return key, true
		}
	}
	return nil, false
}

func (x *index) key(offset uint32) []byte {
	chunk := x.slab[offset>>slabBits][offset&(slabChunk-1):]
	n, size := binary.Uvarint(chunk)
	return chunk[size : size+int(n)]
}

// prepare does one step: it scans or sorts about most keys.
func (x *index) prepare(most int) error {
	if !x.through {
		return x.scan(max(1, most))
	}
	if x.sorting = sortSome(x.slots, x.sorting, max(1, most)); len(x.sorting) == 0 {
		x.ready = true
	}
	return nil
}

func (x *index) scan(most int) error {
	for e, err := range x.view.Scan(x.from, nil) {
		if err != nil {
			return fmt.Errorf("index the keys of the state: %w", err)
		}
		if x.scanned++; x.scanned > x.total {
			return fmt.Errorf("index the keys of the state: more than the %d of the tree: %w", x.total, ErrDamaged)
		}
		hash := sha256.Sum256(e.Key)
		if err := x.add(&hash, e.Key); err != nil {
			return err
		}
		if most--; most == 0 {
			x.from = append(slices.Clone(e.Key), 0)
			return nil
		}
	}
	if x.scanned != x.total {
		return fmt.Errorf("index the keys of the state: %d, the tree has %d: %w", x.scanned, x.total, ErrDamaged)
	}
	x.through, x.sorting = true, []span{{to: len(x.slots), shift: 56}}
	if x.moves == 1 && len(x.slots) > 0 {
		// One receiver needs at most about twice as many windows as would hold all keys; several receivers at different
		// places of the tree need more. A malicious receiver can cause no more than this.
		x.allowed = 16 + 8*(x.total/len(x.slots))
	}
	return nil
}

func (x *index) add(hash *[32]byte, key []byte) error {
	if len(key) > MaxKey {
		return fmt.Errorf("index the keys of the state: one has %d bytes, only %d can be transferred", len(key), MaxKey)
	}
	for x.within(hash) {
		if x.put(prefixOf(hash), key) {
			return nil
		}
		if err := x.shrink(); err != nil {
			return err
		}
	}
	return nil
}

// put stores a key, or returns false if the memory is full.
func (x *index) put(prefix uint64, key []byte) bool {
	size := bytesSize(len(key))
	at := x.used
	if at%slabChunk+size > slabChunk {
		at += slabChunk - at%slabChunk
	}
	chunk := at / slabChunk
	if chunk >= x.chunks || len(x.slots) == cap(x.slots) {
		return false
	}
	if chunk == len(x.slab) {
		x.slab = append(x.slab, make([]byte, slabChunk))
	}
	to := x.slab[chunk][at%slabChunk:]
	n := binary.PutUvarint(to, uint64(len(key)))
	copy(to[n:], key)
	x.slots = append(x.slots, slot{high: uint32(prefix >> 32), low: uint32(prefix), offset: uint32(at)})
	x.used = at + size
	return true
}

// shrink lowers the window's upper end so that about half of the keys are dropped. The slots are in the order of the
// scan, so every kept key moves down in the slab, over memory that was already read.
func (x *index) shrink() error {
	sample := make([]uint64, 0, 1024)
	for i := 0; i < len(x.slots); i += len(x.slots)/cap(sample) + 1 {
		sample = append(sample, x.slots[i].prefix())
	}
	slices.Sort(sample)
	middle := sample[len(sample)/2]
	if middle == sample[0] {
		return fmt.Errorf("index the keys of the state: %d bytes of memory are too few; raise IndexBytes", x.size())
	}
	x.high = middle - 1
	old := x.slots
	x.slots, x.used = x.slots[:0], 0
	var key [MaxKey]byte
	for _, s := range old {
		if s.prefix() < middle {
			k := key[:copy(key[:], x.key(s.offset))]
			x.put(s.prefix(), k)
		}
	}
	return nil
}
