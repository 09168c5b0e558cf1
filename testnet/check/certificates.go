package check

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// Certificates are counted again in this file, without the code of pbft (I11): their signers must be distinct members in
// the right roles, and there must be enough of them. Some of the signatures are verified again (I10).

// crowd is a set of replicas.
type crowd [crowdWords]uint64

const crowdWords = wire.MaxMembers / 64

// add adds a replica and reports whether it is new.
func (c *crowd) add(id wire.ReplicaID) bool {
	word, bit := &c[id/64%crowdWords], uint64(1)<<(id%64)
	fresh := *word&bit == 0
	*word |= bit
	return fresh
}

func (m *Monitor) primary(v wire.View) int { return int(uint64(v) % uint64(m.n)) }

func (m *Monitor) recountPrepared(by wire.ReplicaID, c *wire.PreparedCert) {
	primary := wire.ReplicaID(m.primary(c.View))
	needed := m.q - 1
	if m.cfg.Crash {
		needed = 0 // F2
	}
	m.recount(by, "prepared", c.Seq, c.Prepares, needed, func(id wire.ReplicaID) wire.Message {
		if id == primary {
			return &wire.PrePrepare{View: c.View, Seq: c.Seq, Digest: c.Digest}
		}
		return &wire.Prepare{View: c.View, Seq: c.Seq, Digest: c.Digest, Replica: id}
	}, wire.Endorsement{Replica: primary, Sig: c.PrePrepare})
}

func (m *Monitor) recountCommitted(by wire.ReplicaID, c *wire.CommitCert) {
	m.recount(by, "commit", c.Seq, c.Commits, m.q, func(id wire.ReplicaID) wire.Message {
		return &wire.Commit{View: c.View, Seq: c.Seq, Digest: c.Digest, Replica: id}
	})
}

func (m *Monitor) recountStable(by wire.ReplicaID, c *wire.StableCert) {
	if c.Seq == 0 {
		return // the initial state needs no proof
	}
	m.recount(by, "stable", c.Seq, c.Checkpoints, m.q, func(id wire.ReplicaID) wire.Message {
		return &wire.Checkpoint{Seq: c.Seq, Digest: c.Digest, Replica: id}
	})
}

// recount checks that there are endorsements of at least so many distinct members (I11). If the pre-prepare is the
// primary's endorsement, the primary must not be among them. For some of the certificates it verifies the signatures
// again (I10).
func (m *Monitor) recount(
	by wire.ReplicaID, what string, seq wire.Seq, endorsed []wire.Endorsement, least int,
	says func(wire.ReplicaID) wire.Message, primary ...wire.Endorsement,
) {
	m.checked(i11)
	var c crowd
	for i := range primary {
		c.add(primary[i].Replica)
	}
	for i := range endorsed {
		id := endorsed[i].Replica
		if int(id) >= m.n {
			m.fail(i11, by, "a %s certificate of replica %d for %d counts replica %d, which is no member", what, by, seq, id)
			return
		}
		if !c.add(id) {
			m.fail(i11, by, "a %s certificate of replica %d for %d counts replica %d twice", what, by, seq, id)
		}
	}
	if len(endorsed) < least {
		m.fail(i11, by, "a %s certificate of replica %d for %d has %d votes, and %d are a quorum",
			what, by, seq, len(endorsed), least)
	}
	if !m.sampled() {
		return
	}
	var claims []wire.Claim
	for _, e := range slices.Concat(primary, endorsed) {
		claims = append(claims, m.claim(says(e.Replica), e.Sig))
	}
	m.signed(by, "a "+what+" certificate", claims)
}

// recountViewChange counts a view change: f+1 distinct suspects of the view before it or a later one, and certificates.
func (m *Monitor) recountViewChange(by wire.ReplicaID, v *wire.ViewChange) {
	m.checked(i11)
	var c crowd
	suspects := 0
	for i := range v.Suspects {
		s := &v.Suspects[i]
		if int(s.Replica) < m.n && s.View+1 >= v.View && c.add(s.Replica) {
			suspects++
		}
	}
	if suspects < m.f+1 {
		m.fail(i11, by, "a view change of replica %d to %d rests on %d suspects, and %d are needed", v.Replica, v.View, suspects, m.f+1)
	}
	m.recountStable(by, &v.Stable)
	last := v.Stable.Seq
	for i := range v.Prepared {
		p := &v.Prepared[i]
		if p.Seq <= last || p.View >= v.View {
			m.fail(i11, by, "a view change of replica %d to %d shows what prepared for (%d, %d) in the wrong place",
				v.Replica, v.View, p.View, p.Seq)
		}
		last = p.Seq
		m.recountPrepared(by, p)
	}
}

// claim is a statement with the signature for it in a certificate.
func (m *Monitor) claim(msg wire.Message, sig wire.Signature) wire.Claim {
	key, _ := wire.Signer(m.cfg, msg)
	return wire.Claim{Signer: key, Signed: wire.Signable(m.cfg, msg), Sig: sig}
}

// sampled reports whether it is time to verify signatures again.
func (m *Monitor) sampled() bool {
	m.seen++
	return m.holds != nil && m.seen%m.every == 0
}

// signed checks I10 for the signatures of one message or certificate.
func (m *Monitor) signed(by wire.ReplicaID, what string, claims []wire.Claim) {
	m.checked(i10)
	for i := range claims {
		if claims[i].Signer == (wire.PublicKey{}) {
			m.fail(i10, by, "replica %d believed %s signed by who is no member", by, what)
			return
		}
	}
	if !m.holds(claims) {
		m.fail(i10, by, "replica %d believed %s with a signature that does not hold", by, what)
	}
}

// received checks I10 for a message that the core took: its signatures are valid, and a vote came from its signer.
func (m *Monitor) received(o *observed, e port.Received, effects []port.Effect) {
	msg := e.Msg.Message()
	if e.From.Loopback || ignored(msg, effects) {
		return
	}
	m.checked(i10)
	switch msg.(type) {
	case *wire.Prepare, *wire.Commit, *wire.Checkpoint, *wire.Suspect, *wire.Heartbeat:
		if by, _ := wire.Sender(m.cfg, msg); by != e.From.Replica {
			m.fail(i10, o.id, "replica %d took a %v of replica %d from another one", o.id, wire.TypeOf(msg), by)
		}
	default: // any replica may pass on the others, or they have no signer
	}
	if _, asks := msg.(*wire.Request); e.From.Client && !asks {
		m.fail(i10, o.id, "replica %d took a %v from a client", o.id, wire.TypeOf(msg))
	}
	if !m.sampled() {
		return
	}
	if claims := wire.Claims(m.cfg, msg); len(claims) > 0 {
		m.signed(o.id, "a "+wire.TypeOf(msg).String(), claims)
	}
}

// ignored reports whether the core ignored a message.
func ignored(msg wire.Message, effects []port.Effect) bool {
	for _, e := range effects {
		if d, ok := e.(port.Dropped); ok && d.Msg == msg {
			return true
		}
	}
	return false
}

// fingerprint distinguishes new views by what they contain and propose, whether they are signed or not.
func fingerprint(v *wire.NewView) wire.Digest {
	shown := binary.BigEndian.AppendUint64(nil, uint64(v.View))
	for i := range v.ViewChanges {
		vc := &v.ViewChanges[i]
		d := vc.ContentDigest()
		shown = append(binary.BigEndian.AppendUint16(shown, uint16(vc.Replica)), d[:]...)
	}
	for i := range v.Proposals {
		shown = append(shown, v.Proposals[i].Digest[:]...)
	}
	return sha256.Sum256(shown)
}
