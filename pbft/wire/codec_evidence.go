package wire

// MaxEvidence is the largest evidence that DecodeEvidence takes, in bytes: two view changes at most.
const MaxEvidence = MaxFrame

// evidenceEquivocation is the code of Equivocation. 0 stands for no kind and is refused.
const evidenceEquivocation = 1

// EncodeEvidence returns the bytes of a proof of misbehaviour: format version, kind, the accused, and the two statements
// by the rules of Encode. A pre-prepare's body is left out: the signature is under its digest.
func EncodeEvidence(e Evidence) []byte {
	b := []byte{FormatVersion, 0}
	if e.Kind == Equivocation {
		b[1] = evidenceEquivocation
	}
	b = appendU16(b, uint16(e.Replica))
	b = appendTyped(b, statementOf(e.First))
	return appendTyped(b, statementOf(e.Second))
}

// DecodeEvidence reads a proof as strictly as Decode reads a message. Only VerifyEvidence tells whether it proves
// anything.
func DecodeEvidence(b []byte) (Evidence, error) {
	r := newReader(b, MaxEvidence)
	if kind := r.u8(); kind != evidenceEquivocation {
		r.fail("unknown kind of evidence %d", kind)
	}
	e := Evidence{Replica: r.replica(), Kind: Equivocation, First: readStatementOf(r), Second: readStatementOf(r)}
	if err := r.finish(); err != nil {
		return Evidence{}, err
	}
	return e, nil
}

// statementOf returns the message without what its signature covers by digest only.
func statementOf(m Message) Message {
	if p, ok := m.(*PrePrepare); ok && p.Body != nil {
		return &PrePrepare{View: p.View, Seq: p.Seq, Digest: p.Digest, Sig: p.Sig}
	}
	return m
}

func readStatementOf(r *reader) Message {
	m := readTyped(r)
	if p, ok := m.(*PrePrepare); ok && p.Body != nil {
		r.fail("evidence shows statements, not bodies")
	}
	return m
}
