package disk

import (
	"errors"
	"io"
	"io/fs"

	"tagma/checkpoint/journal"
)

// SectorBytes is how many bytes the disk writes either completely or not at all.
const SectorBytes = 512

// Errors that a disk returns when the caller told it to fail.
var (
	ErrIO   = errors.New("input/output error")
	ErrFull = errors.New("no space left on device")
)

// Disk is a journal.FS. It is for one goroutine.
type Disk struct {
	names   map[string]*inode // as the running system sees them
	durable map[string]*inode
	pending []nameChange // changes of names that are not synced
	locked  bool

	flight      *flight
	nameFlight  []nameChange
	failingFrom int // from this changing call on, every changing call fails; 0: none fails
	failure     error
	full        bool
	lying       bool

	calls, lied int
}

// New returns an empty disk.
func New() *Disk { return &Disk{names: map[string]*inode{}, durable: map[string]*inode{}} }

// step counts a changing call, and fails if the disk was told to fail from this call on.
func (d *Disk) step() error {
	d.calls++
	if d.failingFrom > 0 && d.calls >= d.failingFrom {
		return d.failure
	}
	return nil
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
	return &file{d, n}, d.change(nameChange{node: n, add: path})
}

// Open implements journal.FS.
func (d *Disk) Open(path string, _ bool) (journal.File, error) {
	if n := d.names[path]; n == nil || n.dir {
		return nil, fs.ErrNotExist
	}
	return &file{d, d.names[path]}, nil
}

// Lock implements journal.FS. There is one lock for all directories, and a crash opens it.
func (d *Disk) Lock(dir string) (io.Closer, error) {
	switch {
	case d.names[dir] == nil:
		return nil, fs.ErrNotExist
	case d.locked:
		return nil, journal.ErrInUse
	}
	d.locked = true
	return unlock{d}, nil
}

type unlock struct{ d *Disk }

func (u unlock) Close() error { u.d.locked = false; return nil }

// Settle makes the writes of the last sync durable. The owner calls it when the time of the sync has passed.
func (d *Disk) Settle() {
	d.flight = nil
	d.land(d.nameFlight)
	d.nameFlight = nil
}
