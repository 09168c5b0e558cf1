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

// Home says where the data of one replica are.
type Home struct {
	Config *wire.Config
	Life   LifeFile
	// The journal: its directory on the file system FS, and its settings.
	FS           journal.FS
	Journal      string
	SegmentBytes int64
	Random       func() uint64 // for epochs, lives and nonces
	State        StateDir
	Log          *slog.Logger
}

// LifeFile is the file HOME/life, beside the key and outside of the data.
type LifeFile interface {
	// Read returns the file's content, or "" if there is no such file.
	Read() (string, error)
	// Write replaces the file's content, durably.
	Write(text string) error
}

// StateDir is the place of the store.
type StateDir interface {
	// Exists reports whether there are any files of a store.
	Exists() (bool, error)
	// Open opens the store, or makes an empty one. Its error wraps store.ErrDamaged if what is there cannot be read.
	Open() (Store, error)
	// Aside moves the store away, so that an empty one can take its place.
	Aside() error
	// OpenNext opens the second generation of the store, which a crash may have left; nil if there is none (K2).
	OpenNext() (Store, error)
	// Settle leaves only one generation: the next one, or the one that Open opens. Both must be closed.
	Settle(next bool) error
}

// Store keeps the replicated state.
type Store interface {
	statemachine.Storage
	// Load loads the state after a sequence number and returns its root (D5).
	Load(at uint64) (root [32]byte, err error)
	// MaxVersion is the highest sequence number of any entry in the store.
	MaxVersion() uint64
	// Newest opens the state at the highest version, which is not verified.
	Newest() (statemachine.StorageView, error)
	// Pin opens the state after a checkpoint for other replicas (X2). The caller must release both parts.
	Pin(seq uint64) (*merkle.Snapshot, statemachine.StorageView, error)
	// Stage begins to take the state after a sequence number from others (X4).
	Stage(seq uint64) (*store.Stage, error)
	// Renew is Stage for a state that was found to be wrong; it fills a new generation (K2).
	Renew(seq uint64) (*store.Stage, error)
	// Scrub begins a pass that checks the content of the disk against its checksums and the tree (K2).
	Scrub() (*store.Scrub, error)
	// Close closes the store.
	Close() error
}

// Host does for an executor and a mover everything that needs a clock, a network or a goroutine.
type Host interface {
	// Beside runs a job, which may take long, on another goroutine. Afterwards it runs the function that the job
	// returned on the executor's own goroutine.
	Beside(job func() (done func()))
	// FlushAfter calls Due once after this time, unless FlushAfter is called again before.
	FlushAfter(d time.Duration)
	// Now reads a clock that never goes back.
	Now() time.Duration
	// Report passes an event to the core.
	Report(ev port.Event)
	// Send sends a message to another replica. It never blocks. The message may be lost.
	Send(to wire.ReplicaID, m wire.Message)
}
