package scenario

import (
	"time"

	"tagma/internal/cluster"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine"
	"tagma/testnet/links"
)

// Scenario is one run. Times count from the beginning of the workload.
type Scenario struct {
	File     string // it was read from
	Name     string
	nameLine int
	About    string // one sentence: what to watch
	Replicas int
	Machine  string // kv or bank
	Seed     uint64
	Absent   []wire.ReplicaID // not started at the beginning, and never before

	Settings  cluster.Protocol // zero fields have their defaults
	Workload  Workload
	Malicious []Malicious
	Events    []Event // in the order of the file
	Network   links.Link
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
	Kind       string // put, mixed, register, bank or none
	Clients    int
	Operations int           // 0: as many as Duration allows
	Duration   time.Duration // 0: until Operations are done
	ValueBytes int
	InFlight   int     // operations that a client has under way at once, on processes in a closed loop; 0: 1
	Rate       float64 // operations per second, over all clients; 0: closed loop
	Baseline   bool    // the workload runs without faults too, for ratios
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
	Line            int
	At              time.Duration
	AfterOperations int // acknowledged ones; used instead of At if > 0. At counts from there then
	Do              string

	Targets []wire.ReplicaID   // of everything that happens to replicas
	Groups  [][]wire.ReplicaID // of partition; without groups, and unless Ring, it ends
	Ring    bool               // of partition: everybody hears the neighbours alone
	From    []wire.ReplicaID   // of link
	To      []wire.ReplicaID
	Link    links.Link
	Heal    bool          // of link: back to the default
	Name    string        // of release
	By      time.Duration // of clock-jump
	Submit  []Operation   // of submit
	// BeforeSend, of kill, waits for the moment at which a message of this type is durable and not yet sent.
	BeforeSend wire.Type
	Direction  links.Direction // of isolate
	Hole       bool            // of lose-unsynced: unsynced sectors are gone as a hole instead of as a tail
	Undoes     bool            // it ends what an event of the same line began
}

// Rule treats single messages.
type Rule struct {
	Line   int
	At     time.Duration // it begins
	Match  links.Match
	Action links.Action
	By     time.Duration // of delay
	// Until ends the rule: a time > 0, or the release of that name, or else never. What it holds then goes on its way.
	UntilTime    time.Duration
	UntilRelease string
}

// Script is a message that an attacker sends with its key, whatever its core does.
type Script struct {
	Line int
	At   time.Duration
	From wire.ReplicaID
	To   []wire.ReplicaID
	Send Template
}

// Template describes a message of a script.
type Template struct {
	Type         wire.Type
	View         wire.View
	Seq          wire.Seq
	Batch        []Operation // requests, such as "c0:1 put k a": client c0, its request 1
	Digest       string      // hex, instead of Batch
	Forged       bool        // certificates bear signatures of the sender alone
	FromRecorded Recorded
}

// Recorded says which messages that were sent on the network before a script's moment make its certificates.
type Recorded struct {
	// Of view-change.
	Prepared []Slot           // prepared certificates
	Stable   wire.Seq         // the stable checkpoint; 0: none
	Suspects []wire.ReplicaID // whose suspicions justify it; nil: the first f+1 that suffice

	// Of new-view. Each proposal is "null", a digest in hex, or "view:seq" of a pre-prepare; nil: what follows from V.
	ViewChanges []wire.ReplicaID // whose view-changes are V, as listed; nil: the first Q
	Proposals   []string

	Commit *Slot // of certified-body and stable-notice: the commit certificate
}

// Slot is a place in the order.
type Slot struct {
	View wire.View
	Seq  wire.Seq
}

// Expect is what must hold in the end. A nil pointer expects nothing.
type Expect struct {
	Safe               *bool
	AcknowledgedAll    bool
	Acknowledged       *int // at least
	MaxViewChanges     *int
	MaxFinalView       *int
	MinThroughputRatio *float64
	RatioAfter         time.Duration    // from when on the ratio counts
	CommitsWithin      *time.Duration   // after the last fault ends
	MaxLatency         *time.Duration   // of every acknowledged operation
	Evidence           []wire.ReplicaID // exactly these are convicted
	EvidenceGiven      bool             // an empty list expects that nobody is
	DigestsEqual       *bool
	Order              []Operation      // simulator: application operations in executed order, as a prefix
	Stopped            []wire.ReplicaID // exactly these stopped by themselves, because of their disks
	StoppedGiven       bool
	Serves             *bool // false: after the last event nothing is acknowledged, and nobody is waited for
}
