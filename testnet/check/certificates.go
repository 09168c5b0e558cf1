package check

import (
	"crypto/sha256"
	"encoding/binary"

	"tagma/pbft"
)

// Certificates are counted here again, without pbft's own counting (I11): distinct members, in the right roles, enough of
// them, and of some the signatures (I10).

// crowd is a set of replicas.
type crowd [crowdWords]uint64

const crowdWords = pbft.MaxMembers / 64

// add puts a replica in and reports whether it was not there.
func (c *crowd) add(id pbft.ReplicaID) bool {
	word, bit := &c[id/64%crowdWords], uint64(1)<<(id%64)
	fresh := *word&bit == 0
	*word |= bit
	return fresh
}

// distinct checks that endorsements are of distinct members, none of them the one left out, and at least so many.
func (m *Monitor) distinct(by pbft.ReplicaID, what string, seq pbft.Seq, endorsed []pbft.Endorsement, least, leftOut int) {
	m.checked(i11)
	var c crowd
	for i := range endorsed {
		id := endorsed[i].Replica
		switch {
		case int(id) >= m.n:
			m.fail(i11, by, "a %s certificate of replica %d for %d counts replica %d, which is no member", what, by, seq, id)
			return
		case int(id) == leftOut:
			m.fail(i11, by, "a %s certificate of replica %d for %d counts a vote of the primary %d", what, by, seq, id)
		case !c.add(id):
			m.fail(i11, by, "a %s certificate of replica %d for %d counts replica %d twice", what, by, seq, id)
		}
	}
	if len(endorsed) < least {
		m.fail(i11, by, "a %s certificate of replica %d for %d has %d votes, and %d are a quorum",
			what, by, seq, len(endorsed), least)
	}
}

func (m *Monitor) primary(v pbft.View) int { return int(uint64(v) % uint64(m.n)) }

func (m *Monitor) recountPrepared(by pbft.ReplicaID, c *pbft.PreparedCert) {
	m.distinct(by, "prepared", c.Seq, c.Prepares, m.q-1, m.primary(c.View))
	if !m.sampled() {
		return
	}
	claims := []pbft.Claim{m.claim(&pbft.PrePrepare{View: c.View, Seq: c.Seq, Digest: c.Digest}, c.PrePrepare)}
	for _, e := range c.Prepares {
		claims = append(claims, m.claim(&pbft.Prepare{View: c.View, Seq: c.Seq, Digest: c.Digest, Replica: e.Replica}, e.Sig))
	}
	m.signed(by, "a prepared certificate", claims)
}

func (m *Monitor) recountCommitted(by pbft.ReplicaID, c *pbft.CommitCert) {
	m.distinct(by, "commit", c.Seq, c.Commits, m.q, -1)
	if !m.sampled() {
		return
	}
	var claims []pbft.Claim
	for _, e := range c.Commits {
		claims = append(claims, m.claim(&pbft.Commit{View: c.View, Seq: c.Seq, Digest: c.Digest, Replica: e.Replica}, e.Sig))
	}
	m.signed(by, "a commit certificate", claims)
}

func (m *Monitor) recountStable(by pbft.ReplicaID, c *pbft.StableCert) {
	if c.Seq == 0 {
		return // the initial state needs no proof
	}
	m.distinct(by, "stable", c.Seq, c.Checkpoints, m.q, -1)
	if !m.sampled() {
		return
	}
	var claims []pbft.Claim
	for _, e := range c.Checkpoints {
		claims = append(claims, m.claim(&pbft.Checkpoint{Seq: c.Seq, Digest: c.Digest, Replica: e.Replica}, e.Sig))
	}
	m.signed(by, "a stable certificate", claims)
}

// recountViewChange counts what a view change shows: f+1 distinct suspects of its view or above, and certificates.
func (m *Monitor) recountViewChange(by pbft.ReplicaID, v *pbft.ViewChange) {
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

// claim is a statement with the signature that a certificate shows for it.
func (m *Monitor) claim(msg pbft.Message, sig pbft.Signature) pbft.Claim {
	key, _ := pbft.Signer(m.cfg, msg)
	return pbft.Claim{Signer: key, Signed: pbft.Signable(m.cfg, msg), Sig: sig}
}

// sampled reports whether it is time to verify signatures again.
func (m *Monitor) sampled() bool {
	m.seen++
	return m.seen%m.every == 0
}

// signed is I10.
func (m *Monitor) signed(by pbft.ReplicaID, what string, claims []pbft.Claim) {
	m.checked(i10)
	for i := range claims {
		if claims[i].Signer == (pbft.PublicKey{}) {
			m.fail(i10, by, "replica %d believed %s signed by who is no member", by, what)
			return
		}
	}
	if !m.holds(claims) {
		m.fail(i10, by, "replica %d believed %s with a signature that does not hold", by, what)
	}
}

// received is I10 for a message that the core took: its signatures hold, and a vote came from its signer.
func (m *Monitor) received(o *observed, e pbft.Received, effects []pbft.Effect) {
	msg := e.Msg.Message()
	if e.From.Loopback || ignored(msg, effects) {
		return
	}
	m.checked(i10)
	link := e.From.Replica
	switch v := msg.(type) {
	case *pbft.Prepare:
		link = v.Replica
	case *pbft.Commit:
		link = v.Replica
	case *pbft.Checkpoint:
		link = v.Replica
	case *pbft.Suspect:
		link = v.Replica
	case *pbft.Heartbeat:
		link = pbft.ReplicaID(m.primary(v.View))
	default: // may be passed on, or has no signer
	}
	if link != e.From.Replica {
		m.fail(i10, o.id, "replica %d took a %v of replica %d from another one", o.id, pbft.TypeOf(msg), link)
	}
	if _, asks := msg.(*pbft.Request); e.From.Client && !asks {
		m.fail(i10, o.id, "replica %d took a %v from a client", o.id, pbft.TypeOf(msg))
	}
	if !m.sampled() {
		return
	}
	if claims := pbft.Claims(m.cfg, msg); len(claims) > 0 {
		m.signed(o.id, "a "+pbft.TypeOf(msg).String(), claims)
	}
}

// ignored reports whether a message changed nothing.
func ignored(msg pbft.Message, effects []pbft.Effect) bool {
	for _, e := range effects {
		if d, ok := e.(pbft.Dropped); ok && d.Msg == msg {
			return true
		}
	}
	return false
}

// fingerprint tells new views apart by what they show and propose, signed or not.
func fingerprint(cfg *pbft.Config, v *pbft.NewView) (d pbft.Digest) {
	h := sha256.New()
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(v.View)))
	for i := range v.ViewChanges {
		h.Write(pbft.Signable(cfg, &v.ViewChanges[i]))
	}
	for i := range v.Proposals {
		h.Write(v.Proposals[i].Digest[:])
	}
	h.Sum(d[:0])
	return d
}
