package byzantine

import (
	"math"

	"tagma/pbft"
)

// message returns a message of any type, full of absurd numbers and without a signature that holds.
func (m *Malformer) message() pbft.Message {
	makers := []func() pbft.Message{
		func() pbft.Message { return m.request() },
		func() pbft.Message {
			return &pbft.PrePrepare{View: m.view(), Seq: m.seq(), Digest: m.digest(), Body: m.body()}
		},
		func() pbft.Message {
			return &pbft.Prepare{View: m.view(), Seq: m.seq(), Digest: m.digest(), Replica: m.replica()}
		},
		func() pbft.Message {
			return &pbft.Commit{View: m.view(), Seq: m.seq(), Digest: m.digest(), Replica: m.replica()}
		},
		func() pbft.Message {
			return &pbft.Checkpoint{Seq: m.seq(), Digest: m.digest(), Replica: m.replica()}
		},
		func() pbft.Message { return &pbft.Suspect{View: m.view(), Replica: m.replica()} },
		func() pbft.Message { return m.viewChange() },
		func() pbft.Message {
			return &pbft.NewView{
				View: m.view(), ViewChanges: []pbft.ViewChange{*m.viewChange()}, Proposals: make([]pbft.Proposal, m.dice.IntN(4)),
			}
		},
		func() pbft.Message { return &pbft.Heartbeat{View: m.view()} },
		func() pbft.Message { return m.certified() },
		func() pbft.Message {
			return &pbft.StableNotice{Cert: pbft.StableCert{Seq: m.seq(), Digest: m.digest(), Checkpoints: m.endorsements(m.dice.IntN(5))}}
		},
		func() pbft.Message {
			return &pbft.Query{Nonce: m.number(), At: m.seq(), Op: make([]byte, m.dice.IntN(64))}
		},
		func() pbft.Message {
			return &pbft.Reply{Outcome: pbft.Outcome(m.dice.IntN(256)), Seq: m.seq(), View: m.view(), Results: make([][]byte, m.dice.IntN(4))}
		},
		func() pbft.Message { return &pbft.Report{Document: make([]byte, m.dice.IntN(64))} },
		func() pbft.Message { return m.status() },
	}
	return makers[m.dice.IntN(len(makers))]()
}

func (m *Malformer) request() *pbft.Request {
	r := &pbft.Request{
		ID:         pbft.RequestID{Client: pbft.PublicKey(m.digest()), Session: pbft.Session(m.number()), T: m.number()},
		AckedBelow: m.number(), Ops: make([][]byte, m.dice.IntN(5)),
	}
	for i := range r.Ops {
		r.Ops[i] = make([]byte, m.dice.IntN(32))
	}
	return r
}

func (m *Malformer) body() *pbft.Body {
	b := &pbft.Body{Time: int64(m.number())}
	for range m.dice.IntN(4) {
		b.Requests = append(b.Requests, m.request())
	}
	return b
}

func (m *Malformer) viewChange() *pbft.ViewChange {
	return &pbft.ViewChange{
		View: m.view(), Replica: m.replica(), Suspects: []pbft.Suspect{{View: m.view(), Replica: m.replica()}},
		Stable: pbft.StableCert{Seq: m.seq(), Digest: m.digest(), Checkpoints: m.endorsements(m.dice.IntN(5))},
		Prepared: []pbft.PreparedCert{{
			View: m.view(), Seq: m.seq(), Digest: m.digest(), Prepares: m.endorsements(m.dice.IntN(5)),
		}},
	}
}

func (m *Malformer) certified() *pbft.CertifiedBody {
	c := &pbft.CertifiedBody{Seq: m.seq(), Body: m.body()}
	if m.chance(2) {
		c.Cert = &pbft.CommitCert{View: m.view(), Seq: c.Seq, Digest: m.digest(), Commits: m.endorsements(m.dice.IntN(5))}
	}
	return c
}

// status is refused: a status bears no signature, so that one that keeps to the rules would be believed. This one names a
// member twice, or a helper that no cluster has.
func (m *Malformer) status() *pbft.Status {
	s := &pbft.Status{
		View: m.view(), Executed: m.seq(), Stable: m.seq(), Wall: int64(m.number()), Helper: math.MaxUint16,
		Slots: []pbft.SlotStatus{{Seq: m.seq(), Lacks: pbft.LacksCommits}},
	}
	if m.chance(2) {
		s.ViewChanges = []pbft.ReplicaID{1, 1}
	}
	return s
}

// number is mostly an end of the range or next to it.
func (m *Malformer) number() uint64 {
	ends := []uint64{0, 1, math.MaxUint64, math.MaxUint64 - 1, math.MaxInt64, math.MaxInt64 + 1, 1 << 62, 1<<62 + 1}
	if m.chance(4) {
		return m.dice.Uint64()
	}
	return ends[m.dice.IntN(len(ends))]
}

func (m *Malformer) view() pbft.View { return pbft.View(m.number()) }
func (m *Malformer) seq() pbft.Seq   { return pbft.Seq(m.number()) }

func (m *Malformer) replica() pbft.ReplicaID {
	if m.chance(2) {
		return pbft.ReplicaID(m.dice.IntN(4))
	}
	return pbft.ReplicaID(m.dice.IntN(math.MaxUint16 + 1))
}

func (m *Malformer) digest() (d pbft.Digest) {
	for i := range d {
		d[i] = byte(m.dice.Uint32())
	}
	return d
}
