package merkle

import "sync"

// pool holds the parts, leaves and nodes, of one tree and its snapshots.
//
// Taking a snapshot copies nothing. Later, before the tree changes a part that a snapshot holds, it copies that part
// and all nodes from the root to it, and changes the copies.
//
// Epochs tell which snapshots hold a part. Each snapshot ends an epoch, and each part records the epoch in which it
// was allocated. A part that was allocated after the newest snapshot is only in the tree. A part that the tree no
// longer uses is held by the snapshots that were taken after its allocation and before the tree stopped using it.
// Such parts are listed as dead, so that they can be freed with the last snapshot that holds them. Each one is in the
// list of the first snapshot that no longer holds it, or in the pool's list if all snapshots since its allocation
// hold it.
type pool struct {
	mu     sync.RWMutex // guards the fields below; held for writing by everything that changes a part
	leaves arena[leaf]
	nodes  arena[node]
	quarry quarry // for both arenas
	epoch  uint64 // the present epoch, which new parts record
	newest uint64 // epoch of the newest snapshot; 0 if there is none

	snapshots []*Snapshot // the snapshots that are not released, oldest first
	dead      []ref       // parts that the newest snapshot holds and the tree no longer uses
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

// own returns a node that no snapshot holds, with the content of node i. That is i itself if no snapshot holds it,
// and otherwise a copy. The node is marked dirty, because the caller changes it.
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

// drop is called when the tree stops using a part. It frees the part, or lists it as dead if a snapshot holds it.
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

// remove deletes snapshot number i and frees the parts that only it holds. These were allocated after the previous
// snapshot, and the tree stopped using them before the next one.
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
