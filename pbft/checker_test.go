package pbft

// checker holds the invariants against everything that correct replicas do. It sees effects before they are performed
// and states after each step.
type checker struct {
	c         *cluster
	chosen    map[Seq]Digest // I1: executed anywhere
	committed map[Seq]commitment
	newViews  map[Digest]*NewView // I17: every one that a correct replica activated
	nodes     map[ReplicaID]*memory
	failed    func(format string, args ...any) // what a broken invariant does; tests of the checker replace it
}

type commitment struct {
	view   View
	digest Digest
}

// batchAt is a batch at a sequence number. More than one may have prepared there.
type batchAt struct {
	seq    Seq
	digest Digest
}

// place is where a replica may sign one digest only (I2).
type place struct {
	kind Type
	view View
	seq  Seq
}

// memory is what one replica signed and made durable, over all its restarts.
type memory struct {
	signed    map[place]Digest
	left      View // highest view it signed a ViewChange for
	entered   View
	bodies    map[Seq]map[Digest]bool // durable
	accepted  map[place]Digest        // durable, by (PrePrepare, view, seq)
	prepared  map[place]Digest        // durable, by (Prepare, view, seq)
	certified map[batchAt]bool        // durable: prepared or certified at all
	activated map[View]*NewView       // durable
	replica   *Replica                // the incarnation that low belongs to
	low       Seq
	lives     int          // memories lost before this one
	until     Seq          // R of this life: it does not vote below (D8.7)
	since     View         // V*: it never votes in a lower view
	stables   map[View]Seq // of the view changes signed (D8.10)

	lostView View // highest view and sequence number of what the copy that was put back may lack
	lostSeq  Seq
}

func newChecker(c *cluster) *checker {
	return &checker{
		c: c, chosen: map[Seq]Digest{}, committed: map[Seq]commitment{}, newViews: map[Digest]*NewView{},
		nodes: map[ReplicaID]*memory{}, failed: c.fail,
	}
}

func (k *checker) of(n *node) *memory {
	m := k.nodes[n.id]
	if m == nil {
		m = &memory{
			signed: map[place]Digest{}, bodies: map[Seq]map[Digest]bool{}, accepted: map[place]Digest{},
			prepared: map[place]Digest{}, certified: map[batchAt]bool{}, activated: map[View]*NewView{},
			stables: map[View]Seq{},
		}
		k.nodes[n.id] = m
	}
	return m
}

// forgets notes that what a replica had made durable is gone. What it signed stands.
func (k *checker) forgets(n *node) {
	m := k.of(n)
	m.entered, m.bodies, m.replica = 0, map[Seq]map[Digest]bool{}, nil
	m.accepted, m.prepared = map[place]Digest{}, map[place]Digest{}
	m.certified, m.activated = map[batchAt]bool{}, map[View]*NewView{}
	if log, err := n.journal.read(); err == nil {
		for _, r := range log {
			k.durable(n, r)
		}
	}
}

// loses notes what a copy that was put back may lack. Once h and the view lie above it, nothing is left to contradict
// (D8.1).
func (k *checker) loses(n *node) {
	m := k.of(n)
	m.lostView, m.lostSeq = m.left, 0
	for at := range m.signed {
		m.lostView, m.lostSeq = max(m.lostView, at.view), max(m.lostSeq, at.seq)
	}
}

// recovers is D8.6: R lies above everything that a replica which forgot has signed, and V* above every view that it
// voted in.
func (k *checker) recovers(n *node, rec Recovery) {
	m := k.of(n)
	for at := range m.signed {
		if at.seq > rec.Until || at.kind != TypeViewChange && at.kind != TypeCheckpoint && at.view >= rec.View {
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

func (m *memory) keepBody(s Seq, b *Body) {
	if b == nil {
		return
	}
	if m.bodies[s] == nil {
		m.bodies[s] = map[Digest]bool{NullDigest: true}
	}
	m.bodies[s][b.Digest()] = true
}

func (m *memory) hasBody(s Seq, d Digest) bool { return d == NullDigest || m.bodies[s][d] }

// durable notes what a record makes durable.
func (k *checker) durable(n *node, r Record) {
	m := k.of(n)
	switch r := r.(type) {
	case *Accepted:
		k.acceptedPrePrepare(m, r.PrePrepare)
	case *Fetched:
		m.keepBody(r.Seq, r.Body)
	case *Prepared:
		m.prepared[place{TypePrepare, r.Cert.View, r.Cert.Seq}] = r.Cert.Digest
		m.certified[batchAt{r.Cert.Seq, r.Cert.Digest}] = true
	case *Certified:
		m.certified[batchAt{r.Cert.Seq, r.Cert.Digest}] = true
		m.keepBody(r.Cert.Seq, r.Body)
	case *Activated:
		k.enter(n, r.NewView)
	case *Sent:
		switch msg := r.Msg.(type) {
		case *PrePrepare:
			k.acceptedPrePrepare(m, msg)
		case *NewView:
			k.enter(n, msg)
		}
	}
}

func (k *checker) acceptedPrePrepare(m *memory, p *PrePrepare) {
	m.accepted[place{TypePrePrepare, p.View, p.Seq}] = p.Digest
	m.keepBody(p.Seq, p.Body)
}

// enter checks a new view against everything that committed (I17).
func (k *checker) enter(n *node, v *NewView) {
	m := k.of(n)
	m.activated[v.View] = v
	for i, p := range v.Proposals {
		m.accepted[place{TypePrePrepare, v.View, v.proposalSeq(i)}] = p.Digest
	}
	d := v.contentDigest()
	if k.newViews[d] != nil {
		return
	}
	k.newViews[d] = v
	for seq, c := range k.committed {
		k.keeps(v, seq, c)
	}
}

// keeps is I17: what committed in a lower view is in O, or lies at or below it.
func (k *checker) keeps(v *NewView, seq Seq, c commitment) {
	minS := v.minStable()
	if c.view >= v.View || seq <= minS {
		return
	}
	if i := seq - minS - 1; i >= Seq(len(v.Proposals)) || v.Proposals[i].Digest != c.digest {
		k.failed("I17: view %d drops batch %v, committed at %d in view %d", v.View, c.digest, seq, c.view)
	}
}
