package statemachine

import "bytes"

// layers are the writes above the storage view on which batches execute: the changes of applied batches, and below them
// the changes of the group that is being written.
type layers struct {
	changes *overlay
	sealed  *overlay // nil when nothing is being written
	spare   *overlay // empty, to be used by the next seal
}

func newLayers() layers { return layers{changes: newOverlay(), spare: newOverlay()} }

func (l *layers) get(key []byte) (Write, bool) {
	if w, ok := l.changes.get(key); ok || l.sealed == nil {
		return w, ok
	}
	return l.sealed.get(key)
}

func (l *layers) seek(key []byte) (Write, bool) {
	upper, ok := l.changes.seek(key)
	if l.sealed == nil {
		return upper, ok
	}
	lower, below := l.sealed.seek(key)
	if !ok || below && bytes.Compare(lower.Key, upper.Key) < 0 {
		return lower, below
	}
	return upper, ok
}

func (l *layers) seekDown(below []byte) (Write, bool) {
	upper, ok := l.changes.seekDown(below)
	if l.sealed == nil {
		return upper, ok
	}
	lower, exists := l.sealed.seekDown(below)
	if !ok || exists && bytes.Compare(lower.Key, upper.Key) > 0 {
		return lower, exists
	}
	return upper, ok
}

// settle drops the sealed layer, because the view below now holds it, and updates r with the values that changed in
// that view.
func (l *layers) settle(r *recent) {
	for _, cells := range [][]*cell{l.sealed.sorted, l.sealed.fresh} {
		for _, c := range cells {
			switch {
			case !c.set: // every write to this cell was undone
			case c.deleted:
				r.forget(c.key)
			default:
				r.set(c.key, c.value)
			}
		}
	}
	l.sealed.reset()
	l.sealed, l.spare = nil, l.sealed
}
