package disk

import (
	"io"
	"slices"
)

// inode is a file without its name.
type inode struct {
	cached, stable []byte
	dirty          []span // written since the last sync, in order; they may overlap
}

// span is a run of sectors.
type span struct{ from, to int } // [from, to)

type file struct {
	d *Disk
	n *inode
}

func (f *file) Close() error { return nil }

func (f *file) Size() (int64, error) { return int64(len(f.n.cached)), nil }

func (f *file) ReadAt(b []byte, at int64) (int, error) {
	if at >= int64(len(f.n.cached)) {
		return 0, io.EOF
	}
	n := copy(b, f.n.cached[at:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// WriteAt writes half of the sectors when it fails: how much of them survives, a crash decides.
func (f *file) WriteAt(b []byte, at int64) (int, error) {
	if f.d.full && int(at)+len(b) > len(f.n.cached) {
		return 0, ErrFull
	}
	err := f.d.step()
	if err != nil {
		b = b[:len(b)/SectorBytes/2*SectorBytes]
	}
	f.n.write(b, int(at))
	return len(b), err
}

func (n *inode) write(b []byte, at int) {
	if len(b) == 0 {
		return
	}
	n.cached = grown(n.cached, at+len(b))
	copy(n.cached[at:], b)
	s := span{at / SectorBytes, (at + len(b) + SectorBytes - 1) / SectorBytes}
	if last := len(n.dirty) - 1; last >= 0 && n.dirty[last].to == s.from {
		n.dirty[last].to = s.to
		return
	}
	n.dirty = append(n.dirty, s)
}

// Sync puts the dirty sectors in flight. A failed one forgets that they are dirty, as Linux does: a later Sync returns
// nil and they are still not on the disk.
func (f *file) Sync() error {
	if f.d.lying {
		f.d.lied++
		return nil
	}
	f.d.Settle()
	if err := f.d.step(); err != nil {
		f.n.dirty = nil
		return err
	}
	f.d.flight, f.d.sectors = f.n, append(f.d.sectors[:0], f.n.dirty...)
	f.n.dirty = f.n.dirty[:0]
	return nil
}

// settle makes spans durable.
func (n *inode) settle(spans []span) {
	for _, s := range spans {
		from, to := s.from*SectorBytes, min(s.to*SectorBytes, len(n.cached))
		n.stable = grown(n.stable, to)
		copy(n.stable[from:to], n.cached[from:to])
	}
}

// grown is b with at least so many bytes, new ones zero.
func grown(b []byte, size int) []byte {
	more := size - len(b)
	if more <= 0 {
		return b
	}
	b = slices.Grow(b, more)
	clear(b[len(b):size])
	return b[:size]
}
