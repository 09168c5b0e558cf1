package status

// Report is a replica's account of itself, as its clients get it in JSON. Sequence numbers
// count batches; digests are hex; sizes are bytes.
type Report struct {
	Replica          int          `json:"replica"`
	View             uint64       `json:"view"`
	Active           bool         `json:"active"`
	Primary          int          `json:"primary"`
	Handed           uint64       `json:"handed"`   // ordered, and given to execution
	Executed         uint64       `json:"executed"` // its replies are there
	StableCheckpoint uint64       `json:"stable_checkpoint"`
	StateDigest      string       `json:"state_digest"` // of the state after StableCheckpoint, as Q replicas certified it
	InFlight         uint64       `json:"in_flight"`    // sequence numbers known and not executed
	Pending          int          `json:"pending"`      // requests waiting for order
	Connected        []int        `json:"connected"`    // other replicas with a link both ways
	Twice            []int        `json:"twice"`        // other replicas whose key is used by two processes
	Clients          int          `json:"clients"`      // client links
	Health           string       `json:"health"`       // ok, or what is wrong
	Convicted        []Conviction `json:"convicted"`    // replicas proven to lie
	ViewChanges      uint64       `json:"view_changes"` // views that became active since the start
	Received         uint64       `json:"received"`     // messages of replicas believed
	Refused          uint64       `json:"refused"`      // messages not believed: malformed, unsigned, foreign
	JournalBytes     int64        `json:"journal_bytes"`
	StoreBytes       int64        `json:"store_bytes"`
	ResidentBytes    int64        `json:"rss_bytes"`
	AnonymousBytes   int64        `json:"anon_bytes"` // of those: memory that is no mapped page of a file
	UptimeMillis     int64        `json:"uptime_ms"`
	Process          int          `json:"pid"`
	LeftBehind       bool         `json:"left_behind,omitempty"`      // only a transfer of the state can bring it up
	Executing        *Executing   `json:"executing,omitempty"`        // the batch that is executed for too long
	HungReads        int          `json:"hung_reads,omitempty"`       // of past states, that do not end when they should
	Durability       string       `json:"durability"`                 // whether votes wait until they are durable: pessimistic or optimistic
	Recovery         *Recovery    `json:"recovery,omitempty"`         // how the replica comes back; left out when it is back
	Split            uint64       `json:"split_checkpoint,omitempty"` // replicas disagree on the state after it: it can never be stable
}

// Conviction names a replica and what it is proven to have done.
type Conviction struct {
	Replica int    `json:"replica"`
	Kind    string `json:"kind"`
}

// Healthy is the health of a replica that nothing is wrong with.
const Healthy = "ok"

// Executing is a batch that is executed for too long.
type Executing struct {
	Seq     uint64 `json:"seq"`
	Seconds int    `json:"seconds"`
	Request string `json:"request"` // digest, in hex, of the request under way: what goes into refused_requests
	Client  string `json:"client"`  // its client's key, in hex
}

// Recovery is how a replica comes back after a start or after it was left behind.
type Recovery struct {
	Phase    Phase  `json:"phase"`
	Why      string `json:"why,omitempty"`       // phase forgotten: what was found
	Whole    []int  `json:"answered,omitempty"`  // phase forgotten: others that answered and lost nothing
	LostToo  []int  `json:"lost_too,omitempty"`  // others that lost data as well
	NoAnswer []int  `json:"no_answer,omitempty"` // others that are not heard of
	Needed   int    `json:"needed,omitempty"`    // how many of the first kind it waits for

	SilentUntil uint64 `json:"silent_until,omitempty"` // it signs nothing before this checkpoint is stable
	FromView    uint64 `json:"from_view,omitempty"`    // the first view in which it votes again
	Unclean     bool   `json:"unclean,omitempty"`      // it is silent, for it stopped before its last votes were durable (D8.14)
	Halted      bool   `json:"halted,omitempty"`       // so did more replicas than the cluster masks: it stays halted

	Transfer *Transfer `json:"transfer,omitempty"` // the state that is fetched
}

// Phase is what a replica that comes back is at.
type Phase string

// The phases, in the order in which a replica may go through them.
const (
	PhaseForgotten Phase = "forgotten" // it may have forgotten what it signed, and asks the others
	PhaseAsking    Phase = "asking"    // it asks the others whether it lacks something that it signed
	PhaseFetching  Phase = "fetching"  // the state is fetched
	PhaseSilent    Phase = "silent"    // it executes, and does not vote yet
	PhaseFollowing Phase = "following" // it executes what others order, or votes from a later view on
)

// Transfer is how far the fetching of a state is.
type Transfer struct {
	Phase           string  `json:"phase"` // choosing, loading, fetching or switching
	Checkpoint      uint64  `json:"checkpoint"`
	Share           float64 `json:"share"`      // of the state that was compared and is right, 0 to 1
	Bytes           uint64  `json:"bytes"`      // received
	LateBytes       uint64  `json:"late_bytes"` // of them, those that another donor had been asked for meanwhile
	BytesPerSecond  uint64  `json:"bytes_per_second"`
	RemainingMillis int64   `json:"remaining_ms"` // 0: not known
	Rounds          int     `json:"rounds"`       // checkpoints that were tried
	Donors          []int   `json:"donors"`       // replicas that serve it
	Blamed          int     `json:"blamed"`       // false answers since the start
}
