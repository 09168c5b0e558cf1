package transfer

import (
	"crypto/sha256"
	"time"

	"tagma/checkpoint/merkle"
)

// part verifies the part that answers a task, uses it, and appends what must be fetched next. An error means that the
// donor lied, unless r.err is set.
func (r *Receiver) part(d *donor, t *task, p *Part, next *[]task, now time.Duration) error {
	switch p.Kind {
	case IsNode:
		return r.node(d, t, p.Node, next)
	case IsPage:
		return r.page(t, p.Page)
	case IsLong:
		return r.announced(d, t, &p.Long, now)
	case IsLater:
		*next = append(*next, *t)
		return nil
	case IsChunk:
	}
	return errLie("a piece of a value where a path was asked for")
}

// children are the children of a node with their digests.
type children struct {
	inner  bool // there is an inner node
	bitmap uint16
	digest [16][32]byte
}

// ownNode returns the children that the receiver itself has at a path. If there is only one own key below the path,
// its leaf is higher up in the tree; it appears as the child that an inner node at the path would have.
func (r *Receiver) ownNode(path Path) (own children) {
	var buf [maxDepth]byte
	nibbles := path.nibbles(&buf)
	node, inner := r.own.Node(nibbles)
	if own.inner = inner; inner {
		for slot := range node.Children {
			if node.Children[slot].Kind != merkle.None {
				own.bitmap |= 1 << slot
				own.digest[slot] = node.Children[slot].Digest
			}
		}
		return own
	}
	if leaves, _ := r.own.Leaves(nibbles, 1); len(leaves) == 1 {
		slot := nibble(&leaves[0].Key, path.Depth())
		own.bitmap = 1 << slot
		own.digest[slot] = leaves[0].Digest()
	}
	return own
}

// node verifies an inner node against its certified digest, with the own digests in place of those that the donor left
// out, and compares it with the own node.
func (r *Receiver) node(d *donor, t *task, n *Node, next *[]task) error {
	if t.path.depth == maxDepth {
		return errLie("an inner node below the longest path")
	}
	own := r.ownNode(t.path)
	their := children{bitmap: n.Present, digest: n.Digest}
	var leaves [16]merkle.Leaf
	for slot := range n.Digest {
		switch bit := uint16(1) << slot; {
		case n.Same&bit != 0 && (t.suspect != nil || !own.inner || own.bitmap&bit == 0):
			return errLie("it leaves out a child that nothing was said of")
		case n.Same&bit != 0:
			their.digest[slot] = own.digest[slot]
		case n.Entries&bit != 0:
			e := &n.Entry[slot]
			leaves[slot] = merkle.Leaf{Key: sha256.Sum256(e.Key), Value: sha256.Sum256(e.Value)}
			their.digest[slot] = leaves[slot].Digest()
			if path := t.path.child(slot); !path.holds(&leaves[slot].Key) {
				return errLie("an entry outside its path")
			}
		}
	}
	if merkle.DigestOf(&their.digest, their.bitmap) != t.digest {
		if n.Same == 0 {
			return errLie("a node that is not the certified one")
		}
		*next = append(*next, task{path: t.path, digest: t.digest, suspect: d})
		return nil
	}
	r.clear(t, &own, &their)
	for slot := range n.Digest {
		bit, path := uint16(1)<<slot, t.path.child(slot)
		has := own.bitmap&bit != 0
		switch {
		case their.bitmap&bit == 0:
			if has {
				r.remove(deletion{path: path})
			}
		case has && own.digest[slot] == their.digest[slot]:
			r.progress.Compared++
		case n.Entries&bit != 0:
			r.entry(path, &leaves[slot], &n.Entry[slot])
		default:
			*next = append(*next, task{path: path, digest: their.digest[slot]})
			continue
		}
		r.settle(path.Depth())
	}
	return r.err
}

// page verifies all entries below a path against their certified digest, and compares them with the own entries.
func (r *Receiver) page(t *task, entries []Entry) error {
	leaves := make([]merkle.Leaf, len(entries))
	for i := range entries {
		leaves[i] = merkle.Leaf{Key: sha256.Sum256(entries[i].Key), Value: sha256.Sum256(entries[i].Value)}
	}
	digest, ok := merkle.SubtreeDigest(t.path.Depth(), leaves)
	if !ok || digest != t.digest || !t.path.holds(&leaves[0].Key) {
		return errLie("entries that are not the certified ones")
	}
	if t.suspect != nil {
		own, their := r.ownNode(t.path), childrenOf(t.path.Depth(), leaves)
		r.clear(t, &own, &their)
	}
	r.merge(t.path, leaves, entries)
	r.settle(t.path.Depth())
	return r.err
}

// childrenOf returns the children of the node at a depth with these leaves below it. There are none if a single leaf
// stands there instead.
func childrenOf(depth int, leaves []merkle.Leaf) (c children) {
	for from := 0; from < len(leaves) && (len(leaves) > 1 || depth == 0); {
		slot := nibble(&leaves[from].Key, depth)
		to := from + 1
		for to < len(leaves) && nibble(&leaves[to].Key, depth) == slot {
			to++
		}
		c.bitmap |= 1 << slot
		c.digest[slot], _ = merkle.SubtreeDigest(depth+1, leaves[from:to])
		from = to
	}
	return c
}

// clear decides about a task's suspect once the whole node is known. The suspect is blamed, unless some child of the
// node has another digest than the receiver's own child, with the same first bytes.
func (r *Receiver) clear(t *task, own, their *children) {
	if t.suspect == nil {
		return
	}
	for slot := range own.digest {
		both := own.bitmap & their.bitmap & (1 << slot)
		if both != 0 && own.digest[slot] != their.digest[slot] && r.prefix(&own.digest[slot]) == r.prefix(&their.digest[slot]) {
			return
		}
	}
	r.blame(t.suspect)
}

// merge replaces the own keys below a path by the verified entries, which must be ascending.
func (r *Receiver) merge(path Path, leaves []merkle.Leaf, entries []Entry) {
	var buf [maxDepth]byte
	nibbles := path.nibbles(&buf)
	if len(leaves) == 1 && path.Depth() > 0 {
		r.entry(path, &leaves[0], &entries[0])
		return
	}
	if own, whole := r.own.Leaves(nibbles, 1); whole {
		for i := range leaves {
			r.put(&leaves[i], &entries[i])
		}
		for i := range own {
			if !hasKey(leaves, &own[i].Key) {
				r.remove(deletion{path: keyPath(own[i].Key)})
			}
		}
		return
	}
	for slot, from := 0, 0; slot < 16; slot++ {
		to := from
		for to < len(leaves) && nibble(&leaves[to].Key, path.Depth()) == byte(slot) {
			to++
		}
		below := path.child(slot)
		switch {
		case to > from:
			r.merge(below, leaves[from:to], entries[from:to])
		case r.hasOwn(below):
			r.remove(deletion{path: below})
		}
		from = to
	}
}

// hasOwn reports whether there are own keys below a path.
func (r *Receiver) hasOwn(path Path) bool {
	var buf [maxDepth]byte
	leaves, whole := r.own.Leaves(path.nibbles(&buf), 1)
	return !whole || len(leaves) > 0
}

func hasKey(leaves []merkle.Leaf, key *[32]byte) bool {
	for i := range leaves {
		if leaves[i].Key == *key {
			return true
		}
	}
	return false
}
