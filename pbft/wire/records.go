package wire

// Record is what a replica writes to its journal. The set is closed: every record type is in this file. New replays
// records in the order they were written; replaying one twice changes nothing.
//
//sumtype:decl
type Record interface{ record() }

// Head begins every journal segment (D9): whose journal it is and the view it was in. The records that follow it until
// the segment's first turn repeat everything above the stable checkpoint, so that earlier segments can go.
type Head struct {
	Cluster Digest
	Epoch   uint64
	Self    ReplicaID
	View    View
	Active  bool
	Life    Life // of the journal (D8.2); zero in one of the first format, until it is adopted
}

// Recovering begins the journal of a replica that had forgotten what it signed, and stays in every anchor (D8.6): it is
// silent until a checkpoint at Until is stable, and never votes in a view below View (D8.7).
type Recovering struct {
	Life  Life
	Until Seq  // R
	View  View // V*
	// Suspects of f+1 replicas justify a view below View, the highest one that correct replicas had come to, so that
	// this replica can prove it to the next one that forgets (V7).
	Suspects []Suspect
}

// Installed is the certificate of a state that was fetched from others and is durable in the store, whole (X6). What
// was executed or noted as a checkpoint before it is void.
type Installed struct{ Cert StableCert }

// Void stands in the anchor of a replica that gave up states of its own (K2). Its checkpoints above the stable one and up to
// Until, which the anchor repeats before it, were signed: it announces no other ones in their place, and starts from none of
// them. Wrong: its state contradicts a stable checkpoint, and was not fetched from others yet.
type Void struct {
	Until Seq
	Wrong bool
}

// Witness is the highest checkpoint or view change of another replica that this one knows of: should that one forget
// what it signed, it is told (D8.4).
type Witness struct {
	Replica ReplicaID
	Said    Statement
}

// Early says that what this replica signed from here on may be missing from its journal (D8.14): it is durable before the
// first message that left ahead of its record. Clean ends it: up to there nothing is missing. A journal without either was
// written record by record ahead of what left.
type Early struct{}

// Clean is written when nothing that this replica signed, and that still matters, is missing from its journal.
type Clean struct{}

// Sent is a message this replica signed: PrePrepare (D1), Prepare, Commit, Checkpoint (D5), ViewChange (D3) or
// NewView (D4). After a restart the same bytes are sent again (D7).
type Sent struct{ Msg Message }

// Accepted is a pre-prepare with its body that this replica accepted from the primary (D1).
type Accepted struct{ PrePrepare *PrePrepare }

// Fetched is a body that arrived later than the digest that vouches for it.
type Fetched struct {
	Seq  Seq
	Body *Body
}

// Prepared is a prepared certificate: the view change's proof (D2).
type Prepared struct{ Cert PreparedCert }

// Certified is a slot that is executed by commit certificate alone (N7).
type Certified struct {
	Cert CommitCert
	Body *Body
}

// Committed is the commit certificate of a slot that prepared here and was executed. It is written behind the
// execution, not before: losing it in a crash means collecting the commits anew. It is durable at the latest with the
// Checkpoint message that covers the slot, and must be: below the low watermark nobody votes again, so the certificates
// that f+1 correct replicas hold are the only way to follow (N7).
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

// Durable reports whether a message of ours is a vote that must be in the journal before it is sent.
func Durable(m Message) bool {
	switch m.(type) {
	case *PrePrepare, *Prepare, *Commit, *Checkpoint, *ViewChange, *NewView:
		return true
	default:
		return false
	}
}
