package disk

import (
	"io"
	"slices"
)

// inode is a file or a directory without its name.
type inode struct {
	dir    bool   // the inode is a directory, which has names and no data
	data   []byte // as the running system sees it
	stable []byte // the durable content
	dirty  []int  // sectors written since the last sync, with repetitions
}

// flight is what the last sync has written. It becomes durable when it is settled; until then a crash can undo it.
type flight struct {
	node    *inode
	sectors []int
	before  []byte // the durable content of these sectors, one after the other
	length  int    // the durable length of the file
}

type file struct {
	d *Disk
	n *inode
}

func (f *file) Close() error { return nil }

func (f *file) Size() (int64, error) { return int64(len(f.n.data)), nil }

func (f *file) ReadAt(b []byte, at int64) (int, error) {
	if at >= int64(len(f.n.data)) {
		return 0, io.EOF
	}
	n := copy(b, f.n.data[at:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// WriteAt writes only the first half of the sectors if it fails. The crash decides which of them survive.
func (f *file) WriteAt(b []byte, at int64) (int, error) {
	if f.d.full && int(at)+len(b) > len(f.n.data) {
		return 0, ErrFull
	}
	err := f.d.step()
	if err != nil {
		b = b[:len(b)/SectorBytes/2*SectorBytes]
	}
	end := int(at) + len(b)
	f.n.data = grown(f.n.data, end)
	copy(f.n.data[at:], b)
	for s := int(at) / SectorBytes; s*SectorBytes < end; s++ {
		f.n.dirty = append(f.n.dirty, s)
	}
	return len(b), err
}

// Sync puts the dirty sectors in flight. A failed one forgets that they are dirty, as Linux does: a later Sync returns
// nil and they are still not on the disk.
func (f *file) Sync() error {
	if f.d.lying {
		f.d.lied++
		return nil
	}
	f.d.Settle()
	err := f.d.step()
	if err == nil {
		f.d.flight = f.n.fly()
	}
	f.n.dirty = nil
	return err
}

// fly writes the dirty sectors, and returns what a crash needs to undo that.
func (n *inode) fly() *flight {
	f := &flight{node: n, sectors: n.dirty, length: len(n.stable), before: make([]byte, 0, min(len(n.dirty)*SectorBytes, len(n.stable)))}
	for _, s := range n.dirty {
		f.before = append(f.before, sector(n.stable, s)...)
	}
	n.stable = grown(n.stable, len(n.data))
	for _, s := range n.dirty {
		copy(sector(n.stable, s), sector(n.data, s))
	}
	return f
}

// undo reverses the writes of a sync that has not ended.
func (f *flight) undo() {
	n := f.node
	n.stable = n.stable[:f.length]
	for _, s := range f.sectors {
		f.before = f.before[copy(sector(n.stable, s), f.before):]
	}
	n.dirty = append(f.sectors, n.dirty...)
}

// sector returns the part of a file that is in a sector.
func sector(b []byte, s int) []byte {
	return b[min(s*SectorBytes, len(b)):min((s+1)*SectorBytes, len(b))]
}

// grown returns b with at least so many bytes; new ones are zero.
func grown(b []byte, size int) []byte {
	more := size - len(b)
	if more <= 0 {
		return b
	}
	before := cap(b)
	b = slices.Grow(b, max(more, 3*len(b))) // because a new segment is written piece by piece
	clear(b[len(b):min(size, before)])      // the rest is new
	return b[:size]
}
