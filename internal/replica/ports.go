package replica

import (
	"log/slog"
	"time"

	"tagma/checkpoint/journal"
	"tagma/checkpoint/merkle"
	"tagma/checkpoint/store"
	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/statemachine"
)

// Home is where one replica's data lie.
type Home struct {
	Config *wire.Config
	Life   LifeFile
	// The journal: its directory on FS, and its settings.
	FS           journal.FS
	Journal      string
	SegmentBytes int64
	Random       func() uint64 // for epochs, lives and nonces
	State        StateDir
	Log          *slog.Logger
}

// LifeFile is the file HOME/life, beside the key and outside of the data.
type LifeFile interface {
	// Read returns what it holds, "" if there is no such file.
	Read() (string, error)
	// Write replaces it, durably.
	Write(text string) error
}

// StateDir is where the store lies.
type StateDir interface {
	// Exists reports whether there is anything of a store.
	Exists() (bool, error)
	// Open opens the store, or makes an empty one. Its error wraps store.ErrDamaged if what is there cannot be read.
	Open() (Store, error)
	// Aside moves the store away, for an empty one to take its place.
	Aside() error
	// OpenNext opens the generation beside the store that a crash left; nil if there is none (K2).
	OpenNext() (Store, error)
	// Settle leaves one generation: the next one, or that which Open opens. Both are closed.
	Settle(next bool) error
}

// Store keeps the replicated state.
type Store interface {
	statemachine.Storage
	// Load takes up the state after a sequence number and returns its root (D5).
	Load(at uint64) (root [32]byte, err error)
	// MaxVersion is the highest sequence number of which the store holds anything.
	MaxVersion() uint64
	// Newest opens what lies under the highest version, of which nothing is verified.
	Newest() (statemachine.StorageView, error)
	// Pin opens the state after a checkpoint for others (X2). Both parts must be released.
	Pin(seq uint64) (*merkle.Snapshot, statemachine.StorageView, error)
	// Stage begins to take in the state after a sequence number (X4).
	Stage(seq uint64) (*store.Stage, error)
	// Renew is Stage for a state that was found to be wrong, in a generation of its own (K2).
	Renew(seq uint64) (*store.Stage, error)
	// Scrub begins a pass that compares what the disk holds with its checksums and with the tree (K2).
	Scrub() (*store.Scrub, error)
	// Close gives the store back.
	Close() error
}

// Host does for an executor and a mover what needs a clock, a network or a goroutine.
type Host interface {
	// Beside runs a job that may take long, and then what it returned on the executor's own turn.
	Beside(job func() (done func()))
	// FlushAfter has Due called once when that much time has passed, unless it is asked for again before.
	FlushAfter(d time.Duration)
	// Now is a clock that never goes back.
	Now() time.Duration
	// Report gives the core an event.
	Report(ev port.Event)
	// Send sends a message to another replica. It never blocks and may lose it.
	Send(to wire.ReplicaID, m wire.Message)
}
