package merkle

import "sync"

// pool holds the parts, leaves and nodes, of one tree and its snapshots.
//
// Taking a snapshot copies nothing. Afterwards, before the tree changes a part that a snapshot holds, it replaces that
// part and those on the path from the root by copies. Which parts a snapshot holds follows from epochs. A snapshot ends
// an epoch. Every part is born in some epoch, and is in the tree from then on until it leaves it. So a part that was
// born after the newest snapshot belongs to the tree alone, and a part that has left the tree is held by the snapshots
// taken between its birth and that moment. The parts that left are listed as dead, at the first snapshot that no longer
// holds them, or at the pool if they left after the newest snapshot.
type pool struct {
	mu     sync.RWMutex // guards the fields below; held for writing by everything that changes a part
	leaves arena[leaf]
	nodes  arena[node]
	quarry quarry // for both arenas
	epoch  uint64 // the epoch in which parts are born now
	newest uint64 // epoch of the newest snapshot; 0 if there is none

	snapshots []*Snapshot // the snapshots that are not released, oldest first
	dead      []ref       // parts of the newest snapshot that have left the tree
}

func (p *pool) newNode() uint32 {
	i := p.nodes.alloc(p)
	n := p.nodes.at(i)
	n.born, n.dirty = p.epoch, true
	return i
}

func (p *pool) newLeaf(key, value [32]byte) ref {
	i := p.leaves.alloc(p)
	*p.leaves.at(i) = leaf{Leaf: Leaf{Key: key, Value: value}, born: p.epoch}
	return leafRef(i)
}

// own returns a node with the content of node i that no snapshot holds: i itself, or a copy. The node is marked dirty,
// because it is about to change.
func (p *pool) own(i uint32) uint32 {
	n := p.nodes.at(i)
	if n.born > p.newest {
		n.dirty = true
		return i
	}
	c := p.newNode()
	p.nodes.at(c).child = n.child
	p.dead = append(p.dead, nodeRef(i))
	return c
}

// drop frees a part that left the tree, or lists it as dead if a snapshot holds it.
func (p *pool) drop(r ref) {
	if p.born(r) > p.newest {
		p.free(r)
	} else {
		p.dead = append(p.dead, r)
	}
}

func (p *pool) born(r ref) uint64 {
	if r.isLeaf() {
		return p.leaves.at(r.index()).born
	}
	return p.nodes.at(r.index()).born
}

func (p *pool) free(r ref) {
	if r.isLeaf() {
		p.leaves.release(r.index())
	} else {
		p.nodes.release(r.index())
	}
}

// take makes a snapshot of the clean tree below top.
func (p *pool) take(top uint32, size int) *Snapshot {
	s := &Snapshot{pool: p, epoch: p.epoch, top: top, root: p.nodes.at(top).sum, size: size, dead: p.dead}
	p.snapshots = append(p.snapshots, s)
	p.newest, p.dead = p.epoch, nil
	p.epoch++
	return s
}

// remove frees the parts that only snapshot number i holds: those that left the tree before the next snapshot and were
// born after the previous one.
func (p *pool) remove(i int) {
	var before uint64
	if i > 0 {
		before = p.snapshots[i-1].epoch
	}
	next := &p.dead
	if i+1 < len(p.snapshots) {
		next = &p.snapshots[i+1].dead
	} else {
		p.newest = before
	}
	keep := p.snapshots[i].dead
	for _, r := range *next {
		if p.born(r) > before {
			p.free(r)
		} else {
			keep = append(keep, r)
		}
	}
	*next = keep
	p.snapshots = append(p.snapshots[:i], p.snapshots[i+1:]...)
}
