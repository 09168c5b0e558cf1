package merkle

import "slices"

// Snapshot is a tree as it was at one moment. Its methods may be called by any goroutine, also while the tree changes.
type Snapshot struct {
	pool  *pool
	epoch uint64
	top   uint32
	root  [32]byte
	size  int

	// Guarded by pool.mu.
	dead     []ref // parts of the snapshot before that this one no longer has
	released bool
}

// Release gives the memory back that only the snapshot holds. Releasing twice is harmless.
func (s *Snapshot) Release() {
	s.pool.mu.Lock()
	defer s.pool.mu.Unlock()
	if s.released {
		return
	}
	s.pool.remove(slices.Index(s.pool.snapshots, s))
	s.released, s.dead = true, nil
}

// Clone returns another snapshot of the same tree, released on its own, or nil after Release.
func (s *Snapshot) Clone() *Snapshot {
	s.pool.mu.Lock()
	defer s.pool.mu.Unlock()
	if s.released {
		return nil
	}
	c := &Snapshot{pool: s.pool, epoch: s.epoch, top: s.top, root: s.root, size: s.size}
	// Nothing left the tree between the two, so the clone's list of what the one before it has in addition is empty.
	s.pool.snapshots = slices.Insert(s.pool.snapshots, slices.Index(s.pool.snapshots, s)+1, c)
	return c
}

// Root returns the digest of the whole tree, also after Release.
func (s *Snapshot) Root() [32]byte { return s.root }

// Len returns the number of keys, also after Release.
func (s *Snapshot) Len() int { return s.size }

// Node returns the inner node at path, which holds nibbles (0 to 15) from the root. The empty path is the root, always an
// inner node. It is false if there is none at path, for paths that cannot exist, and after Release.
func (s *Snapshot) Node(path []byte) (Node, bool) {
	s.pool.mu.RLock()
	defer s.pool.mu.RUnlock()
	if s.released {
		return Node{}, false
	}
	return s.pool.node(s.top, path)
}

// Leaf is Tree.Leaf for the snapshot, and false after Release.
func (s *Snapshot) Leaf(key [32]byte) (value [32]byte, found bool) {
	s.pool.mu.RLock()
	defer s.pool.mu.RUnlock()
	if s.released {
		return value, false
	}
	return s.pool.leaf(s.top, &key)
}

// Leaves returns the leaves whose keys begin with path, ascending by key. If there are more than most it is nil and whole is
// false, and so it is after Release.
func (s *Snapshot) Leaves(path []byte, most int) (leaves []Leaf, whole bool) {
	s.pool.mu.RLock()
	defer s.pool.mu.RUnlock()
	if s.released {
		return nil, false
	}
	return s.pool.leavesBelow(s.top, path, most)
}

// find walks along path and returns what lies there: the inner node at path, or the leaf that the path ends at or inside
// of, or 0. Every nibble is checked, so a path may come from anywhere.
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
		// A leaf found at this depth has the nibbles so far; those that follow are compared with its key.
	}
	return at
}

// leaf returns the value's digest of a key; p.mu is held.
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

// node returns the inner node at path; the tree below top is clean and p.mu is held.
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

// leavesBelow returns the leaves below path unless there are more than most; p.mu is held.
func (p *pool) leavesBelow(top uint32, path []byte, most int) ([]Leaf, bool) {
	leaves, whole := p.gather(nil, p.find(top, path), most)
	if !whole {
		return nil, false
	}
	return leaves, true
}

// gather appends the leaves at and below r. It stops, and returns false, at the first one beyond most.
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
