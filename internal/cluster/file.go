package cluster

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"tagma/pbft/wire"
)

// Format is the version of the file that this code reads and writes.
const Format = 1

// File is the content of cluster.toml. Its fields are the file's keys.
type File struct {
	Format  int    `toml:"format" comment:"version of this file"`
	ID      Key    `toml:"id" comment:"the cluster's id, part of every signature: 32 random bytes"`
	Epoch   uint64 `toml:"epoch" comment:"membership epoch, part of every signature"`
	Machine string `toml:"machine" comment:"the replicated state machine: kv or bank"`
	Refused []Key  `toml:"refused_requests,omitempty" kind:"a list of texts of 64 hex digits"` // digests of requests that never end

	Origin   Origin    `toml:"origin,omitempty" comment:"the state that the cluster began with: a backup of another cluster"`
	Protocol Protocol  `toml:"protocol" comment:"what is left out has its default"`
	Replicas []Replica `toml:"replica"` // by ID, which is the index
	Clients  []Client  `toml:"client,omitempty"`
}

// Origin is the state with which a cluster began; zero: it began empty.
type Origin struct {
	Cluster Key    `toml:"cluster"` // id of the cluster from which the state was backed up
	Seq     uint64 `toml:"seq"`     // the state is the one after this sequence number, from which this cluster continues
	Root    Key    `toml:"root"`    // root of the state, which every replica compares with its own
}

// Replica is one member.
type Replica struct {
	ID        int      `toml:"id"` // 0 … n−1
	Key       Key      `toml:"key"`
	Addresses []string `toml:"addresses" kind:"a list of texts, such as [\"/ip4/10.0.0.1/tcp/7000\"]"` // multiaddrs where other replicas reach it
}

// Client is a registered client.
type Client struct {
	Name string `toml:"name"` // only for people; the key identifies the client
	Key  Key    `toml:"key"`
	// Backup lets the client take a backup of the whole state, including the replies to all other clients. Each replica
	// decides by itself to whom it gives that, so this is not in the fingerprint.
	Backup bool `toml:"backup,omitempty" comment:"may take backups: all of the state"`
	// Role says what the client may do beside what all clients may. Machines decide by it, so it is in the fingerprint.
	Role Role `toml:"role,omitempty"`
}

// Protocol holds the parameters of wire.Config, of client sessions and of execution. 0 stands for the default;
// WithDefaults fills it in.
type Protocol struct {
	ViewTimeout        Duration `toml:"view_timeout,omitempty"`
	MaxViewTimeout     Duration `toml:"max_view_timeout,omitempty"`
	ClockTolerance     Duration `toml:"clock_tolerance,omitempty"`
	CheckpointInterval int      `toml:"checkpoint_interval,omitempty"` // sequence numbers
	LogWindow          int      `toml:"log_window,omitempty"`          // sequence numbers
	MaxBatch           int      `toml:"max_batch,omitempty"`           // requests
	MaxBatchBytes      int      `toml:"max_batch_bytes,omitempty"`
	MaxOps             int      `toml:"max_ops,omitempty"` // operations in a request
	MaxOpBytes         int      `toml:"max_op_bytes,omitempty"`
	MaxResultBytes     int      `toml:"max_result_bytes,omitempty"`
	MaxPending         int      `toml:"max_pending,omitempty"`    // requests that wait at one replica
	MaxPerClient       int      `toml:"max_per_client,omitempty"` // of these, requests of one client
	Window             int      `toml:"window,omitempty"`         // unanswered requests of one session (C2)
	Sessions           int      `toml:"sessions,omitempty"`       // sessions held for one client key (C1)

	// Budgets of execution, in units of cost. 0 stands for no budget. Init sets budgets, but clusters that were made
	// before budgets existed have none: a batch that was executed without a budget must have the same result when it
	// is executed again.
	MaxRequestCost int `toml:"max_request_cost,omitempty"`
	MaxBatchCost   int `toml:"max_batch_cost,omitempty"`
	// The version of the rules of execution. 0 stands for the first rules, which clusters keep that were made before
	// there were others, for the same reason.
	Rules int `toml:"rules,omitempty"`
	// History is for how many sequence numbers back the key-value machine keeps former states; 0 stands for none.
	History int `toml:"history,omitempty"`

	Durability Durability `toml:"durability,omitempty"` // "pessimistic" or "optimistic"

	// FirstVersion is the version of the application's state with which the cluster began. It is 0 if its machine had
	// neither versions nor a first state when the cluster was made.
	FirstVersion int `toml:"first_version,omitempty"`

	FaultModel FaultModel `toml:"fault_model,omitempty"` // "byzantine" or "crash"

	// From version 2 of its state on, the key-value machine keeps former states also by these: so many revisions back, for
	// so long by agreed time, or until somebody compacts. The shortest that is set counts, History included.
	HistoryRevisions int      `toml:"history_revisions,omitempty"`
	HistoryAge       Duration `toml:"history_age,omitempty"`
	HistoryAll       bool     `toml:"history_all,omitempty"`
}

// FaultModel is the kind of failure that a cluster masks. A cluster keeps the one that it was made with: it is part of the
// digest under every signature (F5).
type FaultModel int

// The fault models. The zero value is the default.
const (
	Byzantine FaultModel = iota // f of 3f+1 replicas do anything at all
	CrashOnly                   // f of 2f+1 replicas stop, omit or are slow; nobody lies (F1)
)

