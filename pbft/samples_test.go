package pbft

import (
	"crypto/sha512"
	"fmt"
	"time"

	"tagma/pbft/wire"
)

// wireCluster makes messages of every type that pass Check and whose claims hold. Its signatures are hashes of key and
// bytes: cheap, deterministic, and as sensitive to a changed bit as real ones.
type wireCluster struct{ cfg wire.Config }

func newWireCluster(n int) *wireCluster {
	c := &wireCluster{cfg: wire.Config{
		Cluster: wire.Digest{0xc1}, Epoch: 3, CheckpointInterval: 10, LogWindow: 20,
		MaxBatch: 4, MaxBatchBytes: 2048, MaxOps: 3, MaxOpBytes: 512, MaxResultBytes: 64, ViewTimeout: time.Second,
	}.WithDefaults()}
	for i := range n {
		c.cfg.Members = append(c.cfg.Members, wire.PublicKey{0xaa, byte(i)})
	}
	c.cfg.Client = func(k wire.PublicKey) bool { return k[0] == 0xcc }
	return c
}

func wireSign(key wire.PublicKey) func([]byte) wire.Signature {
	return func(signed []byte) wire.Signature {
		return sha512.Sum512(append(append([]byte{}, key[:]...), signed...))
	}
}

func wireHolds(claims []wire.Claim) bool {
	for _, c := range claims {
		if c.Sig != wireSign(c.Signer)(c.Signed) {
			return false
		}
	}
	return true
}

// sign signs by whoever the message says it is from.
func (c *wireCluster) sign(m wire.Message) {
	key, ok := wire.Signer(&c.cfg, m)
	if !ok {
		panic(fmt.Sprintf("no signer of %v", wire.TypeOf(m)))
	}
	wire.Sign(&c.cfg, m, wireSign(key))
}

func (c *wireCluster) request(t uint64, ops ...string) *wire.Request {
	r := &wire.Request{ID: wire.RequestID{Client: wire.PublicKey{0xcc, 1}, Session: 7, T: t}, AckedBelow: t, ReadOnly: t%2 == 0}
	for _, op := range ops {
		r.Ops = append(r.Ops, []byte(op))
	}
	c.sign(r)
	return r
}

func (c *wireCluster) prePrepare(v wire.View, s wire.Seq, b *wire.Body) *wire.PrePrepare {
	m := &wire.PrePrepare{View: v, Seq: s, Digest: b.Digest(), Body: b}
	c.sign(m)
	return m
}

func (c *wireCluster) prepare(v wire.View, s wire.Seq, d wire.Digest, by wire.ReplicaID) *wire.Prepare {
	m := &wire.Prepare{View: v, Seq: s, Digest: d, Replica: by}
	c.sign(m)
	return m
}

func (c *wireCluster) commit(v wire.View, s wire.Seq, d wire.Digest, by wire.ReplicaID) *wire.Commit {
	m := &wire.Commit{View: v, Seq: s, Digest: d, Replica: by}
	c.sign(m)
	return m
}

func (c *wireCluster) checkpoint(s wire.Seq, d wire.Digest, by wire.ReplicaID) *wire.Checkpoint {
	m := &wire.Checkpoint{Seq: s, Digest: d, Replica: by}
	c.sign(m)
	return m
}

func (c *wireCluster) preparedCert(v wire.View, s wire.Seq, b *wire.Body) wire.PreparedCert {
	cert := wire.PreparedCert{View: v, Seq: s, Digest: b.Digest(), PrePrepare: c.prePrepare(v, s, b).Sig}
	for id := wire.ReplicaID(0); len(cert.Prepares) < c.cfg.Prepares(); id++ {
		if id != c.cfg.Primary(v) {
			cert.Prepares = append(cert.Prepares, wire.Endorsement{Replica: id, Sig: c.prepare(v, s, cert.Digest, id).Sig})
		}
	}
	return cert
}

func (c *wireCluster) commitCert(v wire.View, s wire.Seq, d wire.Digest) *wire.CommitCert {
	cert := &wire.CommitCert{View: v, Seq: s, Digest: d}
	for id := range wire.ReplicaID(c.cfg.Quorum()) {
		cert.Commits = append(cert.Commits, wire.Endorsement{Replica: id, Sig: c.commit(v, s, d, id).Sig})
	}
	return cert
}

func (c *wireCluster) stableCert(s wire.Seq) wire.StableCert {
	cert := wire.StableCert{Seq: s, Digest: wire.Digest{0x57, byte(s)}}
	for id := range wire.ReplicaID(c.cfg.Quorum()) {
		cert.Checkpoints = append(cert.Checkpoints, wire.Endorsement{Replica: id, Sig: c.checkpoint(s, cert.Digest, id).Sig})
	}
	return cert
}

func (c *wireCluster) viewChange(v wire.View, by wire.ReplicaID, stable wire.StableCert, prepared ...wire.PreparedCert) *wire.ViewChange {
	m := &wire.ViewChange{View: v, Replica: by, Stable: stable, Prepared: prepared}
	for id := range wire.ReplicaID(c.cfg.Weak()) {
		s := &wire.Suspect{View: v - 1 + wire.View(id), Replica: id}
		c.sign(s)
		m.Suspects = append(m.Suspects, *s)
	}
	c.sign(m)
	return m
}

// newViewOf returns the NewView of any view above 0, with nothing in its O.
func (c *wireCluster) newViewOf(v wire.View) *wire.NewView {
	m := &wire.NewView{View: v}
	for id := range wire.ReplicaID(c.cfg.Quorum()) {
		m.ViewChanges = append(m.ViewChanges, *c.viewChange(v, id, wire.StableCert{}))
	}
	c.sign(m)
	return m
}
