package statemachine

import (
	"bytes"
	"slices"
)

// layer is what was written above a storage view.
type layer interface {
	// get returns what was written under key.
	get(key []byte) (Write, bool)
	// seek returns the write with the lowest key ≥ key.
	seek(key []byte) (Write, bool)
	// seekDown returns the write with the highest key < below.
	seekDown(below []byte) (Write, bool)
}

// overlay is the layer that batches write to: it holds the latest value of every key changed since the last seal. The
// changes of one operation can be undone, and the changes of a batch are its write set. Only ranges need the keys in
// order, so the overlay sorts them when a range asks.
type overlay struct {
	cells  map[string]*cell
	sorted []*cell // cells in ascending order of their keys
	fresh  []*cell // cells that are not yet in sorted

	batch uint64  // the sequence number that is executed
	dirty []*cell // cells that the batch changed, each once
	undo  []undo  // cells as they were before the current operation changed them
}

// cell is the latest value of one key. If set is false, the value is that of the layers below.
type cell struct {
	key, value   []byte
	set, deleted bool
	batch        uint64 // the batch that changed the cell last
}

// undo is a cell as it was before a write.
type undo struct {
	cell   *cell
	before cell
}

func newOverlay() *overlay { return &overlay{cells: make(map[string]*cell)} }

// beginBatch starts to record the changes of a sequence number.
func (o *overlay) beginBatch(seq uint64) { o.batch, o.dirty, o.undo = seq, o.dirty[:0], o.undo[:0] }

// beginOperation makes what was written so far permanent for the batch.
func (o *overlay) beginOperation() { o.undo = o.undo[:0] }

// rollback undoes the writes since beginOperation. It returns the keys that may exist again.
func (o *overlay) rollback() (back [][]byte) {
	for _, u := range slices.Backward(o.undo) {
		if u.cell.deleted && !u.before.deleted {
			back = append(back, u.cell.key)
		}
		// The undone write appended the cell to dirty. Both lists are undone from their ends, so it is the last one there.
		if u.before.batch != o.batch {
			o.dirty = o.dirty[:len(o.dirty)-1]
		}
		*u.cell = u.before
	}
	o.undo = o.undo[:0]
	return back
}

// write sets or deletes key, which it copies. It does not copy the value, which the caller must not modify afterwards.
func (o *overlay) write(key, value []byte, deleted bool) {
	c := o.cells[string(key)]
	if c == nil {
		c = &cell{key: bytes.Clone(key)}
		o.cells[string(key)] = c
		o.fresh = append(o.fresh, c)
	}
	o.undo = append(o.undo, undo{c, *c})
	if c.batch != o.batch {
		o.dirty = append(o.dirty, c)
	}
	c.value, c.set, c.deleted, c.batch = value, true, deleted, o.batch
}

// appendWrites appends what the batch changed, unsorted.
func (o *overlay) appendWrites(w []Write) []Write {
	for _, c := range o.dirty {
		w = append(w, c.asWrite())
	}
	return w
}

// reset forgets everything, and keeps the allocated memory for new changes.
func (o *overlay) reset() {
	clear(o.cells)
	clear(o.sorted)
	clear(o.fresh)
	clear(o.dirty[:cap(o.dirty)])
	clear(o.undo[:cap(o.undo)])
	*o = overlay{cells: o.cells, sorted: o.sorted[:0], fresh: o.fresh[:0], dirty: o.dirty[:0], undo: o.undo[:0]}
}

func (o *overlay) get(key []byte) (Write, bool) {
	c := o.cells[string(key)]
	if c == nil || !c.set {
		return Write{}, false
	}
	return c.asWrite(), true
}

func (o *overlay) seek(key []byte) (Write, bool) {
	o.index()
	i, _ := slices.BinarySearchFunc(o.sorted, key, compareCell)
	for ; i < len(o.sorted); i++ {
		if o.sorted[i].set {
			return o.sorted[i].asWrite(), true
		}
	}
	return Write{}, false
}

func (o *overlay) seekDown(below []byte) (Write, bool) {
	o.index()
	i, _ := slices.BinarySearchFunc(o.sorted, below, compareCell)
	for i--; i >= 0; i-- {
		if o.sorted[i].set {
			return o.sorted[i].asWrite(), true
		}
	}
	return Write{}, false
}

// index merges the fresh cells into the sorted ones from the back, moving each run between two fresh keys once.
func (o *overlay) index() {
	if len(o.fresh) == 0 {
		return
	}
	slices.SortFunc(o.fresh, func(a, b *cell) int { return bytes.Compare(a.key, b.key) })
	n := len(o.sorted)
	o.sorted = append(o.sorted, o.fresh...)
	for k, c := range slices.Backward(o.fresh) {
		p, _ := slices.BinarySearchFunc(o.sorted[:n], c.key, compareCell)
		copy(o.sorted[p+k+1:], o.sorted[p:n])
		o.sorted[p+k], n = c, p
	}
	o.fresh = o.fresh[:0]
}

func (c *cell) asWrite() Write { return Write{Key: c.key, Value: c.value, Delete: c.deleted} }

func compareCell(c *cell, key []byte) int { return bytes.Compare(c.key, key) }
