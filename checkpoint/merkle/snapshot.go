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
