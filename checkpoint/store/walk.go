package store

import (
	"bytes"
	"iter"

	"github.com/dgraph-io/badger/v4"
)

// Badger's iterators skip deleted keys and older versions even beyond the key at which the caller wants to stop,
// which may take long. A walk iterates over all versions instead, stops at that key, and seeks past the versions of a
// key that has many.

// manyVersions is how many versions of a key a walk reads one by one before it seeks to the next key.
const manyVersions = 8

// cursor has the methods of badger's iterator over all versions that a walk uses.
type cursor interface {
	Seek(key []byte)
	Valid() bool
	Item() *badger.Item
	Next()
}

// Walk implements Snapshot.
func (s badgerSnapshot) Walk(start, end []byte, down bool) iter.Seq[Item] {
	return func(yield func(Item) bool) {
		it := s.versions(start[0], down)
		defer it.Close()
		if down {
			s.down(it, start, end, yield)
		} else {
			s.up(it, start, end, yield)
		}
	}
}

func (s badgerSnapshot) versions(prefix byte, down bool) *badger.Iterator {
	opt := badger.DefaultIteratorOptions
	opt.PrefetchValues = false
	opt.Prefix = []byte{prefix}
	opt.AllVersions = true
	opt.Reverse = down
	return s.NewIterator(opt)
}

// up yields the newest version of each key, in ascending order: the cursor meets it before the key's older versions.
func (badgerSnapshot) up(it cursor, start, end []byte, yield func(Item) bool) {
	var key []byte
	for it.Seek(start); it.Valid() && bytes.Compare(it.Item().Key(), end) < 0; {
		key = append(key[:0], it.Item().Key()...)
		if !yield(it.Item()) {
			return
		}
		it.Next()
		for n := 0; it.Valid() && bytes.Equal(it.Item().Key(), key); n++ {
			if n == manyVersions {
				it.Seek(append(key, 0))
				break
			}
			it.Next()
		}
	}
}

// down yields the newest version of each key, in descending order. The cursor meets it after the older ones, so down
// knows that a version is the newest only when the cursor has left it; it copies each version before.
func (s badgerSnapshot) down(it cursor, start, end []byte, yield func(Item) bool) {
	it.Seek(before(end))
	for it.Valid() && bytes.Compare(it.Item().Key(), start) >= 0 {
		at := hold(it.Item())
		it.Next()
		for n := 0; it.Valid() && bytes.Equal(it.Item().Key(), at.key); n++ {
			if n == manyVersions {
				at = s.newest(at.key)
				it.Seek(before(at.key))
				break
			}
			at = hold(it.Item())
			it.Next()
		}
		if !yield(at) {
			return
		}
	}
}

// newest reads the newest version of a key of which some version exists.
func (s badgerSnapshot) newest(key []byte) *held {
	item, err := s.Get(key)
	switch {
	case err != nil:
		return &held{key: key, err: err}
	case item == nil:
		return &held{key: key, deleted: true}
	}
	return hold(item)
}

// maxStoredKey is the length of the longest key that badger takes.
const maxStoredKey = 65000

// before returns the highest key below key that badger can hold.
func before(key []byte) []byte {
	last := len(key) - 1
	if key[last] == 0 {
		return key[:last]
	}
	out := bytes.Repeat([]byte{0xff}, maxStoredKey)
	copy(out, key)
	out[last]--
	return out
}

// held is a copy of an item.
type held struct {
	key, value []byte
	meta       byte
	deleted    bool
	err        error // the error of reading the value
}

func hold(item Item) *held {
	h := &held{key: bytes.Clone(item.Key()), meta: item.UserMeta(), deleted: item.IsDeletedOrExpired()}
	if !h.deleted {
		h.value, h.err = item.ValueCopy(nil)
	}
	return h
}

// Key implements Item.
func (h *held) Key() []byte { return h.key }

// UserMeta implements Item.
func (h *held) UserMeta() byte { return h.meta }

// IsDeletedOrExpired implements Item.
func (h *held) IsDeletedOrExpired() bool { return h.deleted }

// ValueCopy implements Item.
func (h *held) ValueCopy(dst []byte) ([]byte, error) { return append(dst[:0], h.value...), h.err }
