package wire

// Message is what replicas and clients exchange. The set is closed: every message type is in this file. A message must not
// be changed once it was signed or decoded, because its encoding and digest are stored: change a copy and sign that.
//
//sumtype:decl
type Message interface{ message() }

// Request asks for 1..MaxOps operations to be executed in order, exactly once (§4.1; C1, C2).
type Request struct {
	ID         RequestID
	AckedBelow uint64 // the client has every reply of this session with a number below this one
	ReadOnly   bool   // no operation of the request modifies the state
	Ops        [][]byte
	Sig        Signature // by ID.Client

	cache requestCache
}

// Body is the content of a batch: the time that its primary proposed, and the requests in execution order. The body
// without requests and with time 0 is the null request (§4.4).
type Body struct {
	Time     int64 // proposed wall time, nanoseconds since the Unix epoch
	Requests []*Request

	cache bodyCache
}

// PrePrepare assigns a sequence number to a batch (§4.2). Any replica may pass it on, because only its signature counts.
type PrePrepare struct {
	View   View
	Seq    Seq
	Digest Digest // of the body
	Sig    Signature
	Body   *Body // sent beside the signed statement; nil if only the statement is shown
}

// Prepare is a backup's vote for (view, seq, digest) (§4.2).
type Prepare struct {
	View    View
	Seq     Seq
	Digest  Digest
	Replica ReplicaID
	Sig     Signature
}

// Commit says that its sender has a durable prepared certificate for (view, seq, digest) (§4.2, D2).
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

// Suspect says that its sender wants the primary of View replaced. It carries nothing else, and its sender goes on
// voting in View (V7).
type Suspect struct {
	View    View
	Replica ReplicaID
	Sig     Signature
}

// ViewChange asks to move to View, and shows everything that may have committed before (§4.4).
type ViewChange struct {
	View     View
	Replica  ReplicaID
	Suspects []Suspect      // the justification: f+1 distinct replicas, each for a view ≥ View−1, by replica number (V7)
	Stable   StableCert     // the sender's last stable checkpoint
	Prepared []PreparedCert // a certificate for every prepared seq above Stable, ascending (V1)
	Sig      Signature
}

// NewView starts View: it holds the primary's proof, and the proposals that follow from it (§4.4).
type NewView struct {
	View        View
	ViewChanges []ViewChange // V: exactly Q, by replica number
	Proposals   []Proposal   // O: for min-s+1, min-s+2, … max-s
	Sig         Signature
}

// Proposal is one entry of a new view's O: a pre-prepare whose view and seq follow from its position.
type Proposal struct {
	Digest Digest
	Sig    Signature // the primary's, as in a PrePrepare
}

// Heartbeat shows that the primary of an idle view is alive (T1). It has no sequence number.
type Heartbeat struct {
	View View
	Sig  Signature
}

// Outcome says what happened to a request.
type Outcome uint8

// The outcomes of a request. OutcomeBusy is the advice of a single replica; all others are the same on all correct
// replicas, because execution decides them.
const (
	OutcomeExecuted Outcome = 1 + iota // Results holds one result per operation
	OutcomeConflict                    // another request was executed under this number (C2)
	OutcomeExpired                     // the session has expired; this request was not executed, and will not be (C1)
	OutcomeBusy                        // not admitted: try again after RetryAfterMillis (C6)
	OutcomeRefused                     // beyond a limit of the session or the client's budget; final if there is a Seq
)

// Reply answers a request. Its link authenticates it, so it has no signature.
type Reply struct {
	ID               RequestID
	Request          Digest // digest of the request that is answered
	Outcome          Outcome
	Seq              Seq // sequence number at which it was executed or finally refused; 0 otherwise
	Results          [][]byte
	ResultDigest     *Digest // replaces the Results, whose DigestResults it is; nil: the Results are there (C5)
	View             View    // a hint about who is the primary; never compared
	RetryAfterMillis uint32
}

// Status is a replica's regular report of what it has and lacks, on which retransmission is based. Its link
// authenticates it.
type Status struct {
	View        View
	Active      bool
	Executed    Seq   // last sequence number handed to execution
	Stable      Seq   // the low watermark h
	Wall        int64 // the sender's wall clock, nanoseconds since the Unix epoch
	Helper      ReplicaID
	ViewChanges []ReplicaID  // whose ViewChange for View the sender holds, ascending; only while View is not active
	Slots       []SlotStatus // ascending; what is missing above Executed
}

// SlotStatus says what the sender of a Status lacks for one sequence number.
type SlotStatus struct {
	Seq   Seq
	Lacks Lacks
}

// Lacks is a set of things that a slot lacks.
type Lacks uint8

// What a slot may lack.
const (
	LacksProposal Lacks = 1 << iota
	LacksPrepares
	LacksCommits
)

// Attach tells a replica to send the replies for one of the client's sessions over this link, which authenticates the
// client. Without it only the replica to which a request was sent could reply.
type Attach struct{ Session Session }

// Attached answers an Attach: it says which sessions of the client's key the sender's executed state holds. It is a
// hint. The client uses the numbers that f+1 replicas reach or exceed, to choose a session number that has not expired
// (C1).
type Attached struct {
	Session Session // the session of the Attach
	Highest Session // highest session that is held; 0: none
	Floor   Session // sessions at or below it cannot be opened again
}

// Inquire asks a replica for a Report. Clients may send it.
type Inquire struct{}

// Report is what a replica reports about itself for people and dashboards: a JSON document that nobody else confirms.
type Report struct{ Document []byte }

// Query asks a replica to read one retained state, without ordering (C9). Clients may send it; the sender believes an
// answer on which f+1 replicas agree.
type Query struct {
	Nonce uint64 // chosen by the sender, and repeated in the answer
	At    Seq    // the state after this sequence number; 0 is the initial state
	Op    []byte
}

