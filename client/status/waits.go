package status

// Waits says what a replica waits for: why it orders nothing, executes nothing, or does not follow the others.
// Replicas are given by number.
type Waits struct {
	// The first batches that are known and not handed to execution.
	Slots   []Slot   `json:"slots,omitempty"`
	Request *Request `json:"request,omitempty"` // the oldest request that is not ordered
	// What the timer that ends first makes the replica suspect.
	Timer       string            `json:"timer,omitempty"`
	Silence     bool              `json:"silence,omitempty"`       // that timer ends unless a message of the primary arrives
	TimerMillis int64             `json:"timer_ms"`                // how long such a timer runs in this view
	LeftMillis  int64             `json:"timer_left_ms,omitempty"` // how long that timer still runs; 0: it has ended
	Suspects    []int             `json:"suspects,omitempty"`      // replicas that suspect the primary of the view
	ViewChanges []int             `json:"view_changes,omitempty"`  // replicas whose ViewChange for a later view is here
	Full        bool              `json:"full,omitempty"`          // the window is full: only a stable checkpoint makes room
	Checkpoints []CheckpointVotes `json:"checkpoints,omitempty"`   // announced checkpoints that are not stable, ascending
}

// Slot is a batch that is not handed to execution. It needs a pre-prepare, its body, and votes of a quorum in two phases.
type Slot struct {
	Seq         uint64 `json:"seq"`
	Accepted    bool   `json:"accepted"`                 // its pre-prepare is here, or the new view chose its digest
	Body        bool   `json:"body"`                     // the batch's requests are here
	Committed   bool   `json:"committed"`                // a quorum has committed the batch
	Prepares    []int  `json:"prepares,omitempty"`       // replicas whose first vote is here, the primary among them
	Commits     []int  `json:"commits,omitempty"`        // replicas whose second vote is here
	ForMillis   int64  `json:"for_ms,omitempty"`         // time since the batch was accepted
	AheadMillis int64  `json:"clock_ahead_ms,omitempty"` // how far its time is beyond what this replica's clock tolerates
}

// Request is a request that waits to be ordered.
type Request struct {
	Client    string `json:"client"` // the client's key, in hex
	Session   uint64 `json:"session"`
	Number    uint64 `json:"number"`
	ForMillis int64  `json:"for_ms"`
}

// CheckpointVotes are the announcements of one checkpoint.
type CheckpointVotes struct {
	Seq   uint64       `json:"seq"`
	Votes []StateVotes `json:"votes"`
}

// StateVotes are the replicas that announced the same state.
type StateVotes struct {
	Digest   string `json:"digest"`
	Replicas []int  `json:"replicas"`
}
