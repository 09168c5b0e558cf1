package merkle

import "crypto/sha256"

// Tree is a mutable Merkle tree. Create it with New.
type Tree struct {
	leaves arena[leaf]
	nodes  arena[node]
	top    uint32
	size   int
}

// New returns the empty tree.
func New() *Tree {
	t := &Tree{}
	t.Reset()
	return t
}

// Reset empties the tree and gives its memory back.
func (t *Tree) Reset() {
	*t = Tree{}
	t.top = t.nodes.alloc()
	t.nodes.at(t.top).dirty = true
}

// Len returns the number of keys.
func (t *Tree) Len() int { return t.size }

// Set gives key its value. The tree keeps neither slice. Rehashing waits for Root.
func (t *Tree) Set(key, value []byte) {
	t.SetHashed(sha256.Sum256(key), sha256.Sum256(value))
}

// SetHashed is Set for a caller that holds SHA-256 of the key and of the value already.
func (t *Tree) SetHashed(key, value [32]byte) {
	at := t.top
	for depth := 0; ; depth++ {
		n := t.nodes.at(at)
		n.dirty = true
		slot := nibble(&key, depth)
		child := n.child[slot]
		switch {
		case child == 0:
			n.child[slot] = t.newLeaf(key, value)
			t.size++
			return
		case !child.isLeaf():
			at = child.index()
			continue
		}
		old := t.leaves.at(child.index())
		if old.key == key {
			old.value = value
			return
		}
		// Two keys share the path so far: the old leaf moves one level down, and the walk goes on below it.
		below := t.nodes.alloc()
		t.nodes.at(below).child[nibble(&old.key, depth+1)] = child
		n.child[slot] = nodeRef(below)
		at = below
	}
}

// Delete removes key. Deleting an absent key changes nothing.
func (t *Tree) Delete(key []byte) { t.DeleteHashed(sha256.Sum256(key)) }

// DeleteHashed is Delete for a caller that holds SHA-256 of the key already.
func (t *Tree) DeleteHashed(key [32]byte) {
	var path [maxDepth]uint32
	at, depth := t.top, 0
	for {
		path[depth] = at
		child := t.nodes.at(at).child[nibble(&key, depth)]
		if child == 0 {
			return
		}
		if child.isLeaf() {
			if t.leaves.at(child.index()).key != key {
				return
			}
			t.leaves.release(child.index())
			t.nodes.at(at).child[nibble(&key, depth)] = 0
			t.size--
			break
		}
		at = child.index()
		depth++
	}
	// Nodes left with a single leaf give way to it, bottom up, so that the shape forgets the deleted key.
	for ; depth > 0; depth-- {
		only, ok := t.nodes.at(path[depth]).onlyLeaf()
		if !ok {
			break
		}
		t.nodes.release(path[depth])
		t.nodes.at(path[depth-1]).child[nibble(&key, depth-1)] = only
	}
	for ; depth >= 0; depth-- {
		t.nodes.at(path[depth]).dirty = true
	}
}

// Root rehashes what changed since it was last called and returns the digest of the whole tree.
func (t *Tree) Root() [32]byte { return t.digest(t.top) }

func (t *Tree) newLeaf(key, value [32]byte) ref {
	i := t.leaves.alloc()
	*t.leaves.at(i) = leaf{key: key, value: value}
	return leafRef(i)
}
