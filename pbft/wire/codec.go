package wire

// FormatVersion is the first byte of every frame, record and evidence, and is part of every digest and signed statement.
const FormatVersion = 1

// maxFrame is the length in bytes of the longest frame that Decode accepts; a transport refuses longer ones before it
// reads them.
const maxFrame = 16 << 20

// maxRecord is the length in bytes of the longest record that DecodeRecord accepts: a message of maxFrame with a record
// around it.
const maxRecord = maxFrame + 64

// The largest number of entries of each list under any configuration. The decoder also compares the number with the
// bytes that are left, so that it reserves no memory for entries that cannot be there.
const (
	maxListedReplicas = MaxMembers
	maxListedSlots    = 2 * maxLogWindow
	maxListedSeqs     = maxLogWindow
	maxListedOps      = maxBatchBytes / lengthBytes // requests of empty operations that fill a batch
)

// Encode returns the frame of a message: format version, type, fields. Integers are big-endian and of fixed width; byte
// strings and lists are preceded by a 32-bit length. Every value has exactly one encoding.
func Encode(m Message) []byte { return AppendEncode(make([]byte, 0, SizeHint(m)), m) }

// AppendEncode appends the frame of a message to dst.
func AppendEncode(dst []byte, m Message) []byte {
	return appendTyped(append(dst, FormatVersion), m)
}

// Decode reads a frame. Operations and results in the message share memory with b, which must not change afterwards.
// Whatever b contains, Decode does not panic, and it reserves memory in proportion to len(b) (S4). It refuses with
// ErrMalformed everything that Encode does not produce, including certificates that name a signer twice (S3).
func Decode(b []byte) (Message, error) {
	r := newReader(b, maxFrame)
	m := readTyped(r)
	if err := r.finish(); err != nil {
		return nil, err
	}
	return m, nil
}

// SizeHint estimates the size of the encoding, well enough that the buffer of a large message need not grow.
func SizeHint(m Message) int {
	const (
		small = 256
		vote  = 128
	)
	switch m := m.(type) {
	case *Prepare, *Commit, *Checkpoint, *Heartbeat, *Suspect:
		return vote
	case *Request:
		return small + m.Size()
	case *PrePrepare:
		return small + m.Body.RequestBytes()
	case *CertifiedBody:
		size := small + m.Body.RequestBytes()
		if m.Cert != nil {
			size += len(m.Cert.Commits) * endorsementBytes
		}
		return size
	case *ViewChange:
		return m.sizeHint()
	case *NewView:
		return m.sizeHint()
	case *Reply:
		return small + m.resultBytes()
	case *Report:
		return small + len(m.Document)
	case *Query:
		return small + len(m.Op)
	case *QueryReply:
		return small + len(m.Result)
	case *HeldBy:
		return 4*small + len(m.Said)*heldStatementBytes
	case *Attest:
		return small + len(m.Op)
	case *Attestation:
		return small + len(m.Statement) + sizeOf(m.Results)
	case *Prove:
		return small + len(m.Key)
	case *Proof:
		return small + len(m.Document)
	case *FetchState:
		return small + len(m.Query)
	case *Data:
		return 4*small + len(m.Answer)
	case *Changes:
		return m.Size()
	case *Progress:
		return small + 8*len(m.IDs)
	default:
		return small
	}
}

// appendTyped appends the type and the fields.
func appendTyped(b []byte, m Message) []byte {
	b = append(b, byte(TypeOf(m)))
	switch m := m.(type) {
	case *Request:
		return appendRequest(b, m)
	case *PrePrepare:
		return appendPrePrepare(b, m)
	case *Prepare:
		return appendVote(b, m.View, m.Seq, m.Digest, m.Replica, m.Sig)
	case *Commit:
		return appendVote(b, m.View, m.Seq, m.Digest, m.Replica, m.Sig)
	case *Checkpoint:
		return appendCheckpoint(b, m)
	case *Suspect:
		return appendSuspect(b, m)
	case *ViewChange:
		return appendViewChange(b, m)
	case *NewView:
		return appendNewView(b, m)
	case *Heartbeat:
		return append(appendU64(b, uint64(m.View)), m.Sig[:]...)
	case *Reply:
		return appendReply(b, m)
	case *Status:
		return appendStatus(b, m)
	case *CertifiedBody:
		return appendCertifiedBody(b, m)
	case *Fetch:
		return append(appendU64(b, uint64(m.Seq)), m.Digest[:]...)
	case *StableNotice:
		return appendStableCert(b, &m.Cert)
	case *Inquire:
		return b
	case *Report:
		return appendBytes(b, m.Document)
	case *Query:
		return appendQuery(b, m)
	case *QueryReply:
		return appendQueryReply(b, m)
	case *Attach:
		return appendU64(b, uint64(m.Session))
	case *Attached:
		return appendU64(appendU64(appendU64(b, uint64(m.Session)), uint64(m.Highest)), uint64(m.Floor))
	case *Attest, *Attestation, *Prove, *Proof:
		return appendAttesting(b, m)
	case *Held, *HeldBy, *Recover, *FetchSlots, *Slots, *FetchState, *Data:
		return appendRecovery(b, m)
	case *Watch, *WatchTaken, *Changes, *Progress:
		return appendWatching(b, m)
	}
	panic("pbft: encoding a message of no known type")
}

// readTyped reads the type and the fields.
func readTyped(r *reader) Message {
	switch t := Type(r.u8()); t {
	case TypeRequest:
		return readRequest(r)
	case TypePrePrepare:
		return readPrePrepare(r)
	case TypePrepare:
		return readPrepare(r)
	case TypeCommit:
		return readCommit(r)
	case TypeCheckpoint:
		return readCheckpoint(r)
	case TypeSuspect:
		return new(readSuspect(r))
	case TypeViewChange:
		return new(readViewChange(r))
	case TypeNewView:
		return readNewView(r)
	case TypeHeartbeat:
		return &Heartbeat{View: View(r.u64()), Sig: r.signature()}
	case TypeReply:
		return readReply(r)
	case TypeStatus:
		return readStatus(r)
	case TypeCertifiedBody:
		return readCertifiedBody(r)
	case TypeFetch:
		return &Fetch{Seq: Seq(r.u64()), Digest: r.digest()}
	case TypeStableNotice:
		return &StableNotice{Cert: readStableCert(r)}
	case TypeInquire:
		return &Inquire{}
	case TypeReport:
		return &Report{Document: r.bytes("a report")}
	case TypeQuery:
		return readQuery(r)
	case TypeQueryReply:
		return readQueryReply(r)
	case TypeAttach:
		return &Attach{Session: Session(r.u64())}
	case TypeAttached:
		return &Attached{Session: Session(r.u64()), Highest: Session(r.u64()), Floor: Session(r.u64())}
	case TypeAttest, TypeAttestation, TypeProve, TypeProof:
		return readAttesting(r, t)
	case TypeHeld, TypeHeldBy, TypeRecover, TypeFetchSlots, TypeSlots, TypeFetchState, TypeData:
		return readRecovery(r, t)
	case TypeWatch, TypeWatchTaken, TypeChanges, TypeProgress:
		return readWatching(r, t)
	default:
		r.fail("unknown message %v", t)
		return nil
	}
}