// QueryOutcome is the outcome of a query.
type QueryOutcome uint8

// The outcomes of a query.
const (
	QueryAnswered    QueryOutcome = 1 + iota // Result holds the machine's answer
	QueryNotRetained                         // the state is older than what the replica keeps
	QueryNotExecuted                         // the replica has not executed that far yet
)

// QueryReply answers a Query. Its link authenticates it, so it has no signature.
type QueryReply struct {
	Nonce   uint64
	At      Seq
	Outcome QueryOutcome
	Result  []byte
}

// Vouched says what an attestation is about.
type Vouched uint8

// What a client may have attested. The values are the kinds of statements of package attest.
const (
	VouchedReply   Vouched = 1 // the reply to one of the client's own requests
	VouchedMachine Vouched = 2 // what the machine says when it is asked by Op
)

// Attest asks a replica to sign a statement about its executed state (TX5). Clients may send it; the sender believes a
// statement that f+1 replicas signed alike.
type Attest struct {
	Nonce   uint64 // chosen by the sender, and repeated in the answer
	What    Vouched
	Session Session // of the request whose reply is attested, with T
	T       uint64
	Results bool   // the answer shall hold the results of that request
	Op      []byte // for the machine
}

// AttestOutcome is the outcome of an Attest.
type AttestOutcome uint8

// The outcomes of an Attest.
const (
	Attested        AttestOutcome = 1 + iota // Statement is signed
	NothingAttested                          // the replica's executed state holds nothing of the kind, so far
	NoLongerHeld                             // the reply was acknowledged or its session has expired, so it is gone (C1, C2)
)

// Attestation answers an Attest.
type Attestation struct {
	Nonce     uint64
	Outcome   AttestOutcome
	Statement []byte
	Sig       Signature // under the bytes that package attest composes of the statement
	Results   [][]byte  // of the attested reply; nobody signed them, but their digest is in the statement
}

// Prove asks a replica to prove what an application key holds in the state of a stable checkpoint (K1). Clients may send
// it. One replica's answer suffices, since it proves itself.
type Prove struct {
	Nonce uint64 // chosen by the sender, and repeated in the answer
	From  Seq    // the checkpoint must be at this sequence number or above
	Key   []byte
}

// Proof answers a Prove. Without a Document the replica holds no stable checkpoint that is new enough, so far.
type Proof struct {
	Nonce    uint64
	Stable   Seq    // the newest stable checkpoint that the replica can prove from; 0: none
	Document []byte // encoded by internal/proof; empty: nothing is proven
}

// Fetch asks for the body with a digest at a sequence number.
type Fetch struct {
	Seq    Seq
	Digest Digest
}

// CertifiedBody is a body whose digest is proven by a certificate or a new view. A replica accepts it only if it knows
// that digest to be proven, and need not check the signatures of the requests. It has a Cert if it is sent to a lagging
// replica (N7).
type CertifiedBody struct {
	Seq  Seq
	Body *Body
	Cert *CommitCert // nil in answer to a Fetch
}

// StableNotice shows a stable certificate to a replica that lags behind it.
type StableNotice struct {
	Cert StableCert
}

// Held asks the others which statements of the sender they hold (D8.4). A replica sends it to all at every start.
type Held struct {
	Nonce uint64 // of this start; repeated in answers
	Above Seq    // the sender's low watermark h; 0 without a journal
}

// HeldBy answers a Held with what its sender holds: the asker's statements, and proof of how far the cluster has come.
// All of it is signed by others, so a faulty replica can only leave things out.
type HeldBy struct {
	Nonce uint64
	Of    ReplicaID   // the asker
	Whole bool        // the sender has not forgotten anything that it signed (D8.1)
	Said  []Statement // signed by Of, above the asker's h
	// These prove the highest sequence numbers that the sender knows of.
	Stable   StableCert
	Prepared *PreparedCert // nil: none
	Commit   *CommitCert   // nil: none
	// These Suspects of f+1 replicas justify View (V7); there are none for view 0.
	View     View
	Suspects []Suspect
}

// Statement is what one signature of a replica covers, without the message around it: enough to prove that it was signed.
type Statement struct {
	Type   Type // of the message: PrePrepare, Prepare, Commit, Checkpoint, ViewChange or NewView
	View   View // 0 for a checkpoint
	Seq    Seq  // 0 for a view change and a new view
	Digest Digest
	Sig    Signature
}

// Recover asks an idle cluster to order nulls up to Until, where the sender's silence ends (D8.9).
type Recover struct{ Until Seq }

// FetchSlots asks for committed batches with their certificates, from a sequence number on (X0).
type FetchSlots struct {
	From Seq
	Most uint32 // how many batches at most
}

// Slots ends the answer to a FetchSlots: the batches in [From, Next) were sent. If Next equals From, the sender holds none.
type Slots struct{ From, Next Seq }

// FetchState asks for a part of the state at a stable checkpoint (X3). Query is encoded by checkpoint/transfer.
type FetchState struct {
	Seq   Seq // 0 with an empty Query asks for the newest checkpoint that the receiver has
	Query []byte
}

// Data answers a FetchState. If it has no Answer, it only says which checkpoint its sender can serve.
type Data struct {
	Seq    Seq         // the checkpoint that was asked for
	Offer  *StableCert // the newest checkpoint that the sender can serve, if it was asked for that or no longer serves Seq
	Answer []byte      // encoded by checkpoint/transfer; used only if its hashes match
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
func (*Attest) message()        {}
func (*Attestation) message()   {}
func (*Prove) message()         {}
func (*Proof) message()         {}
