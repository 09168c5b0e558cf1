package wire

// heldStatementBytes is the encoded size of a Statement.
const heldStatementBytes = 1 + statementBytes + signatureBytes

// appendRecovery appends the fields of the messages that belong to the recovery of a replica (D8, X).
func appendRecovery(b []byte, m Message) []byte {
	switch m := m.(type) {
	case *Held:
		return appendU64(appendU64(b, m.Nonce), uint64(m.Above))
	case *HeldBy:
		return appendHeldBy(b, m)
	case *Recover:
		return appendU64(b, uint64(m.Until))
	case *FetchSlots:
		return appendU32(appendU64(b, uint64(m.From)), m.Most)
	case *Slots:
		return appendU64(appendU64(b, uint64(m.From)), uint64(m.Next))
	case *FetchState:
		return appendBytes(appendU64(b, uint64(m.Seq)), m.Query)
	case *Data:
		b = appendBool(appendU64(b, uint64(m.Seq)), m.Offer != nil)
		if m.Offer != nil {
			b = appendStableCert(b, m.Offer)
		}
		return appendBytes(b, m.Answer)
	default: // there is no other type
	}
	panic("pbft: encoding a message of no known type")
}

func readRecovery(r *reader, t Type) Message {
	switch t {
	case TypeHeld:
		return &Held{Nonce: r.u64(), Above: Seq(r.u64())}
	case TypeHeldBy:
		return readHeldBy(r)
	case TypeRecover:
		return &Recover{Until: Seq(r.u64())}
	case TypeFetchSlots:
		return &FetchSlots{From: Seq(r.u64()), Most: r.u32()}
	case TypeSlots:
		return &Slots{From: Seq(r.u64()), Next: Seq(r.u64())}
	case TypeFetchState:
		return &FetchState{Seq: Seq(r.u64()), Query: r.bytes("a query")}
	case TypeData:
		m := &Data{Seq: Seq(r.u64())}
		if r.bool() {
			m.Offer = new(readStableCert(r))
		}
		m.Answer = r.bytes("an answer")
		return m
	}
	r.fail("unknown message %v", t)
	return nil
}

func appendHeldBy(b []byte, m *HeldBy) []byte {
	b = appendU16(appendU64(b, m.Nonce), uint16(m.Of))
	b = appendCount(appendBool(b, m.Whole), len(m.Said))
	for i := range m.Said {
		b = appendHeldStatement(b, &m.Said[i])
	}
	b = appendStableCert(b, &m.Stable)
	b = appendBool(b, m.Prepared != nil)
	if m.Prepared != nil {
		b = appendPreparedCert(b, m.Prepared)
	}
	b = appendBool(b, m.Commit != nil)
	if m.Commit != nil {
		b = appendCommitCert(b, m.Commit)
	}
	b = appendCount(appendU64(b, uint64(m.View)), len(m.Suspects))
	for i := range m.Suspects {
		b = appendSuspect(b, &m.Suspects[i])
	}
	return b
}

func readHeldBy(r *reader) *HeldBy {
	m := &HeldBy{Nonce: r.u64(), Of: r.replica(), Whole: r.bool()}
	if n := r.count("statements", maxHeldStatements, heldStatementBytes); n > 0 {
		m.Said = make([]Statement, n)
		for i := range m.Said {
			m.Said[i] = readHeldStatement(r)
		}
	}
	m.Stable = readStableCert(r)
	if r.bool() {
		m.Prepared = new(readPreparedCert(r))
	}
	if r.bool() {
		m.Commit = new(readCommitCert(r))
	}
	m.View = View(r.u64())
	m.Suspects = readAscending(r, "suspects", maxListedReplicas, suspectBytes, readSuspect,
		func(s *Suspect) uint16 { return uint16(s.Replica) })
	return m
}

func appendHeldStatement(b []byte, s *Statement) []byte {
	b = appendStatement(append(b, byte(s.Type)), s.View, s.Seq, s.Digest)
	return append(b, s.Sig[:]...)
}

func readHeldStatement(r *reader) (s Statement) {
	s.Type = Type(r.u8())
	s.View, s.Seq, s.Digest = readStatement(r)
	s.Sig = r.signature()
	return s
}
