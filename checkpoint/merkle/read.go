package merkle

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
