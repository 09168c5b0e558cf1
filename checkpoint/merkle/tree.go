package merkle

import "crypto/sha256"

// Tree is a mutable Merkle tree; New makes one. Only one goroutine at a time may use it, unlike its snapshots.
type Tree struct {
	pool *pool
	top  uint32
	size int
}

// New returns an empty tree on the heap.
func New() *Tree { return NewIn(Memory{}) }

// NewIn returns an empty tree whose parts are kept where memory says.
func NewIn(memory Memory) *Tree {
	t := &Tree{pool: &pool{epoch: 1, quarry: quarry{memory: memory}}}
	t.top = t.pool.newNode()
	return t
}

// Reset empties the tree and frees its memory, except what snapshots hold.
func (t *Tree) Reset() { *t = *NewIn(t.pool.quarry.memory) }

// Len returns the number of keys.
func (t *Tree) Len() int { return t.size }

// Set gives key its value. The tree keeps neither slice. Hashes of nodes are not updated before Root.
func (t *Tree) Set(key, value []byte) {
	t.SetHashed(sha256.Sum256(key), sha256.Sum256(value))
}

// SetHashed is Set for a caller that already has the SHA-256 of the key and of the value.
func (t *Tree) SetHashed(key, value [32]byte) {
	p := t.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	t.top = p.own(t.top)
	at := t.top
	for depth := 0; ; depth++ {
		n := p.nodes.at(at)
		slot := nibble(&key, depth)
		child := n.child[slot]
		switch {
		case child == 0:
			n.child[slot] = p.newLeaf(key, value)
			t.size++
			return
		case !child.isLeaf():
			at = p.own(child.index())
			n.child[slot] = nodeRef(at)
			continue
		}
		old := p.leaves.at(child.index())
		switch {
		case old.Key == key && old.born > p.newest:
			old.Value = value
			return
		case old.Key == key:
			n.child[slot] = p.newLeaf(key, value)
			p.drop(child)
			return
		}
		// Two keys share the path so far: the old leaf moves one level down, and the walk continues below it.
		below := p.newNode()
		p.nodes.at(below).child[nibble(&old.Key, depth+1)] = child
		n.child[slot] = nodeRef(below)
		at = below
	}
}

// Delete removes key. Deleting a key that does not exist changes nothing.
func (t *Tree) Delete(key []byte) { t.DeleteHashed(sha256.Sum256(key)) }

// DeleteHashed is Delete for a caller that already has the SHA-256 of the key.
func (t *Tree) DeleteHashed(key [32]byte) {
	p := t.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	var path [maxDepth]uint32
	depth, child := 0, nodeRef(t.top)
	for {
		path[depth] = child.index()
		child = p.nodes.at(path[depth]).child[nibble(&key, depth)]
		if child == 0 {
			return
		}
		if child.isLeaf() {
			break
		}
		depth++
	}
	if p.leaves.at(child.index()).Key != key {
		return
	}
	t.ownPath(path[:depth+1], &key)
	p.drop(child)
	p.nodes.at(path[depth]).child[nibble(&key, depth)] = 0
	t.size--
	// From the bottom up, a node that has only one leaf left is replaced by that leaf, so that the shape does not
	// depend on the deleted key.
	for ; depth > 0; depth-- {
		only, ok := p.nodes.at(path[depth]).onlyLeaf()
		if !ok {
			break
		}
		p.drop(nodeRef(path[depth]))
		p.nodes.at(path[depth-1]).child[nibble(&key, depth-1)] = only
	}
}

// ownPath replaces the nodes on the path of key that snapshots hold by copies, and marks the whole path dirty.
func (t *Tree) ownPath(path []uint32, key *[32]byte) {
	for depth := range path {
		path[depth] = t.pool.own(path[depth])
		if depth > 0 {
			t.pool.nodes.at(path[depth-1]).child[nibble(key, depth-1)] = nodeRef(path[depth])
		}
	}
	t.top = path[0]
}

// Root rehashes what changed since the last call and returns the digest of the whole tree.
func (t *Tree) Root() [32]byte {
	t.pool.mu.Lock()
	defer t.pool.mu.Unlock()
	defer t.pool.quarry.cool()
	return t.pool.digest(t.top)
}

// Snapshot rehashes the tree and returns it as it is now; later changes of the tree do not change the snapshot.
// Taking it costs no more than Root. Afterwards the first change of each part costs a copy of that part. The caller
// must release the snapshot.
func (t *Tree) Snapshot() *Snapshot {
	t.pool.mu.Lock()
	defer t.pool.mu.Unlock()
	defer t.pool.quarry.cool()
	t.pool.digest(t.top)
	return t.pool.take(t.top, t.size)
}

// Leaf returns the SHA-256 of the value of a key, which is given as SHA-256. It returns false if there is no such key.
func (t *Tree) Leaf(key [32]byte) (value [32]byte, found bool) {
	t.pool.mu.RLock()
	defer t.pool.mu.RUnlock()
	return t.pool.leaf(t.top, &key)
}

// Node is Snapshot.Node for the present tree. It rehashes the tree.
func (t *Tree) Node(path []byte) (Node, bool) {
	t.pool.mu.Lock()
	defer t.pool.mu.Unlock()
	t.pool.digest(t.top)
	return t.pool.node(t.top, path)
}

// Leaves is Snapshot.Leaves for the present tree.
func (t *Tree) Leaves(path []byte, most int) (leaves []Leaf, whole bool) {
	t.pool.mu.RLock()
	defer t.pool.mu.RUnlock()
	return t.pool.leavesBelow(t.top, path, most)
}
