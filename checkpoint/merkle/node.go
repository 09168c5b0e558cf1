package merkle

// maxDepth is the number of nibbles of a key hash, and so the length of the longest path.
const maxDepth = 64

// ref refers to a child of a node. It is 0 if there is no child, and otherwise the child's number plus one. The top
// bit says that the child is a leaf.
type ref uint32

const leafBit = 1 << 31

func leafRef(i uint32) ref      { return ref(i+1) | leafBit }
func nodeRef(i uint32) ref      { return ref(i + 1) }
func (r ref) isLeaf() bool      { return r&leafBit != 0 }
func (r ref) index() uint32     { return uint32(r&^leafBit) - 1 }
func (r ref) isInnerNode() bool { return r != 0 && !r.isLeaf() }

// leaf holds the hashes from which its digest is computed. The digest itself is not stored, since it costs only one
// short hash.
type leaf struct {
	Leaf
	born uint64 // see pool
}

// node is an inner node. Its sum is its digest unless it is dirty; all nodes below a clean node are clean.
type node struct {
	child [16]ref
	sum   [32]byte
	born  uint64 // see pool
	dirty bool
}

// onlyLeaf returns the node's only child if that is a leaf. If the only child is an inner node, there are at least
// two keys below it, so it does not count.
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

// digest returns the digest of a node, and rehashes the dirty nodes below it. The caller must hold p.mu for writing.
func (p *pool) digest(i uint32) [32]byte {
	n := p.nodes.at(i)
	if !n.dirty {
		return n.sum
	}
	// The children are anywhere in memory. The loop reads all of them before it hashes one, so that the processor
	// loads them at the same time.
	var leaves [16]Leaf
	var sums [16][32]byte
	var bitmap, stale uint16
	for slot, c := range n.child {
		switch {
		case c == 0:
			continue
		case c.isLeaf():
			leaves[slot] = p.leaves.at(c.index()).Leaf
		default:
			below := p.nodes.at(c.index())
			sums[slot] = below.sum
			if below.dirty {
				stale |= 1 << slot
			}
		}
		bitmap |= 1 << slot
	}
	for slot, c := range n.child {
		switch {
		case c.isLeaf():
			sums[slot] = leaves[slot].Digest()
		case stale&(1<<slot) != 0:
			sums[slot] = p.digest(c.index())
		}
	}
	n.sum, n.dirty = DigestOf(&sums, bitmap), false
	return n.sum
}
