package wire

// The kinds of records, as numbered in the journal. No kind has the number 0.
const (
	recordHead       = 1 // a Head of the first format, without a life
	recordSent       = 2
	recordAccepted   = 3
	recordFetched    = 4
	recordPrepared   = 5
	recordCertified  = 6
	recordCommitted  = 7
	recordStable     = 8
	recordActivated  = 9
	recordLivingHead = 10 // a Head with its life
	recordRecovering = 11
	recordInstalled  = 12
	recordWitness    = 13
	recordEarly      = 14
	recordClean      = 15
	recordVoid       = 16
)

// EncodeRecord returns a record as the journal stores it: format version, kind, fields, encoded like those of messages.
func EncodeRecord(r Record) []byte { return appendRecord(make([]byte, 0, recordSizeHint(r)), r) }

// AppendRecord appends a record as the journal stores it to dst, and returns the record's sequence number (RecordSeq).
func AppendRecord(dst []byte, r Record) ([]byte, Seq) { return appendRecord(dst, r), RecordSeq(r) }

func appendRecord(dst []byte, r Record) []byte {
	b := append(dst, FormatVersion)
	switch r := r.(type) {
	case *Head:
		if r.Life == (Life{}) {
			return appendHead(append(b, recordHead), r)
		}
		return append(appendHead(append(b, recordLivingHead), r), r.Life[:]...)
	case *Sent:
		return appendTyped(append(b, recordSent), r.Msg)
	case *Accepted:
		return appendPrePrepare(append(b, recordAccepted), r.PrePrepare)
	case *Fetched:
		return appendBody(appendU64(append(b, recordFetched), uint64(r.Seq)), r.Body)
	case *Prepared:
		return appendPreparedCert(append(b, recordPrepared), &r.Cert)
	case *Certified:
		return appendBody(appendCommitCert(append(b, recordCertified), &r.Cert), r.Body)
	case *Committed:
		return appendCommitCert(append(b, recordCommitted), &r.Cert)
	case *Stable:
		return appendStableCert(append(b, recordStable), &r.Cert)
	case *Activated:
		return appendNewView(append(b, recordActivated), r.NewView)
	case *Recovering:
		b = append(append(b, recordRecovering), r.Life[:]...)
		b = appendCount(appendU64(appendU64(b, uint64(r.Until)), uint64(r.View)), len(r.Suspects))
		for i := range r.Suspects {
			b = appendSuspect(b, &r.Suspects[i])
		}
		return b
	case *Installed:
		return appendStableCert(append(b, recordInstalled), &r.Cert)
	case *Void:
		return appendBool(appendU64(append(b, recordVoid), uint64(r.Until)), r.Wrong)
	case *Witness:
		return appendHeldStatement(appendU16(append(b, recordWitness), uint16(r.Replica)), &r.Said)
	case *Early:
		return append(b, recordEarly)
	case *Clean:
		return append(b, recordClean)
	}
	panic("pbft: encoding a record of no known kind")
}

// recordSizeHint is like SizeHint, for records.
func recordSizeHint(r Record) int {
	switch r := r.(type) {
	case *Sent:
		return SizeHint(r.Msg)
	case *Accepted:
		return SizeHint(r.PrePrepare)
	case *Fetched:
		return SizeHint(&PrePrepare{Body: r.Body})
	case *Certified:
		return SizeHint(&CertifiedBody{Cert: &r.Cert, Body: r.Body})
	case *Activated:
		return SizeHint(r.NewView)
	default:
		return SizeHint(nil)
	}
}

// DecodeRecord reads a record as strictly as Decode reads a message, and likewise shares memory with b.
func DecodeRecord(b []byte) (Record, error) {
	r := newReader(b, maxRecord)
	record := readRecord(r)
	if err := r.finish(); err != nil {
		return nil, err
	}
	return record, nil
}

