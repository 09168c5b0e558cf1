package wire

func appendPrePrepare(b []byte, m *PrePrepare) []byte {
	b = appendStatement(b, m.View, m.Seq, m.Digest)
	b = append(b, m.Sig[:]...)
	b = appendBool(b, m.Body != nil)
	if m.Body == nil {
		return b
	}
	return appendBody(b, m.Body)
}

func readPrePrepare(r *reader) *PrePrepare {
	m := new(PrePrepare)
	m.View, m.Seq, m.Digest = readStatement(r)
	m.Sig = r.signature()
	if r.bool() {
		m.Body = readBody(r)
	}
	return m
}

// appendStatement appends the subject of pre-prepares, prepares, commits and their certificates: view, seq and digest.
func appendStatement(b []byte, v View, s Seq, d Digest) []byte {
	b = appendU64(b, uint64(v))
	b = appendU64(b, uint64(s))
	return append(b, d[:]...)
}

func readStatement(r *reader) (View, Seq, Digest) {
	return View(r.u64()), Seq(r.u64()), r.digest()
}

func appendVote(b []byte, v View, s Seq, d Digest, by ReplicaID, sig Signature) []byte {
	b = appendStatement(b, v, s, d)
	b = appendU16(b, uint16(by))
	return append(b, sig[:]...)
}

func readPrepare(r *reader) *Prepare {
	m := new(Prepare)
	m.View, m.Seq, m.Digest = readStatement(r)
	m.Replica, m.Sig = r.replica(), r.signature()
	return m
}

func readCommit(r *reader) *Commit {
	m := new(Commit)
	m.View, m.Seq, m.Digest = readStatement(r)
	m.Replica, m.Sig = r.replica(), r.signature()
	return m
}

func appendCheckpoint(b []byte, m *Checkpoint) []byte {
	b = appendU64(b, uint64(m.Seq))
	b = append(b, m.Digest[:]...)
	b = appendU16(b, uint16(m.Replica))
	return append(b, m.Sig[:]...)
}

func readCheckpoint(r *reader) *Checkpoint {
	return &Checkpoint{Seq: Seq(r.u64()), Digest: r.digest(), Replica: r.replica(), Sig: r.signature()}
}

// suspectBytes is the encoded size of a Suspect.
const suspectBytes = 8 + 2 + signatureBytes

func appendSuspect(b []byte, m *Suspect) []byte {
	b = appendU64(b, uint64(m.View))
	b = appendU16(b, uint16(m.Replica))
	return append(b, m.Sig[:]...)
}

func readSuspect(r *reader) Suspect {
	return Suspect{View: View(r.u64()), Replica: r.replica(), Sig: r.signature()}
}

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
