package status

// Report is what a replica reports about itself, as clients receive it in JSON. Sequence numbers count batches, digests
// are in hexadecimal digits, and sizes are in bytes.
type Report struct {
	Replica          int          `json:"replica"`
	View             uint64       `json:"view"`
	Active           bool         `json:"active"`
	Primary          int          `json:"primary"`
	Handed           uint64       `json:"handed"`   // ordered, and handed to execution
	Executed         uint64       `json:"executed"` // executed, so that the replies exist
	StableCheckpoint uint64       `json:"stable_checkpoint"`
	StateDigest      string       `json:"state_digest"` // of the state after StableCheckpoint, as Q replicas certified it
	InFlight         uint64       `json:"in_flight"`    // sequence numbers that are known and not executed
	Pending          int          `json:"pending"`      // requests that wait to be ordered
	Connected        []int        `json:"connected"`    // other replicas with a link in both directions
	Twice            []int        `json:"twice"`        // other replicas whose key two processes use
	Clients          int          `json:"clients"`      // client links
	Health           string       `json:"health"`       // "ok", or what is wrong
	Convicted        []Conviction `json:"convicted"`    // replicas that are proven to lie
	ViewChanges      uint64       `json:"view_changes"` // number of views that became active since the start
	Received         uint64       `json:"received"`     // verified messages of replicas
	Refused          uint64       `json:"refused"`      // refused messages: malformed, wrongly signed, or of another cluster
	JournalBytes     int64        `json:"journal_bytes"`
	StoreBytes       int64        `json:"store_bytes"`
	ResidentBytes    int64        `json:"rss_bytes"`
	AnonymousBytes   int64        `json:"anon_bytes"` // of these, memory that is not a mapped page of a file
	UptimeMillis     int64        `json:"uptime_ms"`
	Process          int          `json:"pid"`
	// It has fallen so far behind that only a state transfer can help.
	LeftBehind bool       `json:"left_behind,omitempty"`
	Executing  *Executing `json:"executing,omitempty"`  // the batch whose execution takes too long
	HungReads  int        `json:"hung_reads,omitempty"` // reads of past states that did not end in time
	// Whether votes wait until they are durable: pessimistic or optimistic.
	Durability string `json:"durability"`
	// What the replica does to recover; absent when it has recovered.
	Recovery *Recovery `json:"recovery,omitempty"`
	Split    uint64    `json:"split_checkpoint,omitempty"` // replicas disagree about the state after it, so it can never be stable

	// The version of the application's state, and the lowest and highest version that the replica's program knows
	// (statemachine.Versioned). All are 0 while the replica has no state, and 1 for an application without versions.
	StateVersion  int `json:"state_version"`
	OldestVersion int `json:"oldest_version"`
	NewestVersion int `json:"newest_version"`

	Held *Held `json:"held,omitempty"` // absent if no transaction over several clusters holds anything

	Quorum        int       `json:"quorum,omitempty"`          // how many replicas are needed to execute anything
	Peers         []Peer    `json:"peers,omitempty"`           // the other replicas, as this one sees them
	Waits         *Waits    `json:"waits,omitempty"`           // absent while it may have forgotten what it signed
	Refusals      []Refusal `json:"refusals,omitempty"`        // refused messages of other replicas
	KeyTwice      bool      `json:"key_twice,omitempty"`       // another process runs under this replica's key
	Diverged      bool      `json:"diverged,omitempty"`        // its state contradicts a stable checkpoint
	LeftView      *uint64   `json:"left_view,omitempty"`       // it left this view, and too many others have not
	ViewTimeout   int64     `json:"view_timeout_ms,omitempty"` // T of the cluster
	TurnMillis    int64     `json:"turn_ms,omitempty"`         // time since the last tick; long if the disk hangs
	DiskFreeBytes int64     `json:"disk_free_bytes,omitempty"` // where the journal lies
}

// Held is what transactions over several clusters hold in the state.
type Held struct {
	Transactions  uint64  `json:"transactions"` // prepared, and not finished
	Locks         uint64  `json:"locks"`        // keys that they lock
	OldestSeconds float64 `json:"oldest_seconds"`
}