func readRecord(r *reader) Record {
	switch kind := r.u8(); kind {
	case recordHead:
		return readHead(r)
	case recordLivingHead:
		head := readHead(r)
		if head.Life = r.life(); r.err == nil && head.Life == (Life{}) {
			r.fail("a head with an empty life")
		}
		return head
	case recordSent:
		m := readTyped(r)
		if r.err == nil && !Durable(m) {
			r.fail("a record of a sent %s", TypeOf(m))
		}
		return &Sent{Msg: m}
	case recordAccepted:
		return &Accepted{PrePrepare: readPrePrepare(r)}
	case recordFetched:
		return &Fetched{Seq: Seq(r.u64()), Body: readBody(r)}
	case recordPrepared:
		return &Prepared{Cert: readPreparedCert(r)}
	case recordCertified:
		return &Certified{Cert: readCommitCert(r), Body: readBody(r)}
	case recordCommitted:
		return &Committed{Cert: readCommitCert(r)}
	case recordStable:
		return &Stable{Cert: readStableCert(r)}
	case recordActivated:
		return &Activated{NewView: readNewView(r)}
	case recordRecovering:
		return &Recovering{
			Life: r.life(), Until: Seq(r.u64()), View: View(r.u64()),
			Suspects: readAscending(r, "suspects", maxListedReplicas, suspectBytes, readSuspect,
				func(s *Suspect) uint16 { return uint16(s.Replica) }),
		}
	case recordInstalled:
		return &Installed{Cert: readStableCert(r)}
	case recordVoid:
		return &Void{Until: Seq(r.u64()), Wrong: r.bool()}
	case recordWitness:
		return &Witness{Replica: r.replica(), Said: readHeldStatement(r)}
	case recordEarly:
		return &Early{}
	case recordClean:
		return &Clean{}
	default:
		r.fail("unknown record %d", kind)
		return nil
	}
}

func readHead(r *reader) *Head {
	return &Head{Cluster: r.digest(), Epoch: r.u64(), Self: r.replica(), View: View(r.u64()), Active: r.bool()}
}

func appendHead(b []byte, h *Head) []byte {
	b = append(b, h.Cluster[:]...)
	b = appendU64(b, h.Epoch)
	b = appendU16(b, uint16(h.Self))
	b = appendU64(b, uint64(h.View))
	return appendBool(b, h.Active)
}

// RecordSeq is the sequence number from which on a Truncate may delete the record. It is 0 for records that belong to a
// view instead of a slot; later records supersede these.
func RecordSeq(r Record) Seq {
	switch r := r.(type) {
	case *Sent:
		return sentSeq(r.Msg)
	case *Accepted:
		return r.PrePrepare.Seq
	case *Fetched:
		return r.Seq
	case *Prepared:
		return r.Cert.Seq
	case *Certified:
		return r.Cert.Seq
	case *Committed:
		return r.Cert.Seq
	case *Stable:
		return r.Cert.Seq
	case *Installed:
		return r.Cert.Seq
	default:
		return 0
	}
}

func sentSeq(m Message) Seq {
	switch m := m.(type) {
	case *PrePrepare:
		return m.Seq
	case *Prepare:
		return m.Seq
	case *Commit:
		return m.Seq
	case *Checkpoint:
		return m.Seq
	default:
		return 0
	}
}

// MaxEvidence is the length in bytes of the longest evidence that DecodeEvidence accepts: two messages, each of which
// came in a frame.
const MaxEvidence = 2 * maxFrame

// evidenceEquivocation is the code of Equivocation. Code 0 is no kind, and is refused.
const evidenceEquivocation = 1

// Encode returns the bytes of a proof of misbehaviour: format version, kind, the accused, and the two statements,
// encoded like messages. A pre-prepare has no body here, since its signature covers the body's digest.
func (e Evidence) Encode() []byte {
	b := []byte{FormatVersion, 0}
	if e.Kind == Equivocation {
		b[1] = evidenceEquivocation
	}
	b = appendU16(b, uint16(e.Replica))
	b = appendTyped(b, statementOf(e.First))
	return appendTyped(b, statementOf(e.Second))
}

// DecodeEvidence reads a proof as strictly as Decode reads a message. Only Verify decides whether it proves anything.
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

// statementOf returns the message without the parts that its signature covers only by a digest.
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
