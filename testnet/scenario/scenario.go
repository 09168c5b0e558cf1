package scenario

import (
	"fmt"
	"slices"
	"time"

	"tagma/internal/cluster"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine"
	malicious "tagma/testnet/byzantine/replica"
	"tagma/testnet/fact"
	"tagma/testnet/links"
)

// Scenario is one run. Times count from the beginning of the workload. A field with a toml tag is read directly from
// that key of the file; read.go sets the others.
type Scenario struct {
	File     string // the file from which the scenario was read
	Name     string `toml:"name"`
	nameLine int
	About    string           `toml:"about"` // one sentence: what to watch
	Replicas int              `toml:"replicas" range:"3..256"`
	Machine  string           `toml:"machine"`     // kv or bank
	Model    string           `toml:"fault_model"` // that the cluster masks: byzantine or crash
	Seed     uint64           `toml:"seed"`
	Absent   []wire.ReplicaID `toml:"absent"` // not started at the beginning, and never before

	Settings  cluster.Protocol // zero fields have their defaults
	Workload  Workload         `toml:"workload"`
	Malicious []Malicious
	Events    []Event // in the order of the file, and then those of blocks; Reseed makes them anew
	Blocks    []Block
	single    []Event    // of no block
	Network   links.Link `toml:"network"`
	Rules     []Rule
	Scripts   []Script
	Requests  []Request
	Expect    Expect `toml:"expect"`

	// Clusters, unless nil, are those of a scenario over several, each with what happens to it. What the whole scenario
	// has is then its name, its seed, what it is about, the transactions over the clusters and what is expected of them.
	Clusters     []*Scenario
	Transactions Transactions
	Across       Whole
	Cluster      string // the name of this cluster, if there are several
	Programs     int    // how many clients beside those of the workload it has then
}

// ViewTimeout is T.
func (s *Scenario) ViewTimeout() time.Duration { return s.Settings.WithDefaults().ViewTimeout.Duration }

// Facts lists all facts for which something in the scenario waits.
func (s *Scenario) Facts() (all []fact.Fact) {
	for _, e := range s.Events {
		all = addFact(all, e.When)
	}
	for _, r := range s.Rules {
		all = addFact(all, r.When)
	}
	for _, l := range s.Scripts {
		all = addFact(all, l.When)
	}
	for _, r := range s.Requests {
		all = addFact(all, r.When)
	}
	return all
}

func addFact(all []fact.Fact, f *fact.Fact) []fact.Fact {
	if f == nil || slices.ContainsFunc(all, func(o fact.Fact) bool { return o.String() == f.String() }) {
		return all
	}
	return append(all, *f)
}

// Faultless returns the scenario without its faults, to measure the throughput that ratios compare with. Its links keep
// their delay, jitter and bandwidth, and lose nothing.
func (s *Scenario) Faultless() *Scenario {
	return &Scenario{
		File: s.File, Name: s.Name, Replicas: s.Replicas, Machine: s.Machine, Seed: s.Seed, Settings: s.Settings, Workload: s.Workload,
		Network: links.Link{Delay: s.Network.Delay, Jitter: s.Network.Jitter, Bandwidth: s.Network.Bandwidth},
		Expect:  Expect{Safe: new(true), RatioAfter: s.Expect.RatioAfter}, // without faults nothing breaks safety
	}
}

// Kinds of workload.
const (
	KindPut      = "put"      // writes
	KindMixed    = "mixed"    // writes and reads
	KindRegister = "register" // writes and reads of few keys by all clients, judged for linearizability
	KindBank     = "bank"     // transfers between accounts
	KindNone     = "none"
)

// Workload is what clients do.
type Workload struct {
	Kind       string        `toml:"kind"` // put, mixed, register, bank or none
	Clients    int           `toml:"clients" range:"1..1000"`
	Operations int           `toml:"operations" range:"1..10000000"` // 0: as many as Duration allows
	Duration   time.Duration `toml:"duration"`                       // 0: until Operations are done
	ValueBytes int           `toml:"value_bytes" range:"1..1048576"`
	Keys       int           `toml:"keys" range:"1..100000000"` // written before the workload begins, which overwrites them; 0: none
	InFlight   int           `toml:"in_flight" range:"1..1000"` // operations that a client has under way in a closed loop; 0: 1
	Rate       float64       `toml:"rate" range:"0..1000000"`   // operations per second, over all clients; 0: closed loop
	// The workload also runs without faults, so that ratios can be computed.
	Baseline bool `toml:"baseline"`
}

// The keys with which an attacker of links may connect.
const (
	KeyOfBackup   = "replica"  // the last replica's key; that replica runs beside the attacker and is correct
	KeyOfOutsider = "outsider" // a key that no replica knows
)

