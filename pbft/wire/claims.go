package wire

// Claims returns every signature in a message, including those in certificates and nested messages, each with its signer and
// the signed bytes. The message must have passed Check: otherwise a signer may not be a member, and its key is then zero.
//
// For a CertifiedBody only the commits of the certificate are returned: these, or the digest for which the body was
// fetched, vouch for its requests.
func Claims(cfg *Config, m Message) []Claim {
	c := &claims{cfg: cfg}
	switch m := m.(type) {
	case *PrePrepare:
		c.reserve(1 + m.Body.count())
		c.own(m, m.Sig)
		if m.Body != nil {
			for _, r := range m.Body.Requests {
				c.request(r)
			}
		}
	case *Request:
		c.request(m)
	case *Prepare:
		c.own(m, m.Sig)
	case *Commit:
		c.own(m, m.Sig)
	case *Checkpoint:
		c.own(m, m.Sig)
	case *Suspect:
		c.own(m, m.Sig)
	case *Heartbeat:
		c.own(m, m.Sig)
	case *ViewChange:
		c.reserve(m.countClaims())
		c.viewChange(m)
	case *NewView:
		c.newView(m)
	case *CertifiedBody:
		if m.Cert != nil {
			c.reserve(len(m.Cert.Commits))
			c.commitCert(m.Cert)
		}
	case *StableNotice:
		c.reserve(len(m.Cert.Checkpoints))
		c.stableCert(&m.Cert)
	case *HeldBy:
		c.heldBy(m)
	case *Data:
		if m.Offer != nil {
			c.stableCert(m.Offer)
		}
	case *Held, *Recover, *FetchSlots, *Slots, *FetchState: // only the link authenticates them
	case *Reply, *Status, *Fetch, *Inquire, *Report, *Attach, *Attached, *Query, *QueryReply: // no signatures: the link authenticates them
	case *Watch, *WatchTaken, *Changes, *Progress, *Attest, *Prove, *Proof:
	case *Attestation: // its receiver composes what is signed, from the cluster, the sender and the statement
	}
	return c.list
}

// claims collects claims. All signed strings are in one buffer, one after the other.
type claims struct {
	cfg  *Config
	list []Claim
	buf  []byte
}

// reserve makes room for n claims at once, because a new view has thousands.
func (c *claims) reserve(n int) {
	if n == 1 {
		one := new(oneClaim)
		c.list, c.buf = one.list[:0], one.buf[:0]
		return
	}
	c.list = make([]Claim, 0, n)
	c.buf = make([]byte, 0, n*signedBytes)
}

// oneClaim has room for one claim, which is enough for most messages.
type oneClaim struct {
	list [1]Claim
	buf  [signedBytes]byte
}

// next returns the buffer to which the next signed string is to be appended.
func (c *claims) next() []byte {
	if c.buf == nil {
		c.reserve(1)
	}
	return c.buf
}

// add takes the buffer back, to which one signed string was appended.
func (c *claims) add(signer PublicKey, buf []byte, sig Signature) {
	start := len(c.buf)
	c.buf = buf
	c.list = append(c.list, Claim{Signer: signer, Signed: buf[start:len(buf):len(buf)], Sig: sig})
}

func (c *claims) member(id ReplicaID) PublicKey {
	if int(id) >= c.cfg.N() {
		return PublicKey{}
	}
	return c.cfg.Members[id]
}

func (c *claims) own(m Message, sig Signature) {
	signer, _ := Signer(c.cfg, m)
	c.add(signer, appendSignable(c.next(), c.cfg, m), sig)
}

func (c *claims) request(r *Request) {
	c.add(r.ID.Client, appendSignedRequest(c.next(), c.cfg.Cluster, r.Digest()), r.Sig)
}

func (c *claims) proposal(v View, s Seq, d Digest, sig Signature) {
	c.add(c.member(c.cfg.Primary(v)), appendSignedProposal(c.next(), c.cfg, v, s, d), sig)
}

func (c *claims) stableCert(cert *StableCert) {
	for i := range cert.Checkpoints {
		e := &cert.Checkpoints[i]
		c.add(c.member(e.Replica), appendSignedCheckpoint(c.next(), c.cfg, cert.Seq, cert.Digest, e.Replica), e.Sig)
	}
}

func (c *claims) commitCert(cert *CommitCert) {
	for i := range cert.Commits {
		e := &cert.Commits[i]
		signed := appendSignedVote(c.next(), c.cfg, TypeCommit, cert.View, cert.Seq, cert.Digest, e.Replica)
		c.add(c.member(e.Replica), signed, e.Sig)
	}
}

func (c *claims) preparedCert(cert *PreparedCert) {
	c.proposal(cert.View, cert.Seq, cert.Digest, cert.PrePrepare)
	for i := range cert.Prepares {
		e := &cert.Prepares[i]
		signed := appendSignedVote(c.next(), c.cfg, TypePrepare, cert.View, cert.Seq, cert.Digest, e.Replica)
		c.add(c.member(e.Replica), signed, e.Sig)
	}
}

func (c *claims) viewChange(m *ViewChange) {
	c.own(m, m.Sig)
	for i := range m.Suspects {
		c.own(&m.Suspects[i], m.Suspects[i].Sig)
	}
	c.stableCert(&m.Stable)
	for i := range m.Prepared {
		c.preparedCert(&m.Prepared[i])
	}
}

func (c *claims) newView(m *NewView) {
	n := 1 + len(m.Proposals)
	for i := range m.ViewChanges {
		n += m.ViewChanges[i].countClaims()
	}
	c.reserve(n)
	c.own(m, m.Sig)
	for i := range m.ViewChanges {
		c.viewChange(&m.ViewChanges[i])
	}
	first := m.MinStable() + 1
	for i := range m.Proposals {
		p := &m.Proposals[i]
		c.proposal(m.View, first+Seq(i), p.Digest, p.Sig)
	}
}

func (c *claims) heldBy(m *HeldBy) {
	c.reserve(len(m.Said) + len(m.Stable.Checkpoints) + 3*c.cfg.Quorum() + len(m.Suspects))
	for i := range m.Said {
		s := &m.Said[i]
		c.add(c.member(m.Of), appendSignedStatement(c.next(), c.cfg, s, m.Of), s.Sig)
	}
	c.stableCert(&m.Stable)
	if m.Prepared != nil {
		c.preparedCert(m.Prepared)
	}
	if m.Commit != nil {
		c.commitCert(m.Commit)
	}
	for i := range m.Suspects {
		c.own(&m.Suspects[i], m.Suspects[i].Sig)
	}
}

func (m *ViewChange) countClaims() int {
	n := 1 + len(m.Suspects) + len(m.Stable.Checkpoints)
	for i := range m.Prepared {
		n += 1 + len(m.Prepared[i].Prepares)
	}
	return n
}

// count is the number of requests; 0 for nil.
func (b *Body) count() int {
	if b == nil {
		return 0
	}
	return len(b.Requests)
}
