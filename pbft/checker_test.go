package pbft

import (
	"tagma/pbft/amnesia"
	"tagma/pbft/wire"
)

// checker checks the invariants in everything that correct replicas do. It sees effects before they are performed, and
// states after each step.
type checker struct {
	c         *cluster
	chosen    map[wire.Seq]wire.Digest // I1: executed anywhere
	committed map[wire.Seq]commitment
	newViews  map[wire.Digest]*wire.NewView // I17: all NewViews that a correct replica has activated
	nodes     map[wire.ReplicaID]*memory
	failed    func(format string, args ...any) // called when an invariant is broken; tests of the checker replace it
}

type commitment struct {
	view   wire.View
	digest wire.Digest
}

// batchAt is a batch at a sequence number. More than one may have prepared there.
type batchAt struct {
	seq    wire.Seq
	digest wire.Digest
}

// place is a type, view and sequence number, for which a replica may sign only one digest (I2).
type place struct {
	kind wire.Type
	view wire.View
	seq  wire.Seq
}

// memory is everything that one replica has signed and made durable, over all its restarts.
type memory struct {
	signed    map[place]wire.Digest
	left      wire.View // highest view it signed a ViewChange for
	entered   wire.View
	bodies    map[wire.Seq]map[wire.Digest]bool // durable
	accepted  map[place]wire.Digest             // durable, by (PrePrepare, view, seq)
	prepared  map[place]wire.Digest             // durable, by (Prepare, view, seq)
	certified map[batchAt]bool                  // durable: batches that were prepared or certified here at any time
	activated map[wire.View]*wire.NewView       // durable
	replica   *Replica                          // the core to which low belongs; after a restart it is another one
	low       wire.Seq
	lives     int                    // memories lost before this one
	until     wire.Seq               // R of this life: the replica does not vote before a checkpoint at R is stable (D8.7)
	since     wire.View              // V*: it never votes in a lower view
	stables   map[wire.View]wire.Seq // of the view changes signed (D8.10)

	lostView wire.View // the highest view and sequence number of the votes that the restored copy may lack
	lostSeq  wire.Seq
}

func newChecker(c *cluster) *checker {
	return &checker{
		c: c, chosen: map[wire.Seq]wire.Digest{}, committed: map[wire.Seq]commitment{}, newViews: map[wire.Digest]*wire.NewView{},
		nodes: map[wire.ReplicaID]*memory{}, failed: c.fail,
	}
}

func (k *checker) of(n *node) *memory {
	m := k.nodes[n.id]
	if m == nil {
		m = &memory{
			signed: map[place]wire.Digest{}, bodies: map[wire.Seq]map[wire.Digest]bool{}, accepted: map[place]wire.Digest{},
			prepared: map[place]wire.Digest{}, certified: map[batchAt]bool{}, activated: map[wire.View]*wire.NewView{},
			stables: map[wire.View]wire.Seq{},
		}
		k.nodes[n.id] = m
	}
	return m
}

// forgets says that a replica lost what it had made durable. The checker still knows what the replica signed.
func (k *checker) forgets(n *node) {
	m := k.of(n)
	m.entered, m.bodies, m.replica = 0, map[wire.Seq]map[wire.Digest]bool{}, nil
	m.accepted, m.prepared = map[place]wire.Digest{}, map[place]wire.Digest{}
	m.certified, m.activated = map[batchAt]bool{}, map[wire.View]*wire.NewView{}
	if log, err := n.journal.read(); err == nil {
		for _, r := range log {
			k.durable(n, r)
		}
	}
}

// loses says that a replica's disk was replaced by an older copy, and records which votes the copy may lack. Once h and
// the view are above these, the replica cannot contradict them any more (D8.1).
func (k *checker) loses(n *node) {
	m := k.of(n)
	m.lostView, m.lostSeq = m.left, 0
	for at := range m.signed {
		m.lostView, m.lostSeq = max(m.lostView, at.view), max(m.lostSeq, at.seq)
	}
}

// recovers checks D8.6: R is above everything that a replica which forgot has signed, and V* above every view in which it
// voted.
func (k *checker) recovers(n *node, rec amnesia.Recovery) {
	m := k.of(n)
	for at := range m.signed {
		if at.seq > rec.Until || at.kind != wire.TypeViewChange && at.kind != wire.TypeCheckpoint && at.view >= rec.View {
			k.failed("D8.6: replica %d signed a %v for view %d at %d, and is told %d and %d",
				n.id, at.kind, at.view, at.seq, rec.View, rec.Until)
		}
	}
	if m.left > rec.View {
		k.failed("D8.6: replica %d signed a view change to %d, and is told %d", n.id, m.left, rec.View)
	}
	m.lives++
	m.until, m.since, m.left = rec.Until, rec.View, 0
}

func (m *memory) keepBody(s wire.Seq, b *wire.Body) {
	if b == nil {
		return
	}
	if m.bodies[s] == nil {
		m.bodies[s] = map[wire.Digest]bool{wire.NullDigest: true}
	}
	m.bodies[s][b.Digest()] = true
}

func (m *memory) hasBody(s wire.Seq, d wire.Digest) bool {
	return d == wire.NullDigest || m.bodies[s][d]
}

// durable records what became durable with a record.
func (k *checker) durable(n *node, r wire.Record) {
	m := k.of(n)
	switch r := r.(type) {
	case *wire.Accepted:
		k.acceptedPrePrepare(m, r.PrePrepare)
	case *wire.Fetched:
		m.keepBody(r.Seq, r.Body)
	case *wire.Prepared:
		m.prepared[place{wire.TypePrepare, r.Cert.View, r.Cert.Seq}] = r.Cert.Digest
		m.certified[batchAt{r.Cert.Seq, r.Cert.Digest}] = true
	case *wire.Certified:
		m.certified[batchAt{r.Cert.Seq, r.Cert.Digest}] = true
		m.keepBody(r.Cert.Seq, r.Body)
	case *wire.Activated:
		k.enter(n, r.NewView)
	case *wire.Sent:
		switch msg := r.Msg.(type) {
		case *wire.PrePrepare:
			k.acceptedPrePrepare(m, msg)
		case *wire.NewView:
			k.enter(n, msg)
		}
	}
}

func (k *checker) acceptedPrePrepare(m *memory, p *wire.PrePrepare) {
	m.accepted[place{wire.TypePrePrepare, p.View, p.Seq}] = p.Digest
	m.keepBody(p.Seq, p.Body)
}

// enter compares a new view with everything that has committed (I17).
func (k *checker) enter(n *node, v *wire.NewView) {
	m := k.of(n)
	m.activated[v.View] = v
	for i, p := range v.Proposals {
		m.accepted[place{wire.TypePrePrepare, v.View, v.ProposalSeq(i)}] = p.Digest
	}
	d := v.ContentDigest()
	if k.newViews[d] != nil {
		return
	}
	k.newViews[d] = v
	for seq, c := range k.committed {
		k.keeps(v, seq, c)
	}
}

// keeps checks I17: a batch that committed in a lower view is in O, or is at or below the checkpoint at which O begins.
func (k *checker) keeps(v *wire.NewView, seq wire.Seq, c commitment) {
	minS := v.MinStable()
	if c.view >= v.View || seq <= minS {
		return
	}
	if i := seq - minS - 1; i >= wire.Seq(len(v.Proposals)) || v.Proposals[i].Digest != c.digest {
		k.failed("I17: view %d drops batch %v, committed at %d in view %d", v.View, c.digest, seq, c.view)
	}
}
