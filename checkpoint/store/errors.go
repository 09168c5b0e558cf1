package store

import "errors"

var (
	// ErrLocked says that another process has the directory open.
	ErrLocked = errors.New("another process is using it; stop that process first")
	// ErrDamaged says that the files do not contain what was written. If a store cannot be opened, it can be rebuilt
	// from the journal only if the journal reaches back to the first batch.
	ErrDamaged = errors.New("damaged")
	// ErrNotLoaded says that Load has not succeeded yet.
	ErrNotLoaded = errors.New("nothing was loaded yet")
	// ErrNotWritten says that a view was requested above the last sequence number written.
	ErrNotWritten = errors.New("state at that sequence number is not written yet")
	// ErrAhead says that a stage was requested at a sequence number below one of which the store holds entries. Writing
	// there would add versions to a state that does not belong to this history (X5).
	ErrAhead = errors.New("the store holds later versions; wait for a newer checkpoint or set the store aside")
	// ErrStaging says that a stage is open, which must be adopted or closed first, or that the generation that a stage
	// replaced is still being read.
	ErrStaging = errors.New("a stage of the store is open, or what it replaced is still read")
	// ErrMoved says that a stage wrote to the store and was then closed without Adopt. The store is usable only through
	// another stage.
	ErrMoved = errors.New("the store holds a part of a newer state; another stage must be adopted first")
	// ErrStageClosed says that the stage was adopted or closed.
	ErrStageClosed = errors.New("the stage is closed")
	// ErrDiskFull says that less than Options.MinFree is free on the disk, or would be after a write.
	ErrDiskFull = errors.New("the disk is full; make room and start again")
	// ErrClosed says that the store was closed.
	ErrClosed = errors.New("the store is closed")
)
