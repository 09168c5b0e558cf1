package disk

import (
	"io"
	"slices"
)

// inode is a file or a directory without its name. What is not durable can be undone.
type inode struct {
	dir    bool // a directory: it has a name and nothing else
	data   []byte
	used   int    // behind this nothing was written but zeros
	length int    // durable
	dirty  []undo // written since the last sync, in order; they may overlap
}

// undo is what a run of sectors held before it was written; nil stands for zeros.
type undo struct {
	from, to int // sectors, [from, to)
	before   []byte
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

// WriteAt writes half of the sectors when it fails: how much of them survives, a crash decides.
func (f *file) WriteAt(b []byte, at int64) (int, error) {
	if f.d.full && int(at)+len(b) > len(f.n.data) {
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
	s := undo{from: at / SectorBytes, to: (at + len(b) + SectorBytes - 1) / SectorBytes}
	if from := s.from * SectorBytes; from < min(n.used, len(n.data)) {
		if held := n.data[from:min(s.to*SectorBytes, len(n.data))]; !zero(held) {
			s.before = slices.Clone(held)
		}
	}
	if !zero(b) {
		n.used = max(n.used, at+len(b))
	}
	n.data = grown(n.data, at+len(b))
	copy(n.data[at:], b)
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
		f.d.forgotten = append(f.d.forgotten, forgotten{f.n, f.n.dirty})
		f.n.dirty = nil
		return err
	}
	f.d.flight, f.d.length, f.d.sectors = f.n, len(f.n.data), append(f.d.sectors[:0], f.n.dirty...)
	clear(f.n.dirty)
	f.n.dirty = f.n.dirty[:0]
	return nil
}

// lose undoes what was written, but for the sectors that survive. Of a file that was longer than is durable, what lies
// behind the last survivor is gone.
func (n *inode) lose(writes []undo, survives map[int]bool) {
	end := n.length
	for _, u := range slices.Backward(writes) {
		for s := u.from; s < u.to; s++ {
			at := s * SectorBytes
			if survives[s] {
				end = max(end, min(at+SectorBytes, len(n.data)))
				continue
			}
			sector := n.data[min(at, len(n.data)):min(at+SectorBytes, len(n.data))]
			clear(sector)
			if from := at - u.from*SectorBytes; from < len(u.before) {
				copy(sector, u.before[from:])
			}
		}
	}
	n.data = n.data[:end]
	n.length = end
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

var zeros [SectorBytes]byte

func zero(b []byte) bool {
	for len(b) > 0 {
		k := min(len(b), SectorBytes)
		if string(b[:k]) != string(zeros[:k]) {
			return false
		}
		b = b[k:]
	}
	return true
}
