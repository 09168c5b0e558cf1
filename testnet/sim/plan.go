package sim

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"tagma/pbft/wire"
	"tagma/testnet/byzantine"
	"tagma/testnet/links"
	"tagma/testnet/sim/disk"
)

// Plan is everything about a run as plain data: it can be drawn from a seed, written down, made smaller and run again.
type Plan struct {
	Seed     uint64 `json:"seed"` // of the world's chance
	Replicas int    `json:"replicas"`
	Machine  string `json:"machine"`
	Real     bool   `json:"real_signatures,omitempty"`

	CheckpointInterval wire.Seq      `json:"checkpoint_interval"`
	LogWindow          wire.Seq      `json:"log_window"`
	MaxBatch           int           `json:"max_batch"`
	ViewTimeout        time.Duration `json:"view_timeout"`
	MaxViewTimeout     time.Duration `json:"max_view_timeout"`
	SegmentBytes       int64         `json:"segment_bytes"`

	Base       links.Link    `json:"network"`
	Sync       time.Duration `json:"sync"`
	SyncJitter time.Duration `json:"sync_jitter"`
	Clients    int           `json:"clients"`
	Workload   Workload      `json:"workload"`
	Sessions   int           `json:"sessions,omitempty"` // that are held for each client; 0: the default

	Malicious []Malice         `json:"malicious,omitempty"`
	Twins     []Twin           `json:"twins,omitempty"`
	Rogues    []Rogue          `json:"rogues,omitempty"`
	Damaged   []wire.ReplicaID `json:"damaged,omitempty"` // counted among the faulty, for what happens to their disks
	// Forgetful replicas lose what they signed. They count among those that may fail, and must come back (D8).
	Forgetful []wire.ReplicaID `json:"forgetful,omitempty"`
	Faults    []Fault          `json:"faults,omitempty"`

	// Heal is when all faults have ended, but for those without end. Without it the run is judged for safety alone.
	Heal     time.Duration    `json:"heal,omitempty"`
	Cut      []wire.ReplicaID `json:"cut,omitempty"` // need not catch up: a fault without end cuts them off
	Duration time.Duration    `json:"duration"`
}

// Malice is a replica with a behaviour.
type Malice struct {
	Replica   wire.ReplicaID `json:"replica"`
	Behaviour string         `json:"behaviour"` // as byzantine.ParseChoice reads it
	From      time.Duration  `json:"from,omitempty"`
	Until     time.Duration  `json:"until,omitempty"`
}

// Rogue is a client with a behaviour, beside those of the workload.
type Rogue struct {
	Behaviour string        `json:"behaviour"` // as byzantine.ParseClientChoice reads it
	From      time.Duration `json:"from,omitempty"`
	Until     time.Duration `json:"until,omitempty"`
}

// Fault is something that goes wrong at a time and may end at another one. Which fields it uses depends on Do.
type Fault struct {
	Do      FaultKind      `json:"do"`
	At      time.Duration  `json:"at"`
	Until   time.Duration  `json:"until,omitempty"` // 0: it does not end
	Replica wire.ReplicaID `json:"replica"`
	Loss    disk.Loss      `json:"loss,omitempty"`
	Calls   int            `json:"calls,omitempty"`
	Type    wire.Type      `json:"type,omitempty"`
	Moment  Moment         `json:"moment,omitempty"`
	By      time.Duration  `json:"by,omitempty"`
	Client  int            `json:"client,omitempty"`
	Links   *links.Command `json:"links,omitempty"`
	Undo    *links.Command `json:"undo,omitempty"` // at Until
}

// FaultKind says what goes wrong.
type FaultKind string

