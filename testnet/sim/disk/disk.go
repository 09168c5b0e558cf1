package disk

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"

	"tagma/checkpoint/journal"
)

// SectorBytes is what the disk writes whole or not at all.
const SectorBytes = 512

// Errors that a disk gives when it was told to.
var (
	ErrIO   = errors.New("input/output error")
	ErrFull = errors.New("no space left on device")
)

// Disk is a journal.FS. It is for one goroutine.
type Disk struct {
	names   map[string]*inode // as the running system sees them
	durable map[string]*inode
	pending []nameChange // not synced
	made    bool         // the directory
	locked  bool

	// What the last sync wrote, and is durable only when it is settled.
	flight      *inode
	sectors     []undo
	length      int // of the file when it was synced
	forgotten   []forgotten
	free        [][]byte // the memory of files that are gone
	nameFlight  []nameChange
	failingFrom int // the call that changes something from which on all fail; 0: none does
	failure     error
	full        bool
	lying       bool

	calls, lied int
}

// maxFree bounds how many files' memory is kept for others.
const maxFree = 4

// New returns an empty disk.
func New() *Disk { return &Disk{names: map[string]*inode{}, durable: map[string]*inode{}} }

// nameChange gives node a name and takes one away; an empty name stands for nothing.
type nameChange struct {
	node      *inode
	add, drop string
}

func (c nameChange) apply(names map[string]*inode) {
	if c.drop != "" {
		delete(names, c.drop)
	}
	if c.add != "" {
		names[c.add] = c.node
	}
}

// step counts a call that changes something, and fails if it is time to.
func (d *Disk) step() error {
	d.calls++
	if d.failingFrom > 0 && d.calls >= d.failingFrom {
		return d.failure
	}
	return nil
}

func (d *Disk) change(c nameChange) error {
	if err := d.step(); err != nil {
		return err
	}
	d.pending = append(d.pending, c)
	c.apply(d.names)
	return nil
}

// MkdirAll implements journal.FS. There is one directory.
func (d *Disk) MkdirAll(string) error {
	d.made = true
	return d.step()
}

// ReadDir implements journal.FS.
func (d *Disk) ReadDir(dir string) ([]string, error) {
	var names []string
	for _, path := range slices.Sorted(maps.Keys(d.names)) {
		if filepath.Dir(path) == dir {
			names = append(names, filepath.Base(path))
		}
	}
	return names, nil
}

// Create implements journal.FS.
func (d *Disk) Create(path string) (journal.File, error) {
	if d.names[path] != nil {
		return nil, fs.ErrExist
	}
	if d.full {
		return nil, ErrFull
	}
	n := &inode{}
	if last := len(d.free) - 1; last >= 0 {
		n.data, d.free = d.free[last], d.free[:last]
	}
	return &file{d, n}, d.change(nameChange{node: n, add: path})
}

// Open implements journal.FS.
func (d *Disk) Open(path string, _ bool) (journal.File, error) {
	if d.names[path] == nil {
		return nil, fs.ErrNotExist
	}
	return &file{d, d.names[path]}, nil
}

// Remove implements journal.FS.
func (d *Disk) Remove(path string) error {
	if d.names[path] == nil {
		return fs.ErrNotExist
	}
	return d.change(nameChange{node: d.names[path], drop: path})
}

// Rename implements journal.FS.
func (d *Disk) Rename(from, to string) error {
	if d.names[from] == nil {
		return fs.ErrNotExist
	}
	return d.change(nameChange{node: d.names[from], add: to, drop: from})
}

// SyncDir implements journal.FS: it makes all names durable.
func (d *Disk) SyncDir(string) error {
	if d.lying {
		d.lied++
		return nil
	}
	d.Settle()
	if err := d.step(); err != nil {
		return err
	}
	d.nameFlight, d.pending = d.pending, nil
	return nil
}

// Lock implements journal.FS. A crash opens the lock.
func (d *Disk) Lock(string) (io.Closer, error) {
	switch {
	case !d.made:
		return nil, fs.ErrNotExist
	case d.locked:
		return nil, journal.ErrInUse
	}
	d.locked = true
	return unlock{d}, nil
}

type unlock struct{ d *Disk }

func (u unlock) Close() error { u.d.locked = false; return nil }

// Settle makes durable what the last sync put in flight: the time that a sync takes has passed.
func (d *Disk) Settle() {
	if n := d.flight; n != nil {
		n.length = max(n.length, d.length)
		clear(d.sectors)
		d.flight = nil
	}
	for _, c := range d.nameFlight {
		c.apply(d.durable)
		if c.add == "" { // nobody can read it any more
			if len(d.free) < maxFree {
				d.free = append(d.free, c.node.data[:0])
			}
			c.node.data = nil
		}
	}
	d.nameFlight = nil
}
