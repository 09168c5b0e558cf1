package journal

import (
	"io"
	"log/slog"
)

// FS is what the journal needs from a file system. Tests use one whose disk fails or forgets.
type FS interface {
	// MkdirAll makes dir and its parents, durably.
	MkdirAll(dir string) error
	// ReadDir returns the names in dir, sorted.
	ReadDir(dir string) ([]string, error)
	// Create makes a new empty file for reading and writing; no file of that name may exist.
	Create(path string) (File, error)
	// Open opens an existing file for reading, and also for writing if write is set.
	Open(path string, write bool) (File, error)
	// Remove deletes a file. RemoveAll deletes a file, or a directory with everything in it; it is no error if the name does
	// not exist. Rename renames a file or a directory. These changes are durable after SyncDir of the parent directory.
	Remove(path string) error
	RemoveAll(path string) error
	Rename(from, to string) error
	// SyncDir makes the names in dir durable.
	SyncDir(dir string) error
	// Lock locks dir for this process until Close or the end of the process; ErrInUse if another process has locked it.
	Lock(dir string) (io.Closer, error)
}

// File is an open file of an FS.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	// Size returns the length in bytes.
	Size() (int64, error)
	// Sync makes everything written so far durable, including the file's length.
	Sync() error
}

// DefaultSegmentBytes is the size of a segment unless Options give one.
const DefaultSegmentBytes = 16 << 20

// maxSegmentBytes is small enough for sector numbers to fit in 32 bits, whatever the permitted size of anchors and turns.
const maxSegmentBytes = 1 << 40

// Options has the settings of a journal; the zero value is usable.
type Options struct {
	SegmentBytes int64         // size of a segment file, rounded up to sectors; at most 1 TiB; 0: DefaultSegmentBytes
	Logger       *slog.Logger  // nil: nothing is logged
	FS           FS            // nil: the operating system
	Random       func() uint64 // nil: the operating system's; a simulation sets its own, so that runs repeat

	// Index selects the entries that Read finds by their Seq, which must be above 0; nil selects none. Open, Create,
	// Append and Rotate call it once for every entry. It must be quick, keep no data and call no method of the journal.
	Index func(data []byte) bool
}

func (o Options) withDefaults() Options {
	if o.SegmentBytes <= 0 {
		o.SegmentBytes = DefaultSegmentBytes
	}
	o.SegmentBytes = min(o.SegmentBytes, maxSegmentBytes)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.FS == nil {
		o.FS = osFS{}
	}
	if o.Random == nil {
		o.Random = randomNumber
	}
	return o
}
