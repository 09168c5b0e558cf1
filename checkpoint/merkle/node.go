package merkle

import (
	"crypto/sha256"
	"encoding/binary"
)

// maxDepth is the number of nibbles of a key hash: no path is longer.
const maxDepth = 2 * sha256.Size

// ref is a child of a node: nothing (0), a leaf or a node. Numbers are stored plus one, with the top bit marking a leaf.
type ref uint32

const leafBit = 1 << 31

func leafRef(i uint32) ref      { return ref(i+1) | leafBit }
func nodeRef(i uint32) ref      { return ref(i + 1) }
func (r ref) isLeaf() bool      { return r&leafBit != 0 }
func (r ref) index() uint32     { return uint32(r&^leafBit) - 1 }
func (r ref) isInnerNode() bool { return r != 0 && !r.isLeaf() }

// leaf holds what its digest is computed from; the digest itself costs one short hash and is not kept.
type leaf struct{ key, value [32]byte }

// node is an inner node. sum is its digest unless dirty; a clean node has only clean nodes below it.
type node struct {
	child [16]ref
	sum   [32]byte
	dirty bool
}

// onlyLeaf returns the node's single child if that is a leaf. A single inner child stays: two keys share its path.
func (n *node) onlyLeaf() (only ref, ok bool) {
	for _, c := range n.child {
		switch {
		case c == 0:
		case c.isInnerNode() || ok:
			return 0, false
		default:
			only, ok = c, true
		}
	}
	return only, ok
}

func nibble(key *[32]byte, depth int) byte {
	b := key[depth/2]
	if depth%2 == 0 {
		return b >> 4
	}
	return b & 15
}

const (
	leafTag  = "\x11tagma/merkle/leaf"
	innerTag = "\x12tagma/merkle/inner"
)

func (l *leaf) digest() [32]byte {
	var buf [len(leafTag) + 64]byte
	b := append(buf[:0], leafTag...)
	b = append(b, l.key[:]...)
	b = append(b, l.value[:]...)
	return sha256.Sum256(b)
}

// digest returns the node's digest, rehashing the dirty nodes below it.
func (t *Tree) digest(i uint32) [32]byte {
	n := t.nodes.at(i)
	if !n.dirty {
		return n.sum
	}
	// The children lie anywhere in memory. Fetching them all before any is hashed lets the processor wait for all at once.
	var leaves [16]leaf
	var sums [16][32]byte
	var stale uint16
	for slot, c := range n.child {
		switch {
		case c == 0:
		case c.isLeaf():
			leaves[slot] = *t.leaves.at(c.index())
		default:
			below := t.nodes.at(c.index())
			sums[slot] = below.sum
			if below.dirty {
				stale |= 1 << slot
			}
		}
	}
	var buf [len(innerTag) + 2 + 16*32]byte
	copy(buf[:], innerTag)
	bitmap, end := uint16(0), len(innerTag)+2
	for slot, c := range n.child {
		switch {
		case c == 0:
			continue
		case c.isLeaf():
			sums[slot] = leaves[slot].digest()
		case stale&(1<<slot) != 0:
			sums[slot] = t.digest(c.index())
		}
		bitmap |= 1 << slot
		end += copy(buf[end:], sums[slot][:])
	}
	if bitmap == 0 && i != t.top {
		panic("merkle: an inner node below the root has no children")
	}
	binary.BigEndian.PutUint16(buf[len(innerTag):], bitmap)
	n.sum, n.dirty = sha256.Sum256(buf[:end]), false
	return n.sum
}
