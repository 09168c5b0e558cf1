package wire

// Message is what replicas and clients exchange. The set is closed: every message type is in this file. A message is
// immutable once it was signed or decoded: encodings and digests are remembered. Change a copy and sign that.
//
//sumtype:decl
type Message interface{ message() }

// Request asks for 1..MaxOps operations to be executed in order, exactly once (§4.1; C1, C2).
type Request struct {
	ID         RequestID
	AckedBelow uint64 // the client holds every reply of this session with a number below this one
	ReadOnly   bool   // no operation of the request modifies the state
	Ops        [][]byte
	Sig        Signature // by ID.Client

	cache requestCache
}

// Body is what a batch digest stands for: the time its primary proposed and the requests in execution order.
// The body without requests and with time 0 is the null request (§4.4).
type Body struct {
	Time     int64 // proposed wall time, nanoseconds since the Unix epoch
	Requests []*Request

	cache bodyCache
}

// PrePrepare assigns a sequence number to a batch (§4.2). Any replica may pass one on: only the signature counts.
type PrePrepare struct {
	View   View
	Seq    Seq
	Digest Digest // of the body
	Sig    Signature
	Body   *Body // travels beside the signed statement; nil where only the statement is shown
}

// Prepare is a backup's agreement to (view, seq, digest) (§4.2).
type Prepare struct {
	View    View
	Seq     Seq
	Digest  Digest
	Replica ReplicaID
	Sig     Signature
}

// Commit says that its sender holds a durable prepared certificate for (view, seq, digest) (§4.2, D2).
type Commit struct {
	View    View
	Seq     Seq
	Digest  Digest
	Replica ReplicaID
	Sig     Signature
}

// Checkpoint says that the sender's state after Seq has the digest and is durable (§4.3, K1).
type Checkpoint struct {
	Seq     Seq
	Digest  Digest
	Replica ReplicaID
	Sig     Signature
}

// Suspect says that its sender's timer for View expired. It carries nothing else and does not stop the sender from
// voting in View (V7).
type Suspect struct {
	View    View
	Replica ReplicaID
	Sig     Signature
}

// ViewChange asks to move to View and shows everything that may have committed before (§4.4).
type ViewChange struct {
	View     View
	Replica  ReplicaID
	Suspects []Suspect      // the justification: f+1 distinct replicas, each for a view ≥ View−1, by replica number (V7)
	Stable   StableCert     // the sender's last stable checkpoint
	Prepared []PreparedCert // one for every seq prepared above it, ascending (V1)
	Sig      Signature
}

// NewView starts View: the primary's proof and the pre-prepares that follow from it (§4.4).
type NewView struct {
	View        View
	ViewChanges []ViewChange // V: exactly Q, by replica number
	Proposals   []Proposal   // O: for min-s+1, min-s+2, … max-s
	Sig         Signature
}

// Proposal is one entry of a new view's O: a pre-prepare whose view and seq follow from its place.
type Proposal struct {
	Digest Digest
	Sig    Signature // the primary's, as on a PrePrepare
}

// Heartbeat shows that the primary of an idle view lives (T1). It has no sequence number.
type Heartbeat struct {
	View View
	Sig  Signature
}

// Outcome is what became of a request.
type Outcome uint8

// The outcomes of a request. Busy is advice and not replicated: the other ones are agreed.
const (
	OutcomeExecuted Outcome = 1 + iota // Results holds one result an operation
	OutcomeConflict                    // another request was executed under this number (C2)
	OutcomeExpired                     // the session was evicted; nothing was executed under it now (C1)
	OutcomeBusy                        // not admitted; try again after RetryAfterMillis (C6)
	OutcomeRefused                     // beyond the session's window or its reply cache's limit; for ever if there is a Seq
)

// Reply answers a request. It is authenticated by the link it arrives on, so it carries no signature.
type Reply struct {
	ID               RequestID
	Request          Digest // content digest of the request that is answered
	Outcome          Outcome
	Seq              Seq // where it was executed, or refused for ever; 0 otherwise
	Results          [][]byte
	ResultDigest     *Digest // in place of the Results, whose DigestResults it is; nil: they are whole (C5)
	View             View    // a hint where the primary is; never matched
	RetryAfterMillis uint32
}

// Status is the periodic, link-authenticated account of what its sender has and lacks. It drives retransmission.
type Status struct {
	View        View
	Active      bool
	Executed    Seq   // last sequence number handed to execution
	Stable      Seq   // the low watermark h
	Wall        int64 // the sender's wall clock, nanoseconds since the Unix epoch
	Helper      ReplicaID
	ViewChanges []ReplicaID  // whose ViewChange for View the sender holds, ascending; while inactive
	Slots       []SlotStatus // ascending; what is missing above Executed
}

// SlotStatus says what a Status sender lacks for one sequence number.
type SlotStatus struct {
	Seq   Seq
	Lacks Lacks
}

// Lacks is a set of things missing from a slot.
type Lacks uint8

// What a slot may lack.
const (
	LacksProposal Lacks = 1 << iota
	LacksPrepares
	LacksCommits
)

// Attach tells a replica that the replies to one of the client's sessions go over this link. The link proves the client.
// Without it only the replica that was sent a request could answer.
type Attach struct{ Session Session }

