package sim

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"tagma/pbft/wire"
	"tagma/testnet/byzantine"
	"tagma/testnet/links"
)

// Plan describes everything about a run as plain data. It can be drawn from a seed, written to a file, made smaller and
// run again.
type Plan struct {
	Seed     uint64 `json:"seed"` // seed of all chance in the world
	Replicas int    `json:"replicas"`
	Crash    bool   `json:"crash,omitempty"` // replicas fail by crashing alone (F1)
	Machine  string `json:"machine"`
	History  int    `json:"history,omitempty"` // history of a kv machine; if set, clients revert, too
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
	// If set, votes are sent before they are durable, and the journal gathers them (D8.14).
	Optimistic bool          `json:"optimistic,omitempty"`
	WriteDelay time.Duration `json:"write_delay,omitempty"`
	Clients    int           `json:"clients"`
	Workload   Workload      `json:"workload"`
	Sessions   int           `json:"sessions,omitempty"` // sessions that replicas hold for each client; 0: the default

	ReplyBytes int `json:"reply_bytes,omitempty"` // reply bytes cached for a session; 0: the default

	Malicious []Malice         `json:"malicious,omitempty"`
	Twins     []Twin           `json:"twins,omitempty"`
	Rogues    []Rogue          `json:"rogues,omitempty"`
	Damaged   []wire.ReplicaID `json:"damaged,omitempty"` // they count as faulty, because faults damage their disks
	// Forgetful replicas lose what they signed. They count among those that may fail, and must recover (D8).
	Forgetful []wire.ReplicaID `json:"forgetful,omitempty"`
	Faults    []Fault          `json:"faults,omitempty"`

	// Heal is when all faults end, except those without end. If it is 0, the run is judged only for safety.
	Heal     time.Duration    `json:"heal,omitempty"`
	Cut      []wire.ReplicaID `json:"cut,omitempty"` // they need not catch up, because a fault without end cuts them off
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

// Options returns the options of the plan's world, without its faults.
func (p *Plan) Options() (Options, error) {
	o := Options{
		Seed: p.Seed, Replicas: p.Replicas, Machine: p.Machine, History: p.History, Base: p.Base, Sync: p.Sync, SyncJitter: p.SyncJitter,
		WriteDelay: p.WriteDelay,
		Config: wire.Config{
			CheckpointInterval: p.CheckpointInterval, LogWindow: p.LogWindow, MaxBatch: p.MaxBatch,
			ViewTimeout: p.ViewTimeout, MaxViewTimeout: p.MaxViewTimeout, Optimistic: p.Optimistic, Crash: p.Crash,
		},
		SegmentBytes: p.SegmentBytes, Clients: p.Clients, Workload: p.Workload, Twins: p.Twins,
	}
	o.Limits.Sessions, o.Limits.MaxReplyCacheBytes = p.Sessions, p.ReplyBytes
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

// Masks is how many replicas may fail: ⌊(n−1)/3⌋, and ⌊(n−1)/2⌋ where they only crash.
func (p *Plan) Masks() int {
	if p.Crash {
		return (p.Replicas - 1) / 2
	}
	return (p.Replicas - 1) / 3
}

// Faulty lists the replicas that count as faulty, ascending.
func (p *Plan) Faulty() []wire.ReplicaID {
	all := slices.Concat(p.Damaged, p.Forgetful)
	for _, m := range p.Malicious {
		all = append(all, m.Replica)
	}
	for _, t := range p.Twins {
		all = append(all, t.Replica)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (p *Plan) String() string {
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil { // impossible: every field has a JSON form
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
	if least := (&wire.Config{Crash: p.Crash}).Least(); p.Replicas < least || p.Replicas > wire.MaxMembers {
		return fmt.Errorf("a plan for %d replicas; a cluster has %d to %d", p.Replicas, least, wire.MaxMembers)
	}
	named := p.Faulty()
	for _, f := range p.Faults {
		if faultKinds[f.Do].begin == nil {
			return fmt.Errorf("a plan has a fault %q; there is none of that kind", f.Do)
		}
		named = append(named, f.Replica)
	}
	for _, id := range append(named, p.Cut...) {
		if int(id) >= p.Replicas {
			return fmt.Errorf("a plan for %d replicas names replica %d", p.Replicas, id)
		}
	}
	return nil
}
