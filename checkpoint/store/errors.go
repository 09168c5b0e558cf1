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
	// ErrAhead says that a stage was asked for below a sequence number that the store holds something of. Writing there
	// would give versions to a state that is none of this history (X5).
	ErrAhead = errors.New("the store holds later versions; wait for a newer checkpoint or set the store aside")
	// ErrStaging says that a stage is open, which must be adopted or closed first, or that what one replaced is still read.
	ErrStaging = errors.New("a stage of the store is open, or what it replaced is still read")
	// ErrMoved says that a stage that was given up had written: the store goes on with another stage only.
	ErrMoved = errors.New("the store holds a part of a newer state; another stage must be adopted first")
	// ErrStageClosed says that the stage was adopted or closed.
	ErrStageClosed = errors.New("the stage is closed")
	// ErrDiskFull says that less than Options.MinFree is free, or a write would leave less.
	ErrDiskFull = errors.New("the disk is full; make room and start again")
	// ErrClosed says that the store was closed.
	ErrClosed = errors.New("the store is closed")
)
