package statemachine

import (
	"errors"
	"iter"
)

// ErrNotRetained says that a past sequence number is below what the storage still holds.
var ErrNotRetained = errors.New("the state at that sequence number is not retained any more")

// Storage is the port to durable versioned bytes. Versions are sequence numbers: a write of batch s has version s, and
// a view at s sees for each key the highest version ≤ s (D5). The state after 0 is empty: version 0 is never written,
// nor viewed by a Service. Only one goroutine at a time calls Write or Checkpoint; any goroutine may call View and Discard.
type Storage interface {
	// View opens the state after sequence number at, whose write set, possibly an empty one, was written before. The caller
	// closes the view. If the storage no longer retains that state, the error wraps ErrNotRetained.
	View(at uint64) (StorageView, error)
	// Write makes the write sets durable, in one request. The sets are in ascending order of Seq without gaps; the set of a
	// null batch is empty. Writing a set again is harmless: the same version has the same value. Afterwards neither the
	// caller nor the storage modifies the sets.
	Write(sets []WriteSet) error
	// Checkpoint returns the root digest over every key of the state after seq. It is called with every set up to seq
	// written and none above, in ascending order of seq.
	Checkpoint(seq uint64) (root [32]byte, err error)
	// Discard allows the storage to forget versions that no view at or above seq can see.
	Discard(below uint64)
}

// StorageView reads the state after one sequence number, for one goroutine at a time. Callers must not modify the bytes
// that it returns. They are valid until the view is closed, also those of a scan's entries. Several scans and gets may
// be under way at once, and a scan may end early by its loop's break, return or panic.
type StorageView interface {
	Get(key []byte) (value []byte, found bool, err error)
	// Scan yields start ≤ key < end, ascending; a nil end means no end. A failed read yields an error and ends.
	Scan(start, end []byte) iter.Seq2[Entry, error]
	// Walk yields the same entries in either order, and also every deleted key of which the storage still holds a
	// version, so that the caller learns how much work the storage did. It reads nothing outside the two bounds.
	Walk(start, end []byte, down bool) iter.Seq2[Entry, error]
	Close()
}

// Entry is a key with its value.
type Entry struct {
	Key, Value []byte
	Deleted    bool // there is no such key; only Walk yields these
}

// WriteSet is what one batch changed.
type WriteSet struct {
	Seq    uint64
	Writes []Write // ascending by key, each key once
}

// Write sets or deletes one key.
type Write struct {
	Key, Value []byte
	Delete     bool
}