// Peer is another replica, as a replica sees it.
type Peer struct {
	Replica     int    `json:"replica"`
	Connected   bool   `json:"connected"`          // in both directions
	SinceMillis int64  `json:"since_ms,omitempty"` // how long it has been up, or down; absent if it never was up
	Error       string `json:"error,omitempty"`    // why it is not connected
	HeardMillis int64  `json:"heard_ms"`           // time since its last status message arrived; -1: none has arrived
	View        uint64 `json:"view"`               // as in that status, like the fields below
	Active      bool   `json:"active"`             // whether that view serves
	Executed    uint64 `json:"executed"`
	Stable      uint64 `json:"stable_checkpoint"`
}

// Refusal counts messages that came over a replica's link and were refused for one reason.
type Refusal struct {
	From   int    `json:"from"`   // the replica
	Reason string `json:"reason"` // malformed, signature, stranger, invalid or misplaced
	Count  uint64 `json:"count"`
}

// Conviction names a replica and what it is proven to have done.
type Conviction struct {
	Replica int    `json:"replica"`
	Kind    string `json:"kind"`
}

// Healthy is the health of a replica with which nothing is wrong.
const Healthy = "ok"

// Executing is a batch whose execution takes too long.
type Executing struct {
	Seq     uint64 `json:"seq"`
	Seconds int    `json:"seconds"`
	Request string `json:"request"` // digest of the request that is executed, in hex, for refused_requests
	Client  string `json:"client"`  // key of its client, in hex
}

// Recovery says how a replica comes back after a start, or after it was left behind.
type Recovery struct {
	Phase Phase  `json:"phase"`
	Why   string `json:"why,omitempty"` // in phase forgotten: what the start found
	// In phase forgotten: other replicas that answered and have lost nothing that they signed.
	Whole    []int `json:"answered,omitempty"`
	LostToo  []int `json:"lost_too,omitempty"`  // in phase forgotten: other replicas that have lost what they signed, too
	NoAnswer []int `json:"no_answer,omitempty"` // other replicas that have not answered
	Needed   int   `json:"needed,omitempty"`    // in phase forgotten: how many replicas that have lost nothing must answer

	SilentUntil uint64 `json:"silent_until,omitempty"` // it signs nothing before this checkpoint is stable
	FromView    uint64 `json:"from_view,omitempty"`    // the first view in which it votes again
	// It is silent because it stopped before its last votes were durable (D8.14).
	Unclean bool `json:"unclean,omitempty"`
	// More than f replicas stopped without making their last votes durable, so it does not vote again.
	Halted bool `json:"halted,omitempty"`

	Transfer *Transfer `json:"transfer,omitempty"` // the state that is being fetched
}

// Phase is the step of the recovery at which a replica is.
type Phase string

// The phases, in the order in which a replica may go through them.
const (
	PhaseForgotten Phase = "forgotten" // it may have forgotten what it signed, and asks the others
	PhaseAsking    Phase = "asking"    // it asks the others whether it lacks something that it signed
	PhaseFetching  Phase = "fetching"  // it fetches the state
	PhaseSilent    Phase = "silent"    // it executes, but does not vote yet
	PhaseFollowing Phase = "following" // it executes what the others order, or votes only from a later view on
)

// Transfer says how far the fetching of a state is.
type Transfer struct {
	Phase           string  `json:"phase"` // choosing, loading, fetching or switching
	Checkpoint      uint64  `json:"checkpoint"`
	Share           float64 `json:"share"`      // the part of the state that was compared and is right, 0 to 1
	Bytes           uint64  `json:"bytes"`      // received
	LateBytes       uint64  `json:"late_bytes"` // of these, bytes for which another donor had been asked meanwhile
	BytesPerSecond  uint64  `json:"bytes_per_second"`
	RemainingMillis int64   `json:"remaining_ms"` // 0: not known
	Rounds          int     `json:"rounds"`       // how many checkpoints were tried
	Donors          []int   `json:"donors"`       // replicas that serve the checkpoint
	Blamed          int     `json:"blamed"`       // number of false answers since the start
}
