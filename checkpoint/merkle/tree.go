package merkle

import "crypto/sha256"

// Tree is a mutable Merkle tree. Create it with New. One goroutine at a time uses it; its snapshots are free of that.
type Tree struct {
	pool *pool
	top  uint32
	size int
}

// New returns the empty tree, on the heap.
func New() *Tree { return NewIn(Memory{}) }

// NewIn returns the empty tree whose parts lie where memory says.
func NewIn(memory Memory) *Tree {
	t := &Tree{pool: &pool{epoch: 1, quarry: quarry{memory: memory}}}
	t.top = t.pool.newNode()
	return t
}

// Reset empties the tree and gives its memory back, but for what snapshots hold.
func (t *Tree) Reset() { *t = *NewIn(t.pool.quarry.memory) }

// Len returns the number of keys.
func (t *Tree) Len() int { return t.size }

// Set gives key its value. The tree keeps neither slice. Rehashing waits for Root.
func (t *Tree) Set(key, value []byte) {
	t.SetHashed(sha256.Sum256(key), sha256.Sum256(value))
}

// SetHashed is Set for a caller that holds SHA-256 of the key and of the value already.
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
		// Two keys share the path so far: the old leaf moves one level down, and the walk goes on below it.
		below := p.newNode()
		p.nodes.at(below).child[nibble(&old.Key, depth+1)] = child
		n.child[slot] = nodeRef(below)
		at = below
	}
}

// Delete removes key. Deleting an absent key changes nothing.
func (t *Tree) Delete(key []byte) { t.DeleteHashed(sha256.Sum256(key)) }

// DeleteHashed is Delete for a caller that holds SHA-256 of the key already.
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
	// Nodes left with a single leaf give way to it, bottom up, so that the shape forgets the deleted key.
	for ; depth > 0; depth-- {
		only, ok := p.nodes.at(path[depth]).onlyLeaf()
		if !ok {
			break
		}
		p.drop(nodeRef(path[depth]))
		p.nodes.at(path[depth-1]).child[nibble(&key, depth-1)] = only
	}
}

// ownPath replaces the nodes on the path of key that snapshots hold, and makes all of them dirty.
func (t *Tree) ownPath(path []uint32, key *[32]byte) {
	for depth := range path {
		path[depth] = t.pool.own(path[depth])
		if depth > 0 {
			t.pool.nodes.at(path[depth-1]).child[nibble(key, depth-1)] = nodeRef(path[depth])
		}
	}
	t.top = path[0]
}

// Root rehashes what changed since it was last called and returns the digest of the whole tree.
func (t *Tree) Root() [32]byte {
	t.pool.mu.Lock()
	defer t.pool.mu.Unlock()
	defer t.pool.quarry.cool()
	return t.pool.digest(t.top)
}

// Snapshot rehashes and returns the tree as it is now, which stays so while the tree goes on. It costs no more than Root;
// later each part it holds is copied before the tree changes it, once. The caller releases it.
func (t *Tree) Snapshot() *Snapshot {
	t.pool.mu.Lock()
	defer t.pool.mu.Unlock()
	defer t.pool.quarry.cool()
	t.pool.digest(t.top)
	return t.pool.take(t.top, t.size)
}

// Leaf returns the digest of the value of a key, both as SHA-256. It is false if there is none.
func (t *Tree) Leaf(key [32]byte) (value [32]byte, found bool) {
	t.pool.mu.RLock()
	defer t.pool.mu.RUnlock()
	return t.pool.leaf(t.top, &key)
}

// Node is Snapshot.Node for the tree as it is now. It rehashes.
func (t *Tree) Node(path []byte) (Node, bool) {
	t.pool.mu.Lock()
	defer t.pool.mu.Unlock()
	t.pool.digest(t.top)
	return t.pool.node(t.top, path)
}

// Leaves is Snapshot.Leaves for the tree as it is now.
func (t *Tree) Leaves(path []byte, most int) (leaves []Leaf, whole bool) {
	t.pool.mu.RLock()
	defer t.pool.mu.RUnlock()
	return t.pool.leavesBelow(t.top, path, most)
}
