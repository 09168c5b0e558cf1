package store

import "iter"

// Engine keeps versioned entries on a disk of whatever kind: badger on a real one (Open), a simulator's own on a simulated
// one (New). Versions may be written in any order, and none is durable before Write returns. Snapshots are read beside
// writes, by any goroutine.
type Engine interface {
	// MaxVersion is the highest version of any entry.
	MaxVersion() uint64
	// At reads what is visible at a version: of each key the highest version up to it.
	At(version uint64) Snapshot
	// Write makes entries durable before it returns. A crash before may leave any of them. It may keep the
	// keys, which nobody changes, and none of the values.
	Write(entries []Entry) error
	// Discard allows versions that no snapshot at or above a version sees to be forgotten.
	Discard(below uint64)
	// Sync makes durable what the engine found when it was opened.
	Sync() error
	// Failure is an error that must stop the replica and that no call returned.
	Failure() error
	// Next opens an empty engine beside this one, to take its place (K2). What a crash left of one is removed.
	Next() (Engine, error)
	// Drop closes the engine and removes what it holds.
	Drop() error
	// Close gives the disk back.
	Close() error
}

// Entry is one version of a key.
type Entry struct {
	Key, Value []byte
	Version    uint64
	Meta       byte // the engine keeps it beside the value
	Delete     bool
}

// Snapshot reads one version.
type Snapshot interface {
	// Get returns the entry of a key, nil if there is none.
	Get(key []byte) (Item, error)
	// Items yields the entries whose keys have a prefix and are not below start, ascending. One that cannot be read may be
	// left out. An item is valid until the next one.
	Items(prefix byte, start []byte) iter.Seq[Item]
	// Walk yields the entries with start ≤ key < end, in either order, and those that say that a key was deleted. It reads
	// nothing that lies outside, and a few versions of each key at most. Start and end have one prefix, or end is the next
	// one. An entry that cannot be read may be left out. An item is valid until the next one.
	Walk(start, end []byte, down bool) iter.Seq[Item]
	// Discard gives the snapshot back.
	Discard()
}

// Item is an entry that was read. Its methods are those of badger's.
type Item interface {
	Key() []byte
	UserMeta() byte
	// IsDeletedOrExpired reports a deletion. No entry expires.
	IsDeletedOrExpired() bool
	// ValueCopy copies the value into dst, or into memory of its own where that is too short.
	ValueCopy(dst []byte) ([]byte, error)
}