// Malicious is a replica or a client with a behaviour, from one time until another.
type Malicious struct {
	Line    int
	Replica wire.ReplicaID
	// Client, unless nil, is the number of a malicious client: c0, c1, …; Replica is unused, and Choice is a behaviour of
	// clients. This client replaces the workload's client of that number, if there is one.
	Client *int
	// Key, unless "", makes the client an attacker of links, and says whose key it uses: KeyOfBackup or KeyOfOutsider.
	Key    string
	Choice byzantine.Choice
	From   time.Duration
	Until  time.Duration // 0: to the end
}

// Event is something that happens once. Which fields it uses depends on Do. If a file says that an event is repeated or
// ends after a while, each repetition and each end is an Event of its own.
type Event struct {
	Line int
	Do   string        `toml:"do"`
	At   time.Duration `toml:"at"`
	// AfterOperations, if > 0, makes the event wait until so many operations are acknowledged; At counts from then on.
	AfterOperations int `toml:"after_operations" range:"1..10000000"`
	// When, unless nil, is a fact that the event waits for; At counts from then on.
	When *fact.Fact `toml:"when"`

	// Command names the replicas that the event affects, and what changes on links: the groups of a partition (no groups and
	// no Ring: it ends), the direction of an isolation, both ends of a link, the name of a release.
	links.Command
	Ring   bool             `toml:"ring"` // of partition: each replica hears only its two neighbours
	Heal   bool             `toml:"heal"` // of link: back to the default
	By     time.Duration    // of clock-jump
	Key    string           `toml:"key"`        // of flip-state: the key under which the next value is changed; "": any
	Submit []Operation      `toml:"operations"` // of submit
	Part   string           `toml:"part"`       // of bit-flip: PartJournal or PartStore
	Place  links.Place      `toml:",inline"`    // of bit-flip
	Moment `toml:",inline"` // of kill: the moment that it waits for
	Hole   bool             `toml:"hole"` // of lose-unsynced: unsynced sectors are gone as a hole instead of as a tail
	Undoes bool             // this event ends what an event in the same line of the file began
}

// Moment is a moment within a replica: a stage of its next message of a type, or a stage of the batch with a sequence
// number, or of the first batch after that. At most one of the fields is set.
type Moment struct {
	BeforeDurable  wire.Type `toml:"before_durable"`   // the message's sync is under way
	BeforeSend     wire.Type `toml:"before_send"`      // the message is durable, and was sent to nobody
	AfterFirstSend wire.Type `toml:"after_first_send"` // the message was sent to one replica, and to no other
	BeforeExecute  wire.Seq  `toml:"before_execute"`   // the batch's certificate is durable, and the batch is not executed
	AfterExecute   wire.Seq  `toml:"after_execute"`    // the machine has executed the batch, and nobody was told
}

// Any reports whether there is a moment to wait for.
func (m *Moment) Any() bool { return *m != Moment{} }

// String says when the moment comes.
func (m *Moment) String() string {
	switch {
	case m.BeforeDurable != 0:
		return "before a " + m.BeforeDurable.String() + " of its own is durable"
	case m.BeforeSend != 0:
		return "before it sends a " + m.BeforeSend.String()
	case m.AfterFirstSend != 0:
		return "after it sent a " + m.AfterFirstSend.String() + " to one"
	case m.BeforeExecute != 0:
		return fmt.Sprintf("before it executes %d", m.BeforeExecute)
	default:
		return fmt.Sprintf("after it executed %d", m.AfterExecute)
	}
}

// Rule acts on single messages. It ends at the time Until, if there is one. Otherwise it ends with the release of its
// name, or never.
type Rule struct {
	Line int
	At   time.Duration `toml:"at"`   // when it begins
	When *fact.Fact    `toml:"when"` // nil: it begins at At; else it begins with this fact, and Until counts from then on
	links.Rule
}

// Script is a message that an attacker sends with its key, whatever its core does.
type Script struct {
	Line int
	At   time.Duration    `toml:"at"`
	When *fact.Fact       `toml:"when"` // nil: it is sent at At; else when this fact has happened
	From wire.ReplicaID   `toml:"from"`
	To   []wire.ReplicaID `toml:"to"`
	Send Template         `toml:"send"`
}

// Template describes a message of a script.
type Template struct {
	Type   wire.Type   `toml:"type"`
	View   wire.View   `toml:"view"`
	Seq    wire.Seq    `toml:"seq"`
	Batch  []Operation `toml:"batch"`  // requests, such as "c0:1 put k a": client c0, its request 1
	Digest string      `toml:"digest"` // hex, instead of Batch
	// The agreed time of Batch, in nanoseconds; nil: the same for all scripted batches.
	Time         *int64   `toml:"time"`
	Forged       bool     `toml:"forged"` // certificates carry signatures of the sender alone
	FromRecorded Recorded `toml:"from_recorded"`
}

