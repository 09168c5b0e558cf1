package store

import "iter"

// Engine keeps versioned entries on some kind of disk: badger on a real disk (Open), a simulator's own engine on a
// simulated one (New). Versions may be written in any order, and none is durable before Write returns. Any goroutine
// may read snapshots during writes.
type Engine interface {
	// MaxVersion is the highest version of any entry.
	MaxVersion() uint64
	// At reads what is visible at a version: for each key the highest version up to it.
	At(version uint64) Snapshot
	// Write makes entries durable before it returns. A crash during Write may leave any of the entries. The engine may keep
	// references to the keys, which nobody changes, but not to the values.
	Write(entries []Entry) error
	// Discard allows the engine to delete versions that no snapshot at or above below sees.
	Discard(below uint64)
	// Sync makes durable what the engine found when it was opened.
	Sync() error
	// Failure returns an error that must stop the replica and that no other call has returned.
	Failure() error
	// Next opens an empty engine beside this one, which will replace it (K2). It first removes such an engine that a
	// crash left unfinished.
	Next() (Engine, error)
	// Drop closes the engine and removes what it holds.
	Drop() error
	// Close releases the disk.
	Close() error
}

// Entry is one version of a key.
type Entry struct {
	Key, Value []byte
	Version    uint64
	Meta       byte // stored with the value
	Delete     bool
}

// Snapshot reads one version.
type Snapshot interface {
	// Get returns the entry of a key, nil if there is none.
	Get(key []byte) (Item, error)
	// Items yields the entries whose keys begin with prefix and are not below start, ascending. It may leave out
	// entries that cannot be read. An item is valid until the next one.
	Items(prefix byte, start []byte) iter.Seq[Item]
	// Walk yields the entries with start ≤ key < end, in either order, including those that mark a key as deleted. It
	// reads nothing outside that range, and at most a few versions of each key. Start and end have the same prefix, or
	// end is the next prefix. It may leave out entries that cannot be read. An item is valid until the next one.
	Walk(start, end []byte, down bool) iter.Seq[Item]
	// Discard releases the snapshot.
	Discard()
}

// Item is an entry that was read. Its methods are those of badger's items.
type Item interface {
	Key() []byte
	UserMeta() byte
	// IsDeletedOrExpired reports that the key was deleted. No entry expires.
	IsDeletedOrExpired() bool
	// ValueCopy copies the value into dst, or into new memory if dst is too short.
	ValueCopy(dst []byte) ([]byte, error)
}
