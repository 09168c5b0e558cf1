package scenario

import (
	"time"

	"tagma/internal/cluster"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine"
	malicious "tagma/testnet/byzantine/replica"
	"tagma/testnet/links"
)

// Scenario is one run. Times count from the beginning of the workload. A field with a toml tag is read from that key of
// the file as it is; read.go says what becomes of the others.
type Scenario struct {
	File     string // it was read from
	Name     string `toml:"name"`
	nameLine int
	About    string           `toml:"about"` // one sentence: what to watch
	Replicas int              `toml:"replicas" range:"4..256"`
	Machine  string           `toml:"machine"` // kv or bank
	Seed     uint64           `toml:"seed"`
	Absent   []wire.ReplicaID `toml:"absent"` // not started at the beginning, and never before

	Settings  cluster.Protocol // zero fields have their defaults
	Workload  Workload         `toml:"workload"`
	Malicious []Malicious
	Events    []Event    // in the order of the file
	Network   links.Link `toml:"network"`
	Rules     []Rule
	Scripts   []Script
	Expect    Expect
}

// ViewTimeout is T.
func (s *Scenario) ViewTimeout() time.Duration { return s.Settings.WithDefaults().ViewTimeout.Duration }

// Faultless is the scenario without anything that goes wrong, for ratios. Its links keep what takes time on them, and lose
// nothing.
func (s *Scenario) Faultless() *Scenario {
	return &Scenario{
		File: s.File, Name: s.Name, Replicas: s.Replicas, Machine: s.Machine, Seed: s.Seed, Settings: s.Settings, Workload: s.Workload,
		Network: links.Link{Delay: s.Network.Delay, Jitter: s.Network.Jitter, Bandwidth: s.Network.Bandwidth},
		Expect:  Expect{RatioAfter: s.Expect.RatioAfter},
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
	InFlight   int           `toml:"in_flight" range:"1..1000"` // operations that a client has under way in a closed loop; 0: 1
	Rate       float64       `toml:"rate" range:"0..1000000"`   // operations per second, over all clients; 0: closed loop
	Baseline   bool          `toml:"baseline"`                  // the workload runs without faults too, for ratios
}

// Keys of an attack on links.
const (
	KeyOfBackup   = "replica"  // that of the last replica, which runs beside the attack and is correct
	KeyOfOutsider = "outsider" // one that nobody knows
)

// Malicious is a replica or a client with a behaviour, from one time until another.
type Malicious struct {
	Line    int
	Replica wire.ReplicaID
	// Client, unless nil, makes it client c0, c1, … instead of a replica, and Choice a behaviour of clients. It takes the
	// place of the workload's client of that number, if there is one.
	Client *int
	// Key, unless "", is whose key that client has instead of its own: its attack is on links then.
	Key    string
	Choice byzantine.Choice
	From   time.Duration
	Until  time.Duration // 0: to the end
}

// Event is something that happens once. Which fields it uses depends on Do. What a file repeats, or undoes after a while,
// is here as events of their own.
type Event struct {
	Line int
	Do   string        `toml:"do"`
	At   time.Duration `toml:"at"`
	// AfterOperations counts acknowledged ones. It is used instead of At if it is > 0; At counts from there then.
	AfterOperations int `toml:"after_operations" range:"1..10000000"`

	Targets []wire.ReplicaID   `toml:"targets"` // of everything that happens to replicas
	Groups  [][]wire.ReplicaID `toml:"groups"`  // of partition; without groups, and unless Ring, it ends
	Ring    bool               `toml:"ring"`    // of partition: everybody hears the neighbours alone
	From    []wire.ReplicaID   `toml:"from"`    // of link
	To      []wire.ReplicaID   `toml:"to"`
	Link    links.Link         `toml:",inline"`
	Heal    bool               `toml:"heal"` // of link: back to the default
	Name    string             `toml:"name"` // of release
	By      time.Duration      // of clock-jump
	Submit  []Operation        `toml:"operations"` // of submit
	// BeforeSend, of kill, waits for the moment at which a message of this type is durable and not yet sent.
	BeforeSend wire.Type       `toml:"before_send"`
	Direction  links.Direction `toml:"direction"` // of isolate
	Hole       bool            `toml:"hole"`      // of lose-unsynced: unsynced sectors are gone as a hole instead of as a tail
	Undoes     bool            // it ends what an event of the same line began
}

// Rule treats single messages.
type Rule struct {
	Line   int
	At     time.Duration `toml:"at"` // it begins
	Match  links.Match
	Action links.Action  `toml:"action"`
	By     time.Duration `toml:"by"` // of delay
	// Until ends the rule: a time > 0, or the release of that name, or else never. What it holds then goes on its way.
	UntilTime    time.Duration
	UntilRelease string
}

// Script is a message that an attacker sends with its key, whatever its core does.
type Script struct {
	Line int
	At   time.Duration    `toml:"at"`
	From wire.ReplicaID   `toml:"from"`
	To   []wire.ReplicaID `toml:"to"`
	Send Template         `toml:"send"`
}

// Template describes a message of a script.
type Template struct {
	Type         wire.Type   `toml:"type"`
	View         wire.View   `toml:"view"`
	Seq          wire.Seq    `toml:"seq"`
	Batch        []Operation `toml:"batch"`  // requests, such as "c0:1 put k a": client c0, its request 1
	Digest       string      `toml:"digest"` // hex, instead of Batch
	Forged       bool        `toml:"forged"` // certificates bear signatures of the sender alone
	FromRecorded Recorded    `toml:"from_recorded"`
}

// Recorded says which messages that were sent on the network before a script's moment make its certificates.
type Recorded struct {
	// Of view-change.
	Prepared []Slot           `toml:"prepared"` // prepared certificates
	Stable   wire.Seq         `toml:"stable"`   // the stable checkpoint; 0: none
	Suspects []wire.ReplicaID `toml:"suspects"` // whose suspicions justify it; nil: the first f+1 that suffice

	// Of new-view. Each proposal is "null", a digest in hex, or "view:seq" of a pre-prepare; nil: what follows from V.
	ViewChanges Sequence `toml:"view_changes"` // whose view-changes are V, as listed; nil: the first Q
	Proposals   []string `toml:"proposals"`

	Commit *Slot `toml:"commit"` // of certified-body and stable-notice: the commit certificate
}

// Sequence is a list of replicas in which one may be named several times.
type Sequence []wire.ReplicaID

// Slot is a place in the order.
type Slot = malicious.Slot

// Expect is what must hold in the end. What is nil expects nothing.
type Expect struct {
	Safe               *bool `toml:"safe"`
	AcknowledgedAll    bool
	Acknowledged       *int             // at least
	MaxViewChanges     *int             `toml:"max_view_changes" range:"0..2147483648"`
	MaxFinalView       *int             `toml:"max_final_view" range:"0..2147483648"`
	MinThroughputRatio *float64         `toml:"min_throughput_ratio" range:"0..1.5"`
	RatioAfter         time.Duration    `toml:"ratio_after"`    // from when on the ratio counts
	CommitsWithin      *time.Duration   `toml:"commits_within"` // after the last fault ends
	MaxLatency         *time.Duration   `toml:"max_latency"`    // of every acknowledged operation
	Evidence           []wire.ReplicaID `toml:"evidence"`       // exactly these are convicted; an empty list: nobody is
	Stopped            []wire.ReplicaID `toml:"stopped"`        // exactly these stopped by themselves, because of their disks
	DigestsEqual       *bool            `toml:"digests_equal"`
	Serves             *bool            `toml:"serves"` // false: after the last event nothing is acknowledged, and nobody is waited for
	Order              []Operation      `toml:"order"`  // simulator: application operations in executed order, as a prefix
}

// Halts reports whether nobody is expected to be served in the end.
func (e *Expect) Halts() bool { return e.Serves != nil && !*e.Serves }
