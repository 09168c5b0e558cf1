package wire

const (
	// endorsementBytes is the encoded size of an Endorsement.
	endorsementBytes = 2 + signatureBytes
	// statementBytes is the encoded size of (view, seq, digest).
	statementBytes = 8 + 8 + len(Digest{})
	// minPreparedCert is the encoded size of a PreparedCert without prepares.
	minPreparedCert = statementBytes + signatureBytes + lengthBytes
	// minStableCert is the encoded size of a StableCert without checkpoints.
	minStableCert = 8 + len(Digest{}) + lengthBytes
)

func appendEndorsements(b []byte, list []Endorsement) []byte {
	b = appendCount(b, len(list))
	for i := range list {
		b = appendU16(b, uint16(list[i].Replica))
		b = append(b, list[i].Sig[:]...)
	}
	return b
}

func readEndorsements(r *reader) []Endorsement {
	return readAscending(r, "signers", maxListedReplicas, endorsementBytes,
		func(r *reader) Endorsement { return Endorsement{Replica: r.replica(), Sig: r.signature()} },
		func(e *Endorsement) uint16 { return uint16(e.Replica) })
}

func appendPreparedCert(b []byte, c *PreparedCert) []byte {
	b = appendStatement(b, c.View, c.Seq, c.Digest)
	b = append(b, c.PrePrepare[:]...)
	return appendEndorsements(b, c.Prepares)
}

func readPreparedCert(r *reader) (c PreparedCert) {
	c.View, c.Seq, c.Digest = readStatement(r)
	c.PrePrepare = r.signature()
	c.Prepares = readEndorsements(r)
	return c
}

func appendCommitCert(b []byte, c *CommitCert) []byte {
	b = appendStatement(b, c.View, c.Seq, c.Digest)
	return appendEndorsements(b, c.Commits)
}

func readCommitCert(r *reader) (c CommitCert) {
	c.View, c.Seq, c.Digest = readStatement(r)
	c.Commits = readEndorsements(r)
	return c
}

func appendStableCert(b []byte, c *StableCert) []byte {
	b = appendU64(b, uint64(c.Seq))
	b = append(b, c.Digest[:]...)
	return appendEndorsements(b, c.Checkpoints)
}

func readStableCert(r *reader) StableCert {
	return StableCert{Seq: Seq(r.u64()), Digest: r.digest(), Checkpoints: readEndorsements(r)}
}
