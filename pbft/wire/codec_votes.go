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

// appendStatement appends what pre-prepares, prepares, commits and their certificates are about.
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
