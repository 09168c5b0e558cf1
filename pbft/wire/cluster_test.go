package wire

import (
	"crypto/sha512"
	"fmt"
	"time"
)

// wireCluster makes messages of every type that pass Check and whose claims hold. Its signatures are hashes of key and
// bytes: cheap, deterministic, and as sensitive to a changed bit as real ones.
type wireCluster struct{ cfg Config }

func newWireCluster(n int) *wireCluster {
	c := &wireCluster{cfg: Config{
		Cluster: Digest{0xc1}, Epoch: 3, CheckpointInterval: 10, LogWindow: 20,
		MaxBatch: 4, MaxBatchBytes: 2048, MaxOps: 3, MaxOpBytes: 512, MaxResultBytes: 64, ViewTimeout: time.Second,
	}.WithDefaults()}
	for i := range n {
		c.cfg.Members = append(c.cfg.Members, PublicKey{0xaa, byte(i)})
	}
	c.cfg.Client = func(k PublicKey) bool { return k[0] == 0xcc }
	return c
}

func wireSign(key PublicKey) func([]byte) Signature {
	return func(signed []byte) Signature {
		return sha512.Sum512(append(append([]byte{}, key[:]...), signed...))
	}
}

func wireHolds(claims []Claim) bool {
	for _, c := range claims {
		if c.Sig != wireSign(c.Signer)(c.Signed) {
			return false
		}
	}
	return true
}

// sign signs by whoever the message says it is from.
func (c *wireCluster) sign(m Message) {
	key, ok := Signer(&c.cfg, m)
	if !ok {
		panic(fmt.Sprintf("no signer of %v", TypeOf(m)))
	}
	Sign(&c.cfg, m, wireSign(key))
}

func (c *wireCluster) request(t uint64, ops ...string) *Request {
	r := &Request{ID: RequestID{Client: PublicKey{0xcc, 1}, Session: 7, T: t}, AckedBelow: t, ReadOnly: t%2 == 0}
	for _, op := range ops {
		r.Ops = append(r.Ops, []byte(op))
	}
	c.sign(r)
	return r
}

func (c *wireCluster) body() *Body {
	return &Body{Time: 1_700_000_000_000_000_000, Requests: []*Request{c.request(1, "put a 1", ""), c.request(2, "get b")}}
}

func (c *wireCluster) prePrepare(v View, s Seq, b *Body) *PrePrepare {
	m := &PrePrepare{View: v, Seq: s, Digest: b.Digest(), Body: b}
	c.sign(m)
	return m
}

func (c *wireCluster) prepare(v View, s Seq, d Digest, by ReplicaID) *Prepare {
	m := &Prepare{View: v, Seq: s, Digest: d, Replica: by}
	c.sign(m)
	return m
}

func (c *wireCluster) commit(v View, s Seq, d Digest, by ReplicaID) *Commit {
	m := &Commit{View: v, Seq: s, Digest: d, Replica: by}
	c.sign(m)
	return m
}

func (c *wireCluster) checkpoint(s Seq, d Digest, by ReplicaID) *Checkpoint {
	m := &Checkpoint{Seq: s, Digest: d, Replica: by}
	c.sign(m)
	return m
}

func (c *wireCluster) preparedCert(v View, s Seq, b *Body) PreparedCert {
	cert := PreparedCert{View: v, Seq: s, Digest: b.Digest(), PrePrepare: c.prePrepare(v, s, b).Sig}
	for id := ReplicaID(0); len(cert.Prepares) < c.cfg.Quorum()-1; id++ {
		if id != c.cfg.Primary(v) {
			cert.Prepares = append(cert.Prepares, Endorsement{id, c.prepare(v, s, cert.Digest, id).Sig})
		}
	}
	return cert
}

func (c *wireCluster) commitCert(v View, s Seq, d Digest) *CommitCert {
	cert := &CommitCert{View: v, Seq: s, Digest: d}
	for id := range ReplicaID(c.cfg.Quorum()) {
		cert.Commits = append(cert.Commits, Endorsement{id, c.commit(v, s, d, id).Sig})
	}
	return cert
}

func (c *wireCluster) stableCert(s Seq) StableCert {
	cert := StableCert{Seq: s, Digest: Digest{0x57, byte(s)}}
	for id := range ReplicaID(c.cfg.Quorum()) {
		cert.Checkpoints = append(cert.Checkpoints, Endorsement{id, c.checkpoint(s, cert.Digest, id).Sig})
	}
	return cert
}

func (c *wireCluster) viewChange(v View, by ReplicaID, stable StableCert, prepared ...PreparedCert) *ViewChange {
	m := &ViewChange{View: v, Replica: by, Stable: stable, Prepared: prepared}
	for id := range ReplicaID(c.cfg.Weak()) {
		s := &Suspect{View: v - 1 + View(id), Replica: id}
		c.sign(s)
		m.Suspects = append(m.Suspects, *s)
	}
	c.sign(m)
	return m
}

// newView has min-s 10 and max-s 12; one of its view changes is behind and one shows nothing prepared.
func (c *wireCluster) newView() *NewView {
	b := c.body()
	m := &NewView{View: 5}
	for id := range ReplicaID(c.cfg.Quorum()) {
		var vc *ViewChange
		switch id {
		case 0:
			vc = c.viewChange(5, id, StableCert{}, c.preparedCert(1, 9, NullBody), c.preparedCert(4, 12, b))
		case 1:
			vc = c.viewChange(5, id, c.stableCert(10), c.preparedCert(3, 12, NullBody))
		default:
			vc = c.viewChange(5, id, c.stableCert(10))
		}
		m.ViewChanges = append(m.ViewChanges, *vc)
	}
	m.Proposals = []Proposal{{Digest: NullDigest}, {Digest: b.Digest()}}
	c.sign(m)
	return m
}

// heldBy returns an answer with one statement of every type by a replica, and one proof of every kind.
func (c *wireCluster) heldBy(of ReplicaID) *HeldBy {
	b := c.body()
	vc := c.viewChange(5, of, c.stableCert(10))
	m := &HeldBy{
		Nonce: 9, Of: of, Whole: true, Stable: c.stableCert(10),
		Prepared: new(c.preparedCert(2, 12, b)), Commit: c.commitCert(2, 11, b.Digest()), View: 5, Suspects: vc.Suspects,
	}
	v := View(of) // the replica is the primary of this view
	for v <= 5 {
		v += View(c.cfg.N())
	}
	for _, said := range []Message{
		c.prePrepare(v, 13, b), c.prepare(2, 11, b.Digest(), of), c.commit(2, 11, b.Digest(), of),
		c.checkpoint(20, Digest{0x57, 20}, of), vc, c.newViewOf(v),
	} {
		if s, ok := SaidIn(said); ok {
			m.Said = append(m.Said, s)
		}
	}
	return m
}

// newViewOf is the empty new view of any view above 0.
func (c *wireCluster) newViewOf(v View) *NewView {
	m := &NewView{View: v}
	for id := range ReplicaID(c.cfg.Quorum()) {
		m.ViewChanges = append(m.ViewChanges, *c.viewChange(v, id, StableCert{}))
	}
	c.sign(m)
	return m
}