// The kinds, with the fields of Fault that they use besides At.
const (
	CrashNow   FaultKind = "crash"       // Replica, Loss; it restarts at Until
	CrashCalls FaultKind = "crash-after" // Replica, Loss, Calls; the same
	CrashType  FaultKind = "crash-at"    // Replica, Loss, Type, Moment; the same
	CrashAll   FaultKind = "crash-all"   // Loss; the same for every replica
	Pausing    FaultKind = "pause"       // Replica; it resumes at Until
	ClockSkew  FaultKind = "clock-jump"  // Replica, By
	Network    FaultKind = "network"     // Links, Undo
	BitRot     FaultKind = "bit-rot"     // Replica: its machine stops, a bit turns, and it starts at Until
	TornTail   FaultKind = "torn-tail"   // Replica: the same, with sectors lost at the end
	LyingSync  FaultKind = "lost-fsync"  // Replica: its disk lies until its power fails at Until
	IOError    FaultKind = "io-error"    // Replica: its disk fails after Calls calls; it is mended and starts at Until
	DiskFull   FaultKind = "disk-full"   // Replica: the same for what needs room
	Wiped      FaultKind = "wipe"        // Replica: its machine stops, and starts at Until with nothing but its key
	StateLost  FaultKind = "state-lost"  // Replica: the same, with its journal but without its store
	Unmounted  FaultKind = "unmount"     // Replica: the same as wipe, but its data are there again at another start, Calls ms later; 0: never
	RolledBack FaultKind = "rollback"    // Replica: a copy of its disks is taken, and put back at Until
	// ClientKill ends a client's program: Client; Calls, Moment: as it sends so many requests; it starts again at Until.
	ClientKill FaultKind = "kill-client"
	WipedAgain FaultKind = "wipe-again" // Replica: wiped at At and once more at Until, as it may just be coming back
)

// Options are the plan's world, without its faults.
func (p *Plan) Options() (Options, error) {
	o := Options{
		Seed: p.Seed, Replicas: p.Replicas, Machine: p.Machine, Base: p.Base, Sync: p.Sync, SyncJitter: p.SyncJitter,
		Config: wire.Config{
			CheckpointInterval: p.CheckpointInterval, LogWindow: p.LogWindow, MaxBatch: p.MaxBatch,
			ViewTimeout: p.ViewTimeout, MaxViewTimeout: p.MaxViewTimeout,
		},
		SegmentBytes: p.SegmentBytes, Clients: p.Clients, Workload: p.Workload, Twins: p.Twins,
	}
	o.Limits.Sessions = p.Sessions
	if p.Real {
		o.Signatures = Ed25519
	}
	for _, m := range p.Malicious {
		choice, err := byzantine.ParseChoice(m.Behaviour)
		if err != nil {
			return o, err
		}
		o.Malicious = append(o.Malicious, Malicious{Replica: m.Replica, Choice: choice, From: m.From, Until: m.Until})
	}
	return o, nil
}

// Faulty lists the replicas that count as faulty, ascending.
func (p *Plan) Faulty() (all []wire.ReplicaID) {
	bad := make([]bool, p.Replicas)
	for _, m := range p.Malicious {
		bad[m.Replica] = true
	}
	for _, t := range p.Twins {
		bad[t.Replica] = true
	}
	for _, id := range p.Damaged {
		bad[id] = true
	}
	for _, id := range p.Forgetful {
		bad[id] = true
	}
	for id, is := range bad {
		if is {
			all = append(all, wire.ReplicaID(id))
		}
	}
	return all
}

func (p *Plan) String() string {
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil { // nothing in it has no JSON
		return err.Error()
	}
	return string(text)
}

// ParsePlan reads what String wrote.
func ParsePlan(text []byte) (*Plan, error) {
	p := new(Plan)
	if err := json.Unmarshal(text, p); err != nil {
		return nil, fmt.Errorf("read a plan: %w", err)
	}
	return p, p.check()
}

func (p *Plan) check() error {
	if p.Replicas < 4 || p.Replicas > wire.MaxMembers {
		return fmt.Errorf("a plan for %d replicas; a cluster has 4 to %d", p.Replicas, wire.MaxMembers)
	}
	named := append(slices.Clone(p.Damaged), p.Forgetful...)
	for _, m := range p.Malicious {
		named = append(named, m.Replica)
	}
	for _, t := range p.Twins {
		named = append(named, t.Replica)
	}
	for _, f := range p.Faults {
		named = append(named, f.Replica)
	}
	for _, id := range append(named, p.Cut...) {
		if int(id) >= p.Replicas {
			return fmt.Errorf("a plan for %d replicas names replica %d", p.Replicas, id)
		}
	}
	return nil
}
