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
	slabChunk    = 64 << 10 // of at least twice MaxKey
	slabBits     = 16       // of an offset that count within a chunk
	slotBytes    = 12
	expectedKey  = 24 // bytes that a key takes: how the memory is divided between slots and keys, not a bound
	minimalIndex = 4 * slabChunk
	maximalIndex = 1 << 32
)

// slot is where the key of one hash lies. It has no padding.
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

// prefixOf returns what keys are sorted by. Of two hashes the lower one has the lower prefix, or they share it.
func prefixOf(hash *[32]byte) uint64 { return binary.BigEndian.Uint64(hash[:]) }

// index finds the keys of hashes within a window of the hash space. It scans the view once for each window, in steps. When
// its memory is full it gives up the upper half of what it has, and the window ends there.
type index struct {
	view  statemachine.StorageView
	total int // keys in the whole state

	low, high uint64 // the window: prefixes from low to high, both within
	slots     []slot // in the order of the scan, and by prefix once sorted; its capacity is its limit
	slab      [][]byte
	used      int // bytes of the slab's chunks that hold keys, its unusable ends included
	chunks    int // limit of the slab

	from    []byte // where the scan goes on
	scanned int    // keys it has seen
	through bool   // it has seen all
	sorting []span
	ready   bool
	moves   int // windows begun
	allowed int // windows that may begin, known once the first was scanned
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

// begin starts over with a window from low to the end of the hash space.
func (x *index) begin(low uint64) {
	x.low, x.high = low, math.MaxUint64
	x.slots, x.used = x.slots[:0], 0 // the slab's chunks stay for the new keys
	x.from, x.scanned, x.through, x.sorting, x.ready = nil, 0, false, nil, false
	x.moves++
}

// move is begin for a query that falls outside the window.
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

// find returns the key of a hash within the window. The index is ready.
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

// prepare does a step: it scans or sorts about most keys.
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
		// One receiver needs up to twice as many windows as would hold all keys, and those that are in different places need
		// more. A malicious one costs no more than that.
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

// put appends a key unless the memory is full.
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

// shrink lowers the window's upper end so that about half of the keys are given up. The slots are in the order of the scan,
// so every key moves down in the slab, onto memory that was read already.
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
