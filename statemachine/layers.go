package statemachine

import "bytes"

// layers are what was written above the storage view that batches execute on: the changes of applied batches, and below
// them those of the group that is being written.
type layers struct {
	changes *overlay
	sealed  *overlay // nil when nothing is being written
	spare   *overlay // empty, for the next seal
}

func newLayers() layers { return layers{changes: newOverlay(), spare: newOverlay()} }

func (l *layers) get(key []byte) (Write, bool) {
	if w, ok := l.changes.get(key); ok || l.sealed == nil {
		return w, ok
	}
	return l.sealed.get(key)
}

func (l *layers) seek(key []byte, beyond bool) (Write, bool) {
	upper, ok := l.changes.seek(key, beyond)
	if l.sealed == nil {
		return upper, ok
	}
	lower, below := l.sealed.seek(key, beyond)
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

// settle says that the view below holds what was sealed. What the view's values are now is told to r.
func (l *layers) settle(r *recent) {
	for _, cells := range [][]*cell{l.sealed.sorted, l.sealed.fresh} {
		for _, c := range cells {
			switch {
			case !c.set: // every write to it was undone
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
