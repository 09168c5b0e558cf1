package wire

import (
	"fmt"
	"time"
)

// Config is what all replicas of a cluster must agree on, and also which replica this is. It must not change while a
// Replica uses it.
type Config struct {
	Cluster Digest // the cluster's id: part of every signed statement
	Epoch   uint64 // membership epoch: part of every signed statement
	Members []PublicKey
	Self    ReplicaID
	Crash   bool // replicas fail only by crashing: they stop, lose messages or are slow, and keep what is durable (F1)

	// Origin is the checkpoint with whose state the cluster began. It is from another cluster. It needs no signatures,
	// because it is part of the configuration (D8.13, M1). Zero: the cluster began with the empty state.
	Origin Mark

	// Client reports whether a key may send requests; nil allows every key.
	Client func(PublicKey) bool

	CheckpointInterval Seq           // K
	LogWindow          Seq           // L: a multiple of K, at least 2K
	ViewTimeout        time.Duration // T
	MaxViewTimeout     time.Duration // cap of the doubling (V7)
	ClockTolerance     time.Duration // Δ of N1

	MaxBatch       int // requests in a batch
	MaxBatchBytes  int // encoded bytes of a batch's requests
	MaxOps         int // operations in a request
	MaxOpBytes     int // bytes of one operation
	MaxResultBytes int // bytes of one result
	MaxPending     int // requests waiting for order at one replica
	MaxPerClient   int // of these, requests of one client

	// Optimistic allows pre-prepares, prepares and commits to be sent, and batches to be executed, before they are
	// durable (D8.14).
	Optimistic bool
}

// Defaults of the protocol parameters.
const (
	DefaultCheckpointInterval = 128
	DefaultLogWindow          = 512
	DefaultViewTimeout        = time.Second
	defaultMaxViewTimeout     = 30 * time.Second
	defaultClockTolerance     = time.Second
	defaultMaxBatch           = 256
	defaultMaxBatchBytes      = 1 << 20
	DefaultMaxOps             = 256
	defaultMaxOpBytes         = 256 << 10
	defaultMaxResultBytes     = 1 << 20
	defaultMaxPending         = 8192
	defaultMaxPerClient       = 4096
)

