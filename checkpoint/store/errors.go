package store

import "errors"

var (
	// ErrLocked says that another process has the directory open.
	ErrLocked = errors.New("another process is using it; stop that process first")
	// ErrDamaged says that the files are not what was written. A store that cannot be opened can be rebuilt from the
	// journal only if that reaches back to the first batch.
	ErrDamaged = errors.New("damaged")
	// ErrNotLoaded says that Load has not succeeded yet.
	ErrNotLoaded = errors.New("nothing was loaded yet")
	// ErrNotWritten says that a view was asked for above the last sequence number written.
	ErrNotWritten = errors.New("state at that sequence number is not written yet")
	// ErrDiskFull says that less than Options.MinFree is free, or a write would leave less.
	ErrDiskFull = errors.New("the disk is full; make room and start again")
	// ErrClosed says that the store was closed.
	ErrClosed = errors.New("the store is closed")
)
