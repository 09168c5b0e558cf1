package statemachine

import (
	"errors"
	"iter"
)

// ErrNotRetained says that a past sequence number is below what the storage still holds.
var ErrNotRetained = errors.New("state at that sequence number is not retained")

// Storage is the port to durable versioned bytes. Versions are sequence numbers: a write of batch s has version s, and
// a view at s sees for each key the highest version ≤ s (D5).
type Storage interface {
	// View opens the state after sequence number at. The caller closes it.
	View(at uint64) (StorageView, error)
	// Write makes the write sets durable, in one request; they are in ascending order of Seq. Writing a set again is
	// harmless: the same version has the same value.
	Write(sets []WriteSet) error
	// Checkpoint returns the root digest over every key of the state after seq. It is called with every set up to seq
	// written and none above, in ascending order of seq.
	Checkpoint(seq uint64) (root [32]byte, err error)
	// Discard allows versions that no view at or above seq can see to be forgotten.
	Discard(below uint64)
}

// StorageView reads the state after one sequence number.
type StorageView interface {
	Get(key []byte) (value []byte, found bool, err error)
	// Scan yields start ≤ key < end, ascending; a nil end means no end. A failed read yields an error and ends.
	Scan(start, end []byte) iter.Seq2[Entry, error]
	Close()
}

// Entry is a key with its value.
type Entry struct{ Key, Value []byte }

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
