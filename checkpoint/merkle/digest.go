package merkle

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
)

const (
	leafTag  = "\x11tagma/merkle/leaf"
	innerTag = "\x12tagma/merkle/inner"
)

// Leaf is a key and its value, each as SHA-256.
type Leaf struct{ Key, Value [32]byte }

// Digest returns the digest by which an inner node refers to the leaf.
func (l Leaf) Digest() [32]byte {
	var buf [len(leafTag) + 64]byte
	b := append(buf[:0], leafTag...)
	b = append(b, l.Key[:]...)
	b = append(b, l.Value[:]...)
	return sha256.Sum256(b)
}

// DigestOf returns the digest of an inner node, computed from the digests of its children. Bit i of bitmap says that
// child i exists; the digests of absent children are ignored.
func DigestOf(children *[16][32]byte, bitmap uint16) [32]byte {
	var buf [len(innerTag) + 2 + 16*32]byte
	copy(buf[:], innerTag)
	binary.BigEndian.PutUint16(buf[len(innerTag):], bitmap)
	end := len(innerTag) + 2
	for slot := range children {
		if bitmap&(1<<slot) != 0 {
			end += copy(buf[end:], children[slot][:])
		}
	}
	return sha256.Sum256(buf[:end])
}

// Kind says what a child of an inner node is.
type Kind uint8

// The kinds of children.
const (
	None Kind = iota
	IsLeaf
	Inner
)

// Child is a child of an inner node. Leaf is set only if Kind is IsLeaf; Digest is set unless Kind is None.
type Child struct {
	Kind   Kind
	Digest [32]byte
	Leaf   Leaf
}

// Node is an inner node.
type Node struct{ Children [16]Child }

// Digest computes the node's digest from those of its children.
func (n *Node) Digest() [32]byte {
	var sums [16][32]byte
	var bitmap uint16
	for slot := range n.Children {
		if c := &n.Children[slot]; c.Kind != None {
			bitmap |= 1 << slot
			sums[slot] = c.Digest
		}
	}
	return DigestOf(&sums, bitmap)
}

// SubtreeDigest returns the digest by which a node refers to its child at depth (1 to 64) if exactly these leaves are
// below that child. With one leaf it is that leaf's digest, with more it is an inner node's. Depth 0 is the root, which
// is always an inner node.
//
// It returns false if the leaves are not distinct and ascending by key, do not share their first depth nibbles, or are
// empty at a depth other than 0, where there would be no child. It also returns false for a depth outside 0 to 64. It
// computes fewer than 65 digests per leaf, whatever the leaves.
func SubtreeDigest(depth int, leaves []Leaf) ([32]byte, bool) {
	if depth < 0 || depth > maxDepth || (depth > 0 && len(leaves) == 0) {
		return [32]byte{}, false
	}
	for i := 1; i < len(leaves); i++ {
		if bytes.Compare(leaves[i-1].Key[:], leaves[i].Key[:]) >= 0 {
			return [32]byte{}, false
		}
	}
	// The keys are ascending, so if the first and the last share a prefix, all keys do.
	for d := range depth {
		if nibble(&leaves[0].Key, d) != nibble(&leaves[len(leaves)-1].Key, d) {
			return [32]byte{}, false
		}
	}
	if depth > 0 && len(leaves) == 1 {
		return leaves[0].Digest(), true
	}
	return innerDigest(depth, leaves), true
}

// innerDigest returns the digest of an inner node with these leaves below it, which must be ascending and distinct.
func innerDigest(depth int, leaves []Leaf) [32]byte {
	var sums [16][32]byte
	var bitmap uint16
	for len(leaves) > 0 {
		slot := nibble(&leaves[0].Key, depth)
		end := 1
		for end < len(leaves) && nibble(&leaves[end].Key, depth) == slot {
			end++
		}
		bitmap |= 1 << slot
		if end == 1 {
			sums[slot] = leaves[0].Digest()
		} else {
			sums[slot] = innerDigest(depth+1, leaves[:end])
		}
		leaves = leaves[end:]
	}
	return DigestOf(&sums, bitmap)
}
