package wire

// Record is what a replica writes to its journal. The set is closed: every record type is in this file. New replays
// records in the order in which they were written; replaying a record twice changes nothing.
//
//sumtype:decl
type Record interface{ record() }

// Head begins every journal segment (D9): to which replica the journal belongs, and its view. The records between it
// and the segment's first turn repeat everything above the stable checkpoint, so that earlier segments can be deleted.
type Head struct {
	Cluster Digest
	Epoch   uint64
	Self    ReplicaID
	View    View
	Active  bool
	Life    Life // of the journal (D8.2); zero in the first format, until the journal is given a life
}

// Recovering begins the journal of a replica that had forgotten what it signed, and stays in every anchor (D8.6). The
// replica is silent until a checkpoint at Until is stable, and never votes in a view below View (D8.7).
type Recovering struct {
	Life  Life
	Until Seq  // R
	View  View // V*
	// Suspects of f+1 replicas justify a view below View, the highest that correct replicas had reached. With them this
	// replica can prove that view to the next replica that forgets (V7).
	Suspects []Suspect
}

// Installed is the certificate of a state that was fetched from others and is completely durable in the store (X6).
// Earlier execution and earlier own checkpoints no longer count.
type Installed struct{ Cert StableCert }

// Void is in the anchor of a replica that gave up states of its own (K2). The replica signed checkpoints above the
// stable one and up to Until; the anchor repeats them before this record. It must announce no other digests for these
// checkpoints, and must not start from one of them. Wrong says that its state contradicts a stable checkpoint and was
// not replaced yet.
type Void struct {
	Until Seq
	Wrong bool
}

// Witness is a statement of another replica: its highest checkpoint or view change that this replica knows of. If that
// replica forgets what it signed, this one tells it (D8.4).
type Witness struct {
	Replica ReplicaID
	Said    Statement
}

// Early says that from here on the journal may lack what this replica signed (D8.14). Early is durable before the first
// message that is sent before its record is durable. A later Clean says that nothing before it is missing. If a journal
// has neither, every record was durable before its message was sent.
type Early struct{}

// Clean says that the journal lacks nothing that this replica signed and that still matters.
type Clean struct{}

// Sent is a message this replica signed: PrePrepare (D1), Prepare, Commit, Checkpoint (D5), ViewChange (D3) or
// NewView (D4). After a restart the same bytes are sent again (D7).
type Sent struct{ Msg Message }

// Accepted is a pre-prepare with its body that this replica accepted from the primary (D1).
type Accepted struct{ PrePrepare *PrePrepare }

// Fetched is a body that arrived later than the digest for which it was needed.
type Fetched struct {
	Seq  Seq
	Body *Body
}

// Prepared is a prepared certificate, which a view change must be able to show (D2).
type Prepared struct{ Cert PreparedCert }

// Certified is a slot that is executed by its commit certificate alone (N7).
type Certified struct {
	Cert CommitCert
	Body *Body
}

// Committed is the commit certificate of a slot that prepared here and was executed. It is written after the execution:
// if a crash loses it, the commits are collected again. It is durable at the latest with the Checkpoint message that
// covers the slot. That is necessary because nobody votes below the low watermark any more: others can follow only if
// f+1 correct replicas hold the certificates (N7).
type Committed struct{ Cert CommitCert }

// Stable is the certificate that moved the low watermark (K1).
type Stable struct{ Cert StableCert }

// Activated is the new view that became active here (D4).
type Activated struct{ NewView *NewView }

func (*Head) record()       {}
func (*Sent) record()       {}
func (*Accepted) record()   {}
func (*Fetched) record()    {}
func (*Prepared) record()   {}
func (*Certified) record()  {}
func (*Committed) record()  {}
func (*Stable) record()     {}
func (*Activated) record()  {}
func (*Recovering) record() {}
func (*Installed) record()  {}
func (*Void) record()       {}
func (*Witness) record()    {}
func (*Early) record()      {}
func (*Clean) record()      {}

// Durable reports whether an own message is a vote that must be in the journal before it is sent.
func Durable(m Message) bool {
	switch m.(type) {
	case *PrePrepare, *Prepare, *Commit, *Checkpoint, *ViewChange, *NewView:
		return true
	default:
		return false
	}
}
