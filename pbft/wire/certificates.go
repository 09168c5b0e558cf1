package wire

// Endorsement is one replica's signature in a certificate. The statement under the signature is written only once, in
// the certificate itself.
type Endorsement struct {
	Replica ReplicaID
	Sig     Signature
}

// PreparedCert proves that a batch prepared (N2): the primary's pre-prepare and Q−1 prepares of distinct backups.
type PreparedCert struct {
	View       View
	Seq        Seq
	Digest     Digest
	PrePrepare Signature     // of the primary of View
	Prepares   []Endorsement // exactly Q−1, none by the primary, strictly ascending by replica
}

// CommitCert proves that a batch committed (N7): Q commits of one view. Together with the body it suffices for execution.
type CommitCert struct {
	View    View
	Seq     Seq
	Digest  Digest
	Commits []Endorsement // exactly Q, strictly ascending by replica
}

// StableCert proves that a checkpoint is stable (K1): Q equal checkpoint messages. The zero value stands for the
// initial state, which needs no proof.
type StableCert struct {
	Seq         Seq
	Digest      Digest
	Checkpoints []Endorsement // exactly Q (none at Seq 0), strictly ascending by replica
}

// JustifiedBy is the highest view that the Suspects of f+1 replicas justify.
func JustifiedBy(suspects []Suspect) View {
	if len(suspects) == 0 {
		return 0
	}
	lowest := suspects[0].View
	for i := range suspects {
		lowest = min(lowest, suspects[i].View)
	}
	return lowest + 1
}
