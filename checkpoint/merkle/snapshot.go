package merkle

import "slices"

// Snapshot is a tree as it was at one moment. Any goroutine may call its methods, even while the tree changes.
type Snapshot struct {
	pool  *pool
	epoch uint64
	top   uint32
	root  [32]byte
	size  int

	// Guarded by pool.mu.
	dead     []ref // parts that the previous snapshot holds and this one does not
	released bool
}

// Release frees the memory that only this snapshot holds. Releasing it twice is harmless.
func (s *Snapshot) Release() {
	s.pool.mu.Lock()
	defer s.pool.mu.Unlock()
	if s.released {
		return
	}
	s.pool.remove(slices.Index(s.pool.snapshots, s))
	s.released, s.dead = true, nil
}

// Clone returns another snapshot of the same tree, which must be released separately. It returns nil after Release.
func (s *Snapshot) Clone() *Snapshot {
	s.pool.mu.Lock()
	defer s.pool.mu.Unlock()
	if s.released {
		return nil
	}
	c := &Snapshot{pool: s.pool, epoch: s.epoch, top: s.top, root: s.root, size: s.size}
	// The tree did not change between the snapshot and its clone, so the clone has no dead parts.
	s.pool.snapshots = slices.Insert(s.pool.snapshots, slices.Index(s.pool.snapshots, s)+1, c)
	return c
}

// Root returns the digest of the whole tree, also after Release.
func (s *Snapshot) Root() [32]byte { return s.root }

// Len returns the number of keys, also after Release.
func (s *Snapshot) Len() int { return s.size }

// Node returns the inner node at path, which consists of nibbles (0 to 15) from the root. The empty path is the root,
// which is always an inner node. It returns false if path leads to no inner node, cannot exist, or after Release.
func (s *Snapshot) Node(path []byte) (Node, bool) {
	s.pool.mu.RLock()
	defer s.pool.mu.RUnlock()
	if s.released {
		return Node{}, false
	}
	return s.pool.node(s.top, path)
}

// Leaf is Tree.Leaf for the snapshot. It returns false after Release.
func (s *Snapshot) Leaf(key [32]byte) (value [32]byte, found bool) {
	s.pool.mu.RLock()
	defer s.pool.mu.RUnlock()
	if s.released {
		return value, false
	}
	return s.pool.leaf(s.top, &key)
}

// Leaves returns the leaves whose keys begin with path, ascending by key. If there are more than most, or after
// Release, it returns nil and false.
func (s *Snapshot) Leaves(path []byte, most int) (leaves []Leaf, whole bool) {
	s.pool.mu.RLock()
	defer s.pool.mu.RUnlock()
	if s.released {
		return nil, false
	}
	return s.pool.leavesBelow(s.top, path, most)
}

// find walks along path and returns what it leads to: the inner node at path, or the leaf at or before the end of path,
// or 0. It checks every nibble, so a path may come from a peer.
func (p *pool) find(top uint32, path []byte) ref {
	at := nodeRef(top)
	for depth, slot := range path {
		switch {
		case slot > 15 || depth >= maxDepth || at == 0:
			return 0
		case at.isInnerNode():
			at = p.nodes.at(at.index()).child[slot]
		case nibble(&p.leaves.at(at.index()).Key, depth) != slot:
			return 0
		}
		// The walk has compared all nibbles that lead to this leaf; the loop compares the rest of the path with its
		// key.
	}
	return at
}

// leaf returns the digest of a key's value. The caller must hold p.mu.
func (p *pool) leaf(top uint32, key *[32]byte) (value [32]byte, found bool) {
	at := nodeRef(top)
	for depth := 0; at.isInnerNode(); depth++ {
		at = p.nodes.at(at.index()).child[nibble(key, depth)]
	}
	if at == 0 {
		return value, false
	}
	l := &p.leaves.at(at.index()).Leaf
	return l.Value, l.Key == *key
}

// node returns the inner node at path. The tree below top must be clean, and the caller must hold p.mu.
func (p *pool) node(top uint32, path []byte) (out Node, ok bool) {
	at := p.find(top, path)
	if !at.isInnerNode() {
		return Node{}, false
	}
	for slot, c := range p.nodes.at(at.index()).child {
		switch {
		case c == 0:
		case c.isLeaf():
			l := p.leaves.at(c.index()).Leaf
			out.Children[slot] = Child{Kind: IsLeaf, Digest: l.Digest(), Leaf: l}
		default:
			out.Children[slot] = Child{Kind: Inner, Digest: p.nodes.at(c.index()).sum}
		}
	}
	return out, true
}

// leavesBelow returns the leaves below path, or false if there are more than most. The caller must hold p.mu.
func (p *pool) leavesBelow(top uint32, path []byte, most int) ([]Leaf, bool) {
	leaves, whole := p.gather(nil, p.find(top, path), most)
	if !whole {
		return nil, false
	}
	return leaves, true
}

// gather appends the leaves at and below r. At the first leaf beyond most it stops and returns false.
func (p *pool) gather(to []Leaf, r ref, most int) (leaves []Leaf, whole bool) {
	switch {
	case r == 0:
		return to, true
	case r.isLeaf() && len(to) >= most:
		return to, false
	case r.isLeaf():
		return append(to, p.leaves.at(r.index()).Leaf), true
	}
	for _, c := range p.nodes.at(r.index()).child {
		if to, whole = p.gather(to, c, most); !whole {
			return to, false
		}
	}
	return to, true
}