// Attached answers an Attach with what the sender's executed state holds of the client's key. It is a hint: whoever asks
// believes what f+1 replicas reach, and takes a number that is not expired already (C1).
type Attached struct {
	Session Session // that was asked with
	Highest Session // that is held; 0: none is
	Floor   Session // no session at or below it is opened again
}

// Inquire asks a replica for a Report. Clients may send it.
type Inquire struct{}

// Report is a replica's account of itself for people and dashboards: a JSON document, vouched for by nobody else.
type Report struct{ Document []byte }

// Query asks a replica for a read of one retained state, beside the order (C9). Clients may send it; whoever asks
// believes f+1 replicas that answer alike.
type Query struct {
	Nonce uint64 // chosen by the sender; the answer repeats it
	At    Seq    // the state after this sequence number; 0 is the initial one
	Op    []byte
}

// QueryOutcome is what became of a query.
type QueryOutcome uint8

// The outcomes of a query.
const (
	QueryAnswered    QueryOutcome = 1 + iota // Result holds the machine's answer
	QueryNotRetained                         // the state is older than what the replica keeps
	QueryNotExecuted                         // the replica has not come that far yet
)

// QueryReply answers a Query. It is authenticated by the link it arrives on, so it carries no signature.
type QueryReply struct {
	Nonce   uint64
	At      Seq
	Outcome QueryOutcome
	Result  []byte
}

// Fetch asks for the body of a digest at a sequence number.
type Fetch struct {
	Seq    Seq
	Digest Digest
}

// CertifiedBody is a body whose digest a certificate or a new view has vouched for already: the claims of its clients
// need no check, and it is accepted for such a digest only. Cert is present when it is pushed to a lagging replica (N7).
type CertifiedBody struct {
	Seq  Seq
	Body *Body
	Cert *CommitCert // nil in answer to a Fetch
}

// StableNotice shows a stable checkpoint certificate to a replica that lags behind it.
type StableNotice struct {
	Cert StableCert
}

// Held asks what others hold that the sender signed (D8.4). Every start sends it to all.
type Held struct {
	Nonce uint64 // of this start; an answer repeats it
	Above Seq    // the sender's low watermark h; 0 without a journal
}

// HeldBy answers a Held from what the answerer holds: what the asker signed, and proof of how far the cluster has come.
// Everything in it is signed by others, so a faulty answerer can only leave out.
type HeldBy struct {
	Nonce uint64
	Of    ReplicaID   // who asked
	Whole bool        // the answerer remembers all that it signed itself (D8.1)
	Said  []Statement // by Of, above the asker's h
	// Proof of the highest sequence numbers that the answerer knows of.
	Stable   StableCert
	Prepared *PreparedCert // nil: none
	Commit   *CommitCert   // nil: none
	// Suspects of f+1 replicas prove that View is justified (V7); none for view 0.
	View     View
	Suspects []Suspect
}

// Statement is what one signature of a replica says, without the message around it: enough to prove that it was signed.
type Statement struct {
	Type   Type // of the message: PrePrepare, Prepare, Commit, Checkpoint, ViewChange or NewView
	View   View // 0 for a checkpoint
	Seq    Seq  // 0 for a view change and a new view
	Digest Digest
	Sig    Signature
}

// Recover asks an idle cluster to order nulls up to Until, where the silence of its sender ends (D8.9).
type Recover struct{ Until Seq }

// FetchSlots asks for committed batches with their certificates, from one sequence number on (X0).
type FetchSlots struct {
	From Seq
	Most uint32 // batches
}

// Slots ends the answer to a FetchSlots: the batches in [From, Next) were sent. With Next equal to From none is held.
type Slots struct{ From, Next Seq }

// FetchState asks for a part of the state at a stable checkpoint (X3). Query is in the encoding of checkpoint/transfer.
type FetchState struct {
	Seq   Seq // 0 with an empty Query: for the newest checkpoint that the answerer has
	Query []byte
}

// Data answers a FetchState. Without an Answer it says only which checkpoint its sender can serve.
type Data struct {
	Seq    Seq         // that was asked for
	Offer  *StableCert // the newest one that the sender can serve, when it was asked for that or serves Seq no more
	Answer []byte      // in the encoding of checkpoint/transfer; believed by its hashes alone
}

func (*Held) message()          {}
func (*HeldBy) message()        {}
func (*Recover) message()       {}
func (*FetchSlots) message()    {}
func (*Slots) message()         {}
func (*FetchState) message()    {}
func (*Data) message()          {}
func (*Request) message()       {}
func (*PrePrepare) message()    {}
func (*Prepare) message()       {}
func (*Commit) message()        {}
func (*Checkpoint) message()    {}
func (*Suspect) message()       {}
func (*ViewChange) message()    {}
func (*NewView) message()       {}
func (*Heartbeat) message()     {}
func (*Reply) message()         {}
func (*Status) message()        {}
func (*Fetch) message()         {}
func (*CertifiedBody) message() {}
func (*StableNotice) message()  {}
func (*Attach) message()        {}
func (*Attached) message()      {}
func (*Inquire) message()       {}
func (*Report) message()        {}
func (*Query) message()         {}
func (*QueryReply) message()    {}
