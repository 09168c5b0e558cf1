package pbft

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

// heldBy shows one statement of every type by a replica, and a proof of every kind.
func (c *wireCluster) heldBy(of ReplicaID) *HeldBy {
	b := c.body()
	vc := c.viewChange(5, of, c.stableCert(10))
	m := &HeldBy{
		Nonce: 9, Of: of, Whole: true, Stable: c.stableCert(10),
		Prepared: new(c.preparedCert(2, 12, b)), Commit: c.commitCert(2, 11, b.Digest()), View: 5, Suspects: vc.Suspects,
	}
	v := View(of) // it is the primary of this one
	for v <= 5 {
		v += View(c.cfg.N())
	}
	for _, said := range []Message{
		c.prePrepare(v, 13, b), c.prepare(2, 11, b.Digest(), of), c.commit(2, 11, b.Digest(), of),
		c.checkpoint(20, Digest{0x57, 20}, of), vc, c.newViewOf(v),
	} {
		if s, ok := saidIn(said); ok {
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

type wireSample struct {
	name string
	m    Message
}

func (c *wireCluster) samples() []wireSample {
	d, b := Digest{0xd1, 0xd2}, c.body()
	suspect := &Suspect{View: 3, Replica: 2}
	c.sign(suspect)
	heartbeat := &Heartbeat{View: 6}
	c.sign(heartbeat)
	statement := c.prePrepare(2, 11, b)
	statement.Body = nil
	return []wireSample{
		{"request", c.request(3, "put k v")},
		{"pre-prepare", c.prePrepare(2, 11, b)},
		{"pre-prepare of the null request", c.prePrepare(2, 12, &Body{})},
		{"pre-prepare without body", statement},
		{"prepare", c.prepare(2, 11, d, 1)},
		{"commit", c.commit(2, 11, d, 3)},
		{"checkpoint", c.checkpoint(20, d, 1)},
		{"suspect", suspect},
		{"view-change", c.viewChange(5, 2, c.stableCert(10), c.preparedCert(1, 11, b), c.preparedCert(4, 30, NullBody))},
		{"view-change of a fresh replica", c.viewChange(1, 3, StableCert{})},
		{"new-view", c.newView()},
		{"heartbeat", heartbeat},
		{"reply", &Reply{ID: b.Requests[0].ID, Request: d, Outcome: OutcomeExecuted, Seq: 11, Results: [][]byte{{1, 2}, {}}, View: 2}},
		{"reply with the digest of its results", &Reply{
			ID: b.Requests[0].ID, Request: d, Outcome: OutcomeExecuted, Seq: 11, View: 2,
			ResultDigest: new(DigestResults([][]byte{{1, 2}, {}})),
		}},
		{"reply busy", &Reply{ID: b.Requests[0].ID, Request: d, Outcome: OutcomeBusy, View: 2, RetryAfterMillis: 250}},
		{"status", &Status{
			View: 4, Active: true, Executed: 12, Stable: 10, Wall: -1, Helper: 2, ViewChanges: []ReplicaID{0, 3},
			Slots: []SlotStatus{{13, LacksProposal}, {15, LacksPrepares | LacksCommits}},
		}},
		{"fetch", &Fetch{Seq: 11, Digest: d}},
		{"certified-body", &CertifiedBody{Seq: 11, Body: b, Cert: c.commitCert(2, 11, b.Digest())}},
		{"certified-body without certificate", &CertifiedBody{Seq: 11, Body: b}},
		{"stable-notice", &StableNotice{Cert: c.stableCert(20)}},
		{"inquire", &Inquire{}},
		{"query", &Query{Nonce: 5, At: 11, Op: []byte("get k")}},
		{"query-reply", &QueryReply{Nonce: 5, At: 11, Outcome: QueryAnswered, Result: []byte("v")}},
		{"query-reply of a state not retained", &QueryReply{Nonce: 6, At: 1, Outcome: QueryNotRetained, Result: []byte{}}},
		{"attach", &Attach{Session: 7}},
		{"report", &Report{Document: []byte(`{"view":2}`)}},
		{"held", &Held{Nonce: 9, Above: 10}},
		{"held-by", c.heldBy(1)},
		{"held-by that knows nothing", &HeldBy{Nonce: 9, Of: 1}},
		{"recover", &Recover{Until: 30}},
		{"fetch-slots", &FetchSlots{From: 11, Most: 256}},
		{"slots", &Slots{From: 11, Next: 14}},
		{"fetch-state", &FetchState{Seq: 20, Query: []byte{1, 2}}},
		{"fetch-state for the newest", &FetchState{Query: []byte{}}},
		{"data", &Data{Seq: 20, Answer: []byte{3, 4}}},
		{"data with an offer", &Data{Offer: new(c.stableCert(20)), Answer: []byte{}}},
	}
}

type wireRecord struct {
	name string
	r    Record
	seq  Seq
}

func (c *wireCluster) records() []wireRecord {
	d, b := Digest{0xd1}, c.body()
	return []wireRecord{
		{"head", &Head{Cluster: c.cfg.Cluster, Epoch: 3, Self: 2, View: 4, Active: true}, 0},
		{"sent pre-prepare", &Sent{c.prePrepare(2, 11, b)}, 11},
		{"sent prepare", &Sent{c.prepare(2, 12, d, 1)}, 12},
		{"sent commit", &Sent{c.commit(2, 13, d, 1)}, 13},
		{"sent checkpoint", &Sent{c.checkpoint(20, d, 1)}, 20},
		{"sent view-change", &Sent{c.viewChange(5, 2, c.stableCert(10))}, 0},
		{"sent new-view", &Sent{c.newView()}, 0},
		{"accepted", &Accepted{c.prePrepare(2, 11, b)}, 11},
		{"fetched", &Fetched{Seq: 14, Body: b}, 14},
		{"prepared", &Prepared{c.preparedCert(2, 15, b)}, 15},
		{"certified", &Certified{Cert: *c.commitCert(2, 16, b.Digest()), Body: b}, 16},
		{"committed", &Committed{*c.commitCert(2, 17, d)}, 17},
		{"stable", &Stable{c.stableCert(20)}, 20},
		{"activated", &Activated{c.newView()}, 0},
		{"head with a life", &Head{Cluster: c.cfg.Cluster, Epoch: 3, Self: 2, View: 4, Life: Life{0x1f}}, 0},
		{"recovering", &Recovering{
			Life: Life{0x1f}, Until: 40, View: 6, Suspects: c.viewChange(5, 2, StableCert{}).Suspects,
		}, 0},
		{"recovering in view 1", &Recovering{Life: Life{0x1f}, Until: 20, View: 1}, 0},
		{"installed", &Installed{c.stableCert(20)}, 20},
		{"witness", &Witness{Replica: 3, Said: Statement{TypeCheckpoint, 0, 20, d, c.checkpoint(20, d, 3).Sig}}, 0},
	}
}

// evidence has one proof of every sort that convicts (E1).
func (c *wireCluster) evidence() []Evidence {
	d, e := Digest{0xd1}, Digest{0xd2}
	proof := func(by ReplicaID, first, second Message) Evidence {
		return Evidence{Replica: by, Kind: Equivocation, First: statementOf(first), Second: statementOf(second)}
	}
	return []Evidence{
		proof(2, c.prePrepare(2, 11, NullBody), c.prePrepare(2, 11, c.body())),
		proof(1, c.prepare(2, 11, d, 1), c.prepare(2, 11, e, 1)),
		proof(3, c.commit(2, 11, d, 3), c.commit(2, 11, e, 3)),
		proof(3, c.checkpoint(20, d, 3), c.checkpoint(20, e, 3)),
		proof(2, c.viewChange(5, 2, c.stableCert(10)), c.viewChange(5, 2, StableCert{})),
	}
}
