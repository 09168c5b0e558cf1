package journal

import (
	"io"
	"log/slog"
)

// FS is what the journal needs of a file system. Tests put a failing or forgetful disk behind it.
type FS interface {
	// MkdirAll makes dir and its parents, durably.
	MkdirAll(dir string) error
	// ReadDir returns the names in dir, sorted.
	ReadDir(dir string) ([]string, error)
	// Create makes a new empty file for reading and writing; one of that name must not exist.
	Create(path string) (File, error)
	// Open opens an existing file, for reading and if write is set for writing.
	Open(path string, write bool) (File, error)
	// Remove deletes a file; Rename gives it another name. Both are durable after SyncDir.
	Remove(path string) error
	Rename(from, to string) error
	// SyncDir makes the names in dir durable.
	SyncDir(dir string) error
	// Lock takes dir for this process until Close or the end of the process; ErrInUse if another one has it.
	Lock(dir string) (io.Closer, error)
}

// File is an open file of an FS.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	// Size returns the length in bytes.
	Size() (int64, error)
	// Sync makes everything written so far durable, the length included.
	Sync() error
}

// DefaultSegmentBytes is the size of a segment when Options does not give one.
const DefaultSegmentBytes = 16 << 20

// Options has the settings of a journal; the zero value is usable.
type Options struct {
	SegmentBytes int64         // size of a segment file, rounded up to whole sectors; 0: DefaultSegmentBytes
	Logger       *slog.Logger  // nil: nothing is logged
	FS           FS            // nil: the operating system
	Random       func() uint64 // nil: the operating system's; a simulation has its own, for runs that repeat
}

func (o Options) withDefaults() Options {
	if o.SegmentBytes <= 0 {
		o.SegmentBytes = DefaultSegmentBytes
	}
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
