package transfer

import "tagma/checkpoint/merkle"

// reply is an answer that is being built.
type reply struct {
	*Source
	out   []byte
	left  int  // what is left of readLimit
	first bool // the item is the query's first, which must be answered by another kind than IsLater
	room  int  // the length that the answer may reach with the present item
}

// add appends a part if it fits.
func (a *reply) add(p *Part) bool {
	before := len(a.out)
	if a.out = p.append(a.out); len(a.out) <= a.room {
		return true
	}
	a.out = a.out[:before]
	return false
}

// answer appends the part for one item. It returns false if the item must wait for a later query.
func (a *reply) answer(it *Item) (reached bool, err error) {
	var buf [maxDepth]byte
	if it.Kind == AskChunk {
		return a.chunk(it)
	}
	path := it.Path.nibbles(&buf)
	if leaves, whole := a.tree.Leaves(path, 1); whole && len(leaves) == 1 && len(path) > 0 {
		return a.leaf(&leaves[0])
	}
	node, _ := a.tree.Node(path) // without children if a faulty receiver invented the path
	if it.Kind == AskPath {
		if leaves, whole := a.tree.Leaves(path, MaxPage); whole && len(leaves) > 0 {
			switch outcome, err := a.page(it, leaves); {
			case err != nil || outcome == fits:
				return err == nil, err
			case !a.first:
				return false, nil
			}
		}
	}
	return a.node(it, &node)
}

// outcome says whether a page can be sent.
type outcome int

const (
	fits      outcome = iota
	tooLong           // what is left of this answer has no room for it
	unindexed         // some of its keys are outside the index's window, even after the window was moved for this page
)

// page appends all entries below an item's path, or none if they do not fit.
func (a *reply) page(it *Item, leaves []merkle.Leaf) (outcome, error) {
	p := Part{Kind: IsPage, Page: make([]Entry, 0, len(leaves))}
	low := prefixOf(&it.Path.packed)
	size := len(a.out) + 3
	for i := range leaves {
		if !a.index.within(&leaves[i].Key) {
			if a.first && a.index.low != low {
				return unindexed, a.index.move(low)
			}
			return unindexed, nil
		}
		if a.left <= 0 {
			return tooLong, nil
		}
		e, err := a.read(&leaves[i])
		if err != nil {
			return tooLong, err
		}
		a.left -= readCost + len(e.Value)
		if size += e.size(); size > a.room {
			return tooLong, nil
		}
		p.Page = append(p.Page, e)
	}
	a.add(&p)
	return fits, nil
}

// leaf appends the only entry below a path, or announces the entry if it is too long.
func (a *reply) leaf(leaf *merkle.Leaf) (reached bool, err error) {
	if !a.index.within(&leaf.Key) {
		if a.first {
			return false, a.index.move(prefixOf(&leaf.Key))
		}
		return false, nil
	}
	if a.left <= 0 && !a.first {
		return false, nil
	}
	e, err := a.read(leaf)
	if err != nil {
		return false, err
	}
	a.left -= readCost + len(e.Value)
	if len(e.Key)+len(e.Value) > MaxEntry {
		long := Long{Key: e.Key, Length: uint64(len(e.Value)), Hash: leaf.Value}
		return a.add(&Part{Kind: IsLong, Long: long}), nil
	}
	return a.add(&Part{Kind: IsPage, Page: []Entry{e}}), nil
}

// node appends an inner node, without the children that the receiver seems to have. It gives leaves as entries as far
// as they fit.
func (a *reply) node(it *Item, node *merkle.Node) (reached bool, err error) {
	n := Node{}
	size := len(a.out) + 5
	for slot := range node.Children {
		c, bit := &node.Children[slot], uint16(1)<<slot
		switch {
		case c.Kind == merkle.None:
			continue
		case it.Known.Bitmap&bit != 0 && it.Known.Prefixes[slot] == a.prefix(&c.Digest):
			n.Same |= bit
		default:
			n.Digest[slot] = c.Digest
			size += 1 + len(c.Digest)
		}
		n.Present |= bit
	}
	for slot := range node.Children {
		c, bit := &node.Children[slot], uint16(1)<<slot
		if c.Kind != merkle.IsLeaf || n.Same&bit != 0 || a.left <= 0 || !a.index.within(&c.Leaf.Key) {
			continue
		}
		e, err := a.read(&c.Leaf)
		if err != nil {
			return false, err
		}
		a.left -= readCost + len(e.Value)
		if with := size - len(c.Digest) + e.size(); with <= a.room {
			size = with
			n.Entries |= bit
			n.Entry[slot] = e
		}
	}
	return a.add(&Part{Kind: IsNode, Node: &n}), nil
}

// chunk appends a piece of a value; an empty piece if the value has none at this offset.
func (a *reply) chunk(it *Item) (reached bool, err error) {
	var buf [maxDepth]byte
	leaves, _ := a.tree.Leaves(keyPath(it.Key).nibbles(&buf), 1)
	if len(leaves) == 0 {
		return a.add(&Part{Kind: IsChunk}), nil
	}
	if !a.index.within(&it.Key) {
		if a.first {
			return false, a.index.move(prefixOf(&it.Key))
		}
		return false, nil
	}
	if a.left <= 0 && !a.first {
		return false, nil
	}
	held := len(a.longValue) > 0 && a.longKey == it.Key
	e, err := a.read(&leaves[0])
	if err != nil {
		return false, err
	}
	if !held {
		a.left -= len(e.Value)
	}
	p := Part{Kind: IsChunk}
	if it.Offset < uint64(len(e.Value)) {
		p.Chunk = e.Value[it.Offset:min(it.Offset+ChunkSize, uint64(len(e.Value)))]
	}
	return a.add(&p), nil
}