// Recorded says which messages, of those that were sent before a script's moment, are used to make its certificates.
type Recorded struct {
	// For each certificate, Signers says whose votes it contains, in this order, and perhaps one several times (nil: as
	// many as are needed). Bad says whose signatures in it have one bit flipped.
	Signers Sequence         `toml:"signers"`
	Bad     []wire.ReplicaID `toml:"bad_signatures"`

	// Of view-change.
	Prepared []Slot           `toml:"prepared"` // prepared certificates
	Stable   wire.Seq         `toml:"stable"`   // the stable checkpoint; 0: none
	Suspects []wire.ReplicaID `toml:"suspects"` // whose suspicions justify it; nil: the first f+1 that suffice

	// For new-view. Each proposal is "null", a digest in hex, or "view:seq" of a pre-prepare; nil: what follows from V.
	ViewChanges Sequence `toml:"view_changes"` // whose view-changes are V, as listed; nil: the first Q
	Proposals   []string `toml:"proposals"`
	// ChangesOf is the view of those view-changes; nil: the new view's own.
	ChangesOf *wire.View `toml:"view_changes_of"`

	Commit *Slot `toml:"commit"` // of certified-body and stable-notice: the commit certificate
}

// Sequence is a list of replicas in which a replica may be named several times.
type Sequence []wire.ReplicaID

// Slot is a view and a sequence number.
type Slot = malicious.Slot

// Expect is what must hold in the end. A field that is nil expects nothing.
type Expect struct {
	Safe *bool `toml:"safe"`
	// With safe = false: one of these invariants is broken, such as I1.
	Breaks             []string         `toml:"breaks"`
	Acknowledged       *Count           `toml:"acknowledged"` // at least
	MaxViewChanges     *int             `toml:"max_view_changes" range:"0..2147483648"`
	MaxFinalView       *int             `toml:"max_final_view" range:"0..2147483648"`
	MinThroughputRatio *float64         `toml:"min_throughput_ratio" range:"0..1.5"`
	RatioAfter         time.Duration    `toml:"ratio_after"`    // from when on the ratio counts
	CommitsWithin      *time.Duration   `toml:"commits_within"` // after the last fault ends
	MaxLatency         *time.Duration   `toml:"max_latency"`    // of every acknowledged operation
	Evidence           []wire.ReplicaID `toml:"evidence"`       // exactly these are convicted; an empty list: nobody is
	// Exactly these stopped by themselves, because of their disks.
	Stopped      []wire.ReplicaID `toml:"stopped"`
	DigestsEqual *bool            `toml:"digests_equal"`
	// Correct replicas say that one checkpoint can never be stable; false: none does.
	Split  *bool       `toml:"split"`
	Serves *bool       `toml:"serves"` // false: after the last event nothing is acknowledged
	Order  []Operation `toml:"order"`  // simulator: application operations in executed order, as a prefix

	// Expectations about the course of the run, which only the simulator can judge.

	Silent       *Silence       `toml:"silent"`
	NoExecutions *Span          `toml:"no_executions"` // no correct replica executes anything in it
	SlotTexts    map[string]any `toml:"slots"`         // as the file has them
	Slots        []SlotHolds    // ascending by Seq
}

// Course reports whether the expectations follow what happens meanwhile.
func (e *Expect) Course() bool { return e.Silent != nil || e.NoExecutions != nil || len(e.Slots) > 0 }

// Span is a part of a run.
type Span struct {
	From  time.Duration `toml:"from"`
	Until time.Duration `toml:"until"` // 0: to the end
}

// Holds reports whether a time is within the span.
func (s *Span) Holds(at time.Duration) bool { return at >= s.From && (s.Until == 0 || at < s.Until) }

func (s *Span) String() string {
	if s.Until == 0 {
		return fmt.Sprintf("from %v on", s.From)
	}
	return fmt.Sprintf("from %v until %v", s.From, s.Until)
}

// Silence means that a replica sends nothing to anybody for a while.
type Silence struct {
	Replica wire.ReplicaID `toml:"replica"`
	Span
}

// The values of a slot that are not a digest.
const (
	NullSlot = "null"
	SomeSlot = "requests" // whatever is not null
)

// SlotHolds is what correct replicas execute at a sequence number: a digest in hex, NullSlot or SomeSlot.
type SlotHolds struct {
	Seq  wire.Seq
	What string
}

// Count is a number of operations.
type Count int

// All stands for as many as were submitted.
const All Count = -1

// Splits reports whether the scenario expects that correct replicas disagree about the state for good.
func (e *Expect) Splits() bool { return e.Split != nil && *e.Split }

// Halts reports whether the scenario expects that no client is served at the end.
func (e *Expect) Halts() bool { return e.Serves != nil && !*e.Serves }
