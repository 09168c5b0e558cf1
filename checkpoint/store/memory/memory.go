// Package memory is an engine in memory for package store, for simulations and tests that run the shipped store on a
// disk of their own. It owns the versions of keys, and removes those that the caller chooses, as a crash would.
//
// It must not know what a key or a value means. It is not safe for concurrent writes.
package memory

import (
	"bytes"
	"iter"
	"slices"

	"tagma/checkpoint/store"
)

// Disk is the content of an engine. It outlives the store that is opened on it.
type Disk struct {
	keys  map[string]*cell
	order []string // the keys, sorted; nil after one was added or removed
	floor uint64   // nobody reads versions below it
}

// cell holds the versions of one key, ascending.
type cell struct{ versions []*version }

// version is one version of a key. It implements store.Item.
type version struct {
	key, value []byte
	at         uint64
	meta       byte
	deleted    bool
}

var _ store.Engine = (*Disk)(nil)

// New returns an empty disk.
func New() *Disk { return &Disk{keys: map[string]*cell{}} }

// Copy returns a disk with the same content.
func (d *Disk) Copy() *Disk {
	out := &Disk{keys: make(map[string]*cell, len(d.keys)), floor: d.floor}
	for key, c := range d.keys { //nolint:revive // into a map
		out.keys[key] = &cell{slices.Clone(c.versions)}
	}
	return out
}

// MaxVersion implements store.Engine.
func (d *Disk) MaxVersion() (highest uint64) {
	for _, c := range d.keys { //nolint:revive // a maximum
		highest = max(highest, c.versions[len(c.versions)-1].at)
	}
	return highest
}

// Write implements store.Engine.
func (d *Disk) Write(entries []store.Entry) error {
	for i := range entries {
		d.put(&entries[i])
	}
	return nil
}

func (d *Disk) put(e *store.Entry) {
	c := d.keys[string(e.Key)]
	if c == nil {
		c = &cell{}
		d.keys[string(e.Key)] = c
		d.order = nil
	}
	v := &version{key: e.Key, value: bytes.Clone(e.Value), at: e.Version, meta: e.Meta, deleted: e.Delete}
	i := c.newest(e.Version)
	if i >= 0 && c.versions[i].at == e.Version {
		c.versions[i] = v
		return
	}
	c.versions = slices.Insert(c.versions, i+1, v)
	if len(c.versions) > 1 && c.versions[1].at <= d.floor { // no view can read the versions below this one
		c.versions = slices.Delete(c.versions, 0, c.newest(d.floor))
	}
}

// newest is the index of the highest version ≤ at, or −1.
func (c *cell) newest(at uint64) int {
	i := len(c.versions) - 1
	for i >= 0 && c.versions[i].at > at {
		i--
	}
	return i
}

// Lose removes one version of a key, as a crash may.
func (d *Disk) Lose(key []byte, at uint64) {
	c := d.keys[string(key)]
	if c == nil {
		return
	}
	c.versions = slices.DeleteFunc(c.versions, func(v *version) bool { return v.at == at })
	if len(c.versions) == 0 {
		delete(d.keys, string(key))
		d.order = nil
	}
}

// Turn replaces the present value of a key by what change returns, as damage of a disk would. It reports false if the
// key does not exist or is deleted.
func (d *Disk) Turn(key []byte, change func(value []byte) []byte) bool {
	c := d.keys[string(key)]
	if c == nil {
		return false
	}
	last := len(c.versions) - 1
	if c.versions[last].deleted {
		return false
	}
	v := *c.versions[last]
	v.value = change(bytes.Clone(v.value))
	c.versions[last] = &v // a new version, since a copy of the disk shares the old one
	return true
}

// Keys lists the keys, sorted.
func (d *Disk) Keys() []string { return slices.Clone(d.sorted()) }

// Discard implements store.Engine. Old versions of a key disappear when the key is written the next time.
func (d *Disk) Discard(below uint64) { d.floor = below }

// Sync implements store.Engine. Everything on this disk is already durable.
func (d *Disk) Sync() error { return nil }

// Failure implements store.Engine.
func (d *Disk) Failure() error { return nil }

// Close implements store.Engine. The next store that is opened on the disk may read versions that this one discarded,
// as long as they still exist.
func (d *Disk) Close() error {
	d.floor = 0
	return nil
}

// Next implements store.Engine.
func (*Disk) Next() (store.Engine, error) { return New(), nil }

// Drop implements store.Engine.
func (d *Disk) Drop() error {
	*d = *New()
	return nil
}

// At implements store.Engine.
func (d *Disk) At(version uint64) store.Snapshot { return snapshot{d, version} }

type snapshot struct {
	disk *Disk
	at   uint64
}

// Discard implements store.Snapshot.
func (snapshot) Discard() {}

// Get implements store.Snapshot.
func (s snapshot) Get(key []byte) (store.Item, error) {
	if v := s.find(s.disk.keys[string(key)]); v != nil {
		return v, nil
	}
	return nil, nil
}

// find returns what a key has, nil if it is deleted or there is none.
func (s snapshot) find(c *cell) *version {
	if v := s.seen(c); v != nil && !v.deleted {
		return v
	}
	return nil
}

// seen returns the newest version of a key, a deletion too.
func (s snapshot) seen(c *cell) *version {
	if c == nil {
		return nil
	}
	if i := c.newest(s.at); i >= 0 {
		return c.versions[i]
	}
	return nil
}

// Items implements store.Snapshot.
func (s snapshot) Items(prefix byte, start []byte) iter.Seq[store.Item] {
	return func(yield func(store.Item) bool) {
		keys := s.disk.sorted()
		from, _ := slices.BinarySearch(keys, max(string(start), string([]byte{prefix})))
		for _, key := range keys[from:] {
			if key[0] != prefix {
				return
			}
			if v := s.find(s.disk.keys[key]); v != nil && !yield(v) {
				return
			}
		}
	}
}

// Walk implements store.Snapshot.
func (s snapshot) Walk(start, end []byte, down bool) iter.Seq[store.Item] {
	return func(yield func(store.Item) bool) {
		keys := s.disk.sorted()
		from, _ := slices.BinarySearch(keys, string(start))
		to, _ := slices.BinarySearch(keys, string(end))
		for i := from; i < to; i++ {
			key := keys[i]
			if down {
				key = keys[to-1-(i-from)]
			}
			if v := s.seen(s.disk.keys[key]); v != nil && !yield(v) {
				return
			}
		}
	}
}

func (d *Disk) sorted() []string {
	if d.order == nil {
		d.order = make([]string, 0, len(d.keys))
		for key := range d.keys { //nolint:revive // sorted below
			d.order = append(d.order, key)
		}
		slices.Sort(d.order)
	}
	return d.order
}

// Key implements store.Item.
func (v *version) Key() []byte { return v.key }

// UserMeta implements store.Item.
func (v *version) UserMeta() byte { return v.meta }

// IsDeletedOrExpired implements store.Item.
func (v *version) IsDeletedOrExpired() bool { return v.deleted }

// ValueCopy implements store.Item.
func (v *version) ValueCopy(dst []byte) ([]byte, error) { return append(dst[:0], v.value...), nil }
