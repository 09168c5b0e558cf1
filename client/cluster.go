package client

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"tagma/internal/cluster"
)

// Cluster is what a client must know about a cluster: its replicas and their addresses, its clients, and its
// settings. All replicas and clients of a cluster must have an equal Cluster; they refuse a peer whose Cluster
// differs. A Cluster does not change, and may serve any number of clients.
type Cluster struct{ file *cluster.File }

// LoadCluster reads a cluster file (cluster.toml).
func LoadCluster(path string) (*Cluster, error) {
	file, err := cluster.Load(path)
	if err != nil {
		return nil, err
	}
	return &Cluster{file}, nil
}

// ParseCluster reads the content of a cluster file.
func ParseCluster(content []byte) (*Cluster, error) {
	file, err := cluster.Parse("the cluster file", content)
	if err != nil {
		return nil, err
	}
	return &Cluster{file}, nil
}

// ClusterConfig is the content of a cluster file in memory. The meaning of each setting is documented there. Keys and
// digests are bytes here; the file has them in hexadecimal digits.
type ClusterConfig struct {
	ID       [32]byte
	Epoch    uint64
	Machine  string // the machine's name in the replicas' programs
	Replicas []Replica
	Clients  []Registered
	Settings Settings
	Origin   Origin
}

// Replica is a member of a cluster. Its number is its place in the list.
type Replica struct {
	Key       [32]byte // public
	Addresses []string // multiaddrs, such as /ip4/10.0.0.1/tcp/7000
}

// Registered is a client that the cluster admits.
type Registered struct {
	Name string // for people
	Key  [32]byte
	// Administrator says that the file registers the client with the role "admin".
	Administrator bool
}

// Origin is the state with which a restored cluster began; zero: it began empty.
type Origin struct {
	Cluster [32]byte // the cluster from which the state came
	Seq     uint64
	Root    [32]byte
}

// Settings are the settings of a cluster, [protocol] in its file; docs/operations.md has the range and the default of
// each. A zero field means the same as a zero, or a missing line, in the file.
type Settings struct {
	ViewTimeout        time.Duration
	MaxViewTimeout     time.Duration
	ClockTolerance     time.Duration
	CheckpointInterval int    // sequence numbers
	LogWindow          int    // sequence numbers
	MaxBatch           int    // requests
	MaxBatchBytes      int    // bytes of their operations
	MaxOps             int    // operations in one request
	MaxOpBytes         int    // bytes of one operation
	MaxResultBytes     int    // bytes of the results of a request
	MaxPending         int    // requests that wait at a replica
	MaxPerClient       int    // of those, requests of one client
	Window             int    // unanswered requests of one session
	Sessions           int    // sessions that are held for one client
	MaxRequestCost     int    // units of work
	MaxBatchCost       int    // units of work
	Rules              int    // version of the rules of execution; it is set when the cluster is made
	History            int    // sequence numbers
	Durability         string // "pessimistic" (also ""), or "optimistic"
	FirstVersion       int    // of the state: statemachine.Versioned
	FaultModel         string // "byzantine" (also ""), or "crash"

	HistoryRevisions int // revisions
	HistoryAge       time.Duration
	HistoryAll       bool // until somebody compacts
}

// NewCluster makes a Cluster without a file. The error names what is missing or out of range.
func NewCluster(c ClusterConfig) (*Cluster, error) {
	protocol, err := c.Settings.protocol()
	if err != nil {
		return nil, fmt.Errorf("the cluster's settings: %w", err)
	}
	file := &cluster.File{
		Format: cluster.Format, ID: c.ID, Epoch: c.Epoch, Machine: c.Machine, Protocol: protocol,
		Origin: cluster.Origin{Cluster: c.Origin.Cluster, Seq: c.Origin.Seq, Root: c.Origin.Root},
	}
	for i, r := range c.Replicas {
		file.Replicas = append(file.Replicas, cluster.Replica{ID: i, Key: r.Key, Addresses: slices.Clone(r.Addresses)})
	}
	for _, r := range c.Clients {
		role := cluster.Ordinary
		if r.Administrator {
			role = cluster.Administrator
		}
		file.Clients = append(file.Clients, cluster.Client{Name: r.Name, Key: r.Key, Role: role})
	}
	if _, err := file.Config(0); err != nil {
		return nil, err
	}
	return &Cluster{file}, nil
}

// Config returns the content of the cluster. NewCluster makes an equal Cluster from it.
func (c *Cluster) Config() ClusterConfig {
	if c.check() != nil {
		return ClusterConfig{}
	}
	f := c.file
	made := ClusterConfig{
		ID: f.ID, Epoch: f.Epoch, Machine: f.Machine, Settings: settingsOf(f.Protocol),
		Origin: Origin{Cluster: f.Origin.Cluster, Seq: f.Origin.Seq, Root: f.Origin.Root},
	}
	for _, r := range f.Replicas {
		made.Replicas = append(made.Replicas, Replica{Key: r.Key, Addresses: slices.Clone(r.Addresses)})
	}
	for _, r := range f.Clients {
		made.Clients = append(made.Clients, Registered{Name: r.Name, Key: r.Key, Administrator: r.Role == cluster.Administrator})
	}
	return made
}

// Machine is the name of the state machine that the replicas run.
func (c *Cluster) Machine() string {
	if c.check() != nil {
		return ""
	}
	return c.file.Machine
}

// MarshalText returns the content of a cluster file, as ParseCluster reads it.
func (c *Cluster) MarshalText() ([]byte, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	return c.file.Encode()
}

func (c *Cluster) check() error {
	if c == nil || c.file == nil {
		return errors.New("no cluster; make one with LoadCluster, ParseCluster or NewCluster")
	}
	return nil
}

// protocol converts the settings to the file's form.
func (s Settings) protocol() (p cluster.Protocol, err error) {
	durability, model := cluster.Pessimistic, cluster.Byzantine
	if s.Durability != "" {
		if durability, err = cluster.ParseDurability(s.Durability); err != nil {
			return p, fmt.Errorf("durability: %w", err)
		}
	}
	if s.FaultModel != "" {
		if model, err = cluster.ParseFaultModel(s.FaultModel); err != nil {
			return p, fmt.Errorf("fault model: %w", err)
		}
	}
	return cluster.Protocol{
		ViewTimeout:        cluster.Duration{Duration: s.ViewTimeout},
		MaxViewTimeout:     cluster.Duration{Duration: s.MaxViewTimeout},
		ClockTolerance:     cluster.Duration{Duration: s.ClockTolerance},
		CheckpointInterval: s.CheckpointInterval, LogWindow: s.LogWindow,
		MaxBatch: s.MaxBatch, MaxBatchBytes: s.MaxBatchBytes, MaxOps: s.MaxOps, MaxOpBytes: s.MaxOpBytes,
		MaxResultBytes: s.MaxResultBytes, MaxPending: s.MaxPending, MaxPerClient: s.MaxPerClient,
		Window: s.Window, Sessions: s.Sessions, MaxRequestCost: s.MaxRequestCost, MaxBatchCost: s.MaxBatchCost,
		Rules: s.Rules, History: s.History, Durability: durability, FirstVersion: s.FirstVersion, FaultModel: model,
		HistoryRevisions: s.HistoryRevisions, HistoryAge: cluster.Duration{Duration: s.HistoryAge}, HistoryAll: s.HistoryAll,
	}, nil
}

func settingsOf(p cluster.Protocol) Settings {
	return Settings{
		ViewTimeout: p.ViewTimeout.Duration, MaxViewTimeout: p.MaxViewTimeout.Duration, ClockTolerance: p.ClockTolerance.Duration,
		CheckpointInterval: p.CheckpointInterval, LogWindow: p.LogWindow,
		MaxBatch: p.MaxBatch, MaxBatchBytes: p.MaxBatchBytes, MaxOps: p.MaxOps, MaxOpBytes: p.MaxOpBytes,
		MaxResultBytes: p.MaxResultBytes, MaxPending: p.MaxPending, MaxPerClient: p.MaxPerClient,
		Window: p.Window, Sessions: p.Sessions, MaxRequestCost: p.MaxRequestCost, MaxBatchCost: p.MaxBatchCost,
		Rules: p.Rules, History: p.History, Durability: p.Durability.String(), FirstVersion: p.FirstVersion, FaultModel: p.FaultModel.String(),
		HistoryRevisions: p.HistoryRevisions, HistoryAge: p.HistoryAge.Duration, HistoryAll: p.HistoryAll,
	}
}
