package wire

// What attestations carry, and its bounds (S4). Package attest composes the signed bytes.

// MaxStatement is how many bytes a statement has at most: attest.MaxStatement.
const MaxStatement = 64 << 10

func appendAttesting(b []byte, m Message) []byte {
	switch m := m.(type) {
	case *Attest:
		b = append(appendU64(b, m.Nonce), byte(m.What))
		b = appendU64(appendU64(b, uint64(m.Session)), m.T)
		return appendBytes(appendBool(b, m.Results), m.Op)
	case *Attestation:
		b = append(appendU64(b, m.Nonce), byte(m.Outcome))
		b = append(appendBytes(b, m.Statement), m.Sig[:]...)
		return appendByteStrings(b, m.Results)
	case *Prove:
		return appendBytes(appendU64(appendU64(b, m.Nonce), uint64(m.From)), m.Key)
	case *Proof:
		return appendBytes(appendU64(appendU64(b, m.Nonce), uint64(m.Stable)), m.Document)
	default: // there is no other type
	}
	panic("pbft: encoding a message of another kind as an attestation")
}

func readAttesting(r *reader, t Type) Message {
	switch t {
	case TypeAttest:
		return &Attest{
			Nonce: r.u64(), What: Vouched(r.u8()), Session: Session(r.u64()), T: r.u64(), Results: r.bool(), Op: r.bytes("bytes of an operation"),
		}
	case TypeAttestation:
		return &Attestation{
			Nonce: r.u64(), Outcome: AttestOutcome(r.u8()), Statement: r.bytes("bytes of a statement"), Sig: r.signature(),
			Results: r.byteStrings("results"),
		}
	case TypeProve:
		return &Prove{Nonce: r.u64(), From: Seq(r.u64()), Key: r.bytes("bytes of a key")}
	default:
		return &Proof{Nonce: r.u64(), Stable: Seq(r.u64()), Document: r.bytes("bytes of a proof")}
	}
}

func checkAttest(cfg *Config, m *Attest) error {
	ofReply := m.T != 0 || m.Session != 0 || m.Results
	switch {
	case m.What != VouchedReply && m.What != VouchedMachine:
		return invalid("nobody attests %d", m.What)
	case m.What == VouchedReply && (m.T == 0 || len(m.Op) > 0):
		return invalid("not the number of one request")
	case m.What == VouchedMachine && ofReply:
		return invalid("a request's number beside an operation")
	case len(m.Op) > cfg.MaxOpBytes:
		return invalid("an operation of %d bytes is above the limit of %d", len(m.Op), cfg.MaxOpBytes)
	}
	return nil
}

// checkAttestation checks all but the signature. Whether the statement is right is decided by comparison with those of
// other replicas.
func checkAttestation(cfg *Config, m *Attestation) error {
	signed := len(m.Statement) > 0 || m.Sig != Signature{} || len(m.Results) > 0
	switch {
	case m.Outcome < Attested || m.Outcome > NoLongerHeld:
		return invalid("unknown outcome %d", m.Outcome)
	case m.Outcome == Attested && len(m.Statement) == 0:
		return invalid("no statement")
	case m.Outcome != Attested && signed:
		return invalid("a statement that is none")
	case len(m.Statement) > MaxStatement:
		return invalid("a statement of %d bytes is above the limit of %d", len(m.Statement), MaxStatement)
	case len(m.Results) > cfg.MaxOps:
		return invalid("%d results are above the limit of %d", len(m.Results), cfg.MaxOps)
	case sizeOf(m.Results) > cfg.MaxResultBytes+cfg.MaxOps*(lengthBytes+mostReserved):
		return invalid("results of %d bytes are above the limit of %d", sizeOf(m.Results), cfg.MaxResultBytes)
	}
	return nil
}

// mostReserved is more bytes than a result has that replaces one which has no room.
const mostReserved = 256

func checkProve(cfg *Config, m *Prove) error {
	switch {
	case m.From > MaxSeq:
		return invalid("sequence number %d is above %d", m.From, MaxSeq)
	case len(m.Key) > cfg.MaxOpBytes:
		return invalid("a key of %d bytes is above the limit of %d", len(m.Key), cfg.MaxOpBytes)
	}
	return nil
}

func checkProof(m *Proof) error {
	switch {
	case m.Stable > MaxSeq:
		return invalid("sequence number %d is above %d", m.Stable, MaxSeq)
	case len(m.Document) > MaxAnswer:
		return invalid("a proof of %d bytes is above the limit of %d", len(m.Document), MaxAnswer)
	}
	return nil
}