// WithDefaults returns the configuration with every parameter that is zero set to its default.
func (c Config) WithDefaults() Config {
	setDefault(&c.CheckpointInterval, DefaultCheckpointInterval)
	setDefault(&c.LogWindow, DefaultLogWindow)
	setDefault(&c.ViewTimeout, DefaultViewTimeout)
	setDefault(&c.MaxViewTimeout, max(defaultMaxViewTimeout, c.ViewTimeout))
	setDefault(&c.ClockTolerance, defaultClockTolerance)
	setDefault(&c.MaxBatch, defaultMaxBatch)
	setDefault(&c.MaxBatchBytes, defaultMaxBatchBytes)
	setDefault(&c.MaxOps, DefaultMaxOps)
	setDefault(&c.MaxOpBytes, defaultMaxOpBytes)
	setDefault(&c.MaxResultBytes, defaultMaxResultBytes)
	setDefault(&c.MaxPending, defaultMaxPending)
	setDefault(&c.MaxPerClient, defaultMaxPerClient)
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// The largest sizes that a configuration may set. They bound the size of a frame.
const (
	MaxMembers       = 256
	maxLogWindow     = 4096
	maxBatchRequests = 4096
	maxBatchBytes    = 4 << 20
)

// Validate returns an error for the first setting that is out of range or contradicts another one.
func (c *Config) Validate() error {
	n := len(c.Members)
	switch least := c.Least(); {
	case n < least || n > MaxMembers:
		return fmt.Errorf("members: %d given; a cluster has %d to %d", n, least, MaxMembers)
	case c.Crash && c.Optimistic:
		return fmt.Errorf("durability: optimistic sends votes that a crash may forget, which the fault model \"crash\" rules out; choose one of them")
	case int(c.Self) >= n:
		return fmt.Errorf("self: replica %d is not one of the %d members", c.Self, n)
	case c.CheckpointInterval < 1:
		return fmt.Errorf("checkpoint_interval: must be at least 1")
	case c.LogWindow < 2*c.CheckpointInterval || c.LogWindow%c.CheckpointInterval != 0:
		return fmt.Errorf("log_window: %d is not a multiple of checkpoint_interval %d that is at least twice as large",
			c.LogWindow, c.CheckpointInterval)
	case c.LogWindow > maxLogWindow:
		return fmt.Errorf("log_window: %d is above the limit of %d", c.LogWindow, maxLogWindow)
	case c.largestNewView() > maxFrame:
		return fmt.Errorf("log_window: with %d members and %d slots a new view may need %d bytes, a frame holds %d; choose a smaller one",
			n, c.LogWindow, c.largestNewView(), maxFrame)
	case c.Origin.Seq > MaxSeq || c.Origin.Seq%c.CheckpointInterval != 0:
		return fmt.Errorf("checkpoint_interval: the cluster's origin %d is no multiple of %d", c.Origin.Seq, c.CheckpointInterval)
	case c.ViewTimeout < 10*time.Millisecond:
		return fmt.Errorf("view_timeout: %v is below 10ms", c.ViewTimeout)
	case c.MaxViewTimeout < c.ViewTimeout:
		return fmt.Errorf("max_view_timeout: %v is below view_timeout %v", c.MaxViewTimeout, c.ViewTimeout)
	case c.ClockTolerance < 0:
		return fmt.Errorf("clock_tolerance: must not be negative")
	case c.MaxBatch < 1 || c.MaxBatch > maxBatchRequests:
		return fmt.Errorf("max_batch: %d is outside 1 to %d", c.MaxBatch, maxBatchRequests)
	case c.MaxOps < 1 || c.MaxOpBytes < 1 || c.MaxResultBytes < 1:
		return fmt.Errorf("max_ops, max_op_bytes and max_result_bytes: must be at least 1")
	case c.MaxBatchBytes > maxBatchBytes:
		return fmt.Errorf("max_batch_bytes: %d is above the limit of %d", c.MaxBatchBytes, maxBatchBytes)
	case c.MaxOpBytes+requestOverhead > c.MaxBatchBytes:
		return fmt.Errorf("max_op_bytes: one operation of %d bytes does not fit max_batch_bytes %d", c.MaxOpBytes, c.MaxBatchBytes)
	case c.MaxPending < 1 || c.MaxPerClient < 1:
		return fmt.Errorf("max_pending and max_per_client: must be at least 1")
	}
	seen := make(map[PublicKey]int, n)
	for i, k := range c.Members {
		if j, twice := seen[k]; twice {
			return fmt.Errorf("members: replicas %d and %d have the same key", j, i)
		}
		seen[k] = i
	}
	return nil
}

// largestNewView estimates the size in bytes of the largest NewView, in which every slot of the window prepared
// everywhere: Q view changes, each with a certificate of Q−1 prepares for each slot.
func (c *Config) largestNewView() int {
	q := c.Quorum()
	return q * int(c.LogWindow) * (64 + 48 + q*(signatureBytes+2))
}

// N is the number of replicas.
func (c *Config) N() int { return len(c.Members) }

// F is the number of lying replicas that the cluster masks: ⌊(n−1)/3⌋, or none if replicas only crash (F1).
func (c *Config) F() int {
	if c.Crash {
		return 0
	}
	return (c.N() - 1) / 3
}

// Least is how many replicas a cluster has at least, so that it masks one fault.
func (c *Config) Least() int {
	if c.Crash {
		return 3
	}
	return 4
}

// Remaining is how many replicas remain when as many fail as the cluster masks: n−f, or Q if replicas only crash (F1,
// F7).
func (c *Config) Remaining() int {
	if c.Crash {
		return c.Quorum()
	}
	return c.N() - c.F()
}

// Prepares is how many prepares a prepared certificate has besides the pre-prepare: Q−1, or none if replicas only crash,
// because such a primary sends the same to all (F2).
func (c *Config) Prepares() int {
	if c.Crash {
		return 0
	}
	return c.Quorum() - 1
}

// Quorum is the smallest number of replicas such that any two sets of that size share a correct replica: ⌈(n+f+1)/2⌉. It
// is 2f+1 only if n is 3f+1. If replicas only crash it is ⌊n/2⌋+1, so that any two sets share a replica.
func (c *Config) Quorum() int { return (c.N() + c.F() + 2) / 2 }

// Weak is a number of replicas of which at least one is correct: f+1, or one if replicas only crash (F3).
func (c *Config) Weak() int { return c.F() + 1 }

// Primary is the replica that proposes the order in view v.
func (c *Config) Primary(v View) ReplicaID {
	return ReplicaID(uint64(v) % uint64(c.N()))
}

// KeptWindows is for how many windows below h slots are kept, in memory and in the journal. A busy cluster goes through
// a window in a second. If only one window were kept, a replica that pauses for a second would be left behind.
const KeptWindows = 3

// Floor is the highest sequence number that is not kept, given a checkpoint.
func (c *Config) Floor(checkpoint Seq) Seq {
	return checkpoint - min(checkpoint, KeptWindows*c.LogWindow)
}