var faultModels = [...]string{Byzantine: "byzantine", CrashOnly: "crash"}

// ParseFaultModel returns the fault model of this name.
func ParseFaultModel(text string) (FaultModel, error) {
	if i := slices.Index(faultModels[:], text); i >= 0 {
		return FaultModel(i), nil
	}
	return 0, fmt.Errorf("%q is not known; use \"%s\"", text, strings.Join(faultModels[:], `" or "`))
}

// UnmarshalText reads a name.
func (m *FaultModel) UnmarshalText(text []byte) (err error) {
	*m, err = ParseFaultModel(string(text))
	return err
}

// Kind describes, for error messages, what kind of value must be here.
func (FaultModel) Kind() string { return `"byzantine" or "crash"` }

// MarshalText writes the name.
func (m FaultModel) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

func (m FaultModel) String() string {
	if m < 0 || int(m) >= len(faultModels) {
		return fmt.Sprintf("fault model %d", int(m))
	}
	return faultModels[m]
}

// Least is how many replicas a cluster has at least.
func (m FaultModel) Least() int { return (&wire.Config{Crash: m == CrashOnly}).Least() }

// Liars is how many lying replicas so many replicas mask.
func (m FaultModel) Liars(replicas int) int {
	if m == CrashOnly {
		return 0
	}
	return m.Masks(replicas)
}

// Masks is how many faulty replicas so many replicas mask.
func (m FaultModel) Masks(replicas int) int {
	if m == CrashOnly {
		return (replicas - 1) / 2
	}
	return (replicas - 1) / 3
}

// Role says what a client may do.
type Role int

// The roles. The zero value is the default.
const (
	Ordinary      Role = iota // sends operations
	Administrator             // may also do what a machine reserves for administrators, such as upgrade the state
)

var roles = [...]string{Ordinary: "", Administrator: "admin"}

// UnmarshalText reads a name.
func (r *Role) UnmarshalText(text []byte) error {
	i := slices.Index(roles[:], string(text))
	if i < 0 {
		return fmt.Errorf("%q is not known; use \"%s\", or leave it out for an ordinary client", text, roles[Administrator])
	}
	*r = Role(i)
	return nil
}

// Kind describes, for errors, what a file must have here.
func (Role) Kind() string { return `"admin"` }

// MarshalText writes the name.
func (r Role) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

func (r Role) String() string {
	if r < 0 || int(r) >= len(roles) {
		return fmt.Sprintf("role %d", int(r))
	}
	return roles[r]
}

// Durability says whether votes wait until they are durable. It must be the same on all replicas: a replica that may
// forget votes in a crash counts among the f faulty ones that the others mask (D8.14).
type Durability int

// The kinds of durability. The zero value is the default.
const (
	Pessimistic Durability = iota // nothing is sent before it is durable (D0)
	Optimistic                    // votes are sent before they are durable
)

var durabilities = [...]string{Pessimistic: "pessimistic", Optimistic: "optimistic"}

// ParseDurability returns the durability of this name.
func ParseDurability(text string) (Durability, error) {
	if i := slices.Index(durabilities[:], text); i >= 0 {
		return Durability(i), nil
	}
	return 0, fmt.Errorf("%q is not known; use \"%s\"", text, strings.Join(durabilities[:], `" or "`))
}

// UnmarshalText reads a name.
func (d *Durability) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDurability(string(text))
	return err
}

// Kind describes, for error messages, what kind of value must be here.
func (Durability) Kind() string { return `"pessimistic" or "optimistic"` }

// MarshalText writes the name.
func (d Durability) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

func (d Durability) String() string {
	if d < 0 || int(d) >= len(durabilities) {
		return fmt.Sprintf("durability %d", int(d))
	}
	return durabilities[d]
}

// Key is 32 bytes, written as 64 hex digits.
type Key [32]byte

// UnmarshalText reads 64 hex digits.
func (k *Key) UnmarshalText(text []byte) error {
	if len(text) != hex.EncodedLen(len(k)) {
		return fmt.Errorf("must have %d hex digits, not %d characters", hex.EncodedLen(len(k)), len(text))
	}
	if _, err := hex.Decode(k[:], bytes.ToLower(text)); err != nil {
		return fmt.Errorf("must have hex digits only: %w", err)
	}
	return nil
}

// Kind describes, for error messages, what kind of value must be here.
func (Key) Kind() string { return "64 hex digits in quotes" }

// MarshalText writes 64 hex digits.
func (k Key) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, k[:]), nil }

// String returns all 64 hex digits.
func (k Key) String() string { return hex.EncodeToString(k[:]) }

// Public is the key in the protocol's type.
func (k Key) Public() wire.PublicKey { return wire.PublicKey(k) }

// Duration is a time.Duration, written like "1.5s". It is a struct so that the parser refuses a bare number, whose
// unit would be unknown.
type Duration struct{ time.Duration }

// UnmarshalText reads a duration in Go's notation.
func (d *Duration) UnmarshalText(text []byte) (err error) {
	if d.Duration, err = time.ParseDuration(string(text)); err != nil {
		return fmt.Errorf("%q is not a duration such as \"1s\" or \"250ms\"", text)
	}
	return nil
}

// Kind describes, for error messages, what kind of value must be here.
func (Duration) Kind() string { return `a duration in quotes, such as "1s"` }

// MarshalText writes the duration in Go's notation.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }
