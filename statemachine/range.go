package statemachine

import (
	"bytes"
	"iter"
)

// Range reads the present state at every step, so the loop's body may write. The sequence does not depend on which of
// the writes the storage already holds.
func (r *reader) Range(start, end []byte) iter.Seq2[[]byte, []byte] {
	return r.walk(start, end, (*walk).up)
}

// RangeDown does the same as Range, in descending order.
func (r *reader) RangeDown(start, end []byte) iter.Seq2[[]byte, []byte] {
	return r.walk(start, end, (*walk).down)
}

func (r *reader) walk(start, end []byte, direction func(*walk)) iter.Seq2[[]byte, []byte] {
	return func(yield func([]byte, []byte) bool) {
		w := walk{r: r, from: appendApplicationKey(nil, start), to: applicationEnd(end), yield: yield}
		if bytes.Compare(w.from, w.to) < 0 {
			r.goOn()
			direction(&w)
		}
	}
}

// walk executes one range. It merges the entries of the storage view with those of the layer above the view, skips known
// gaps, and records the gaps that it finds.
type walk struct {
	r        *reader
	from, to []byte // the range
	yield    func(key, value []byte) bool

	// The position of the walk. An ascending walk has passed every key below it, a descending one every key from it on.
	at   []byte
	edge []byte // the position right after the last existing key that was passed
	dead int    // deleted keys that were passed between edge and at
	leap bool   // the walk has skipped a gap between edge and at
}

// up yields the range in ascending order.
func (w *walk) up() {
	w.at, w.edge = bytes.Clone(w.from), bytes.Clone(w.from)
	for bytes.Compare(w.at, w.to) < 0 {
		bound := w.to
		if gap, ok := w.r.gaps.above(w.at); ok && bytes.Compare(gap.from, w.at) <= 0 {
			w.at, w.leap = append(w.at[:0], least(gap.to, w.to)...), true
			continue
		} else if ok {
			bound = least(gap.from, w.to) // the loop's body may change the gap before the walk reaches it
		}
		if !w.upBy(bound) {
			return
		}
		w.at = append(w.at[:0], bound...)
	}
	w.r.gaps.add(w.edge, w.at, w.dead, w.leap)
}

// upBy yields the entries below bound, in ascending order.
func (w *walk) upBy(bound []byte) bool {
	if follows(w.at, bound) {
		return w.single(bytes.Clone(w.at), false)
	}
	for e, err := range w.r.base.Walk(bytes.Clone(w.at), bound, false) {
		if err != nil {
			w.r.unread(err)
		}
		if !w.upTo(e.Key) || !w.stored(e, false) {
			return false
		}
	}
	return w.upTo(bound)
}

// follows reports whether no key can be between two keys. That is so on both sides of a key that was put into a gap.
func follows(key, next []byte) bool {
	return len(next) == len(key)+1 && next[len(key)] == 0 && bytes.HasPrefix(next, key)
}

// single yields one key if it exists. It reads the key directly, which takes a tenth of the time of starting a walk.
func (w *walk) single(key []byte, down bool) bool {
	x, ok := w.r.above.get(key)
	if !ok {
		value, found, err := w.r.base.Get(key)
		if err != nil {
			w.r.unread(err)
		}
		x = Write{Key: key, Value: value, Delete: !found}
	}
	return w.pass(x, down)
}

// upTo yields the layer's entries below key, in ascending order.
func (w *walk) upTo(key []byte) bool {
	for {
		x, ok := w.r.above.seek(w.at)
		if !ok || bytes.Compare(x.Key, key) >= 0 {
			return true
		}
		if !w.pass(x, false) {
			return false
		}
	}
}

// down yields the range in descending order.
func (w *walk) down() {
	w.at, w.edge = bytes.Clone(w.to), bytes.Clone(w.to)
	for bytes.Compare(w.from, w.at) < 0 {
		bound := w.from
		if gap, ok := w.r.gaps.below(w.at); ok && bytes.Compare(gap.to, w.at) >= 0 {
			w.at, w.leap = append(w.at[:0], greatest(gap.from, w.from)...), true
			continue
		} else if ok {
			bound = greatest(gap.to, w.from)
		}
		if !w.downBy(bound) {
			return
		}
		w.at = append(w.at[:0], bound...)
	}
	w.r.gaps.add(w.at, w.edge, w.dead, w.leap)
}

// downBy yields the entries at and above bound, in descending order.
func (w *walk) downBy(bound []byte) bool {
	if follows(bound, w.at) {
		return w.single(bytes.Clone(bound), true)
	}
	for e, err := range w.r.base.Walk(bound, bytes.Clone(w.at), true) {
		if err != nil {
			w.r.unread(err)
		}
		if !w.downTo(e.Key, false) || !w.stored(e, true) {
			return false
		}
	}
	return w.downTo(bound, true)
}

// downTo yields the layer's entries above key, or those at and above key, in descending order.
func (w *walk) downTo(key []byte, including bool) bool {
	for {
		x, ok := w.r.above.seekDown(w.at)
		if !ok {
			return true
		}
		if c := bytes.Compare(x.Key, key); c < 0 || c == 0 && !including {
			return true
		}
		if !w.pass(x, true) {
			return false
		}
	}
}

// stored handles an entry of the storage view, or the layer's entry if that has the same key.
func (w *walk) stored(e Entry, down bool) bool {
	x, ok := w.r.above.get(e.Key)
	if !ok {
		x = Write{Key: e.Key, Value: e.Value, Delete: e.Deleted}
	}
	return w.pass(x, down)
}

// pass moves the position past a key, and yields the key unless it is deleted. Before that, it records the gap that the
// walk found before this key, because the loop's body may write.
func (w *walk) pass(x Write, down bool) bool {
	w.r.goOn()
	if x.Delete {
		w.dead++
		w.r.gaps.count()
		w.at = beyond(w.at, x.Key, down)
		return true
	}
	if w.dead > 0 || w.leap {
		w.remember(x.Key, down)
	}
	w.at = beyond(w.at, x.Key, down)
	w.edge = append(w.edge[:0], w.at...)
	w.r.pass()
	w.r.spend(costPass, len(x.Key)-1+len(x.Value))
	return w.yield(x.Key[1:], x.Value)
}

// remember records the gap between the last existing key and this one.
func (w *walk) remember(key []byte, down bool) {
	if down {
		w.r.gaps.add(append(bytes.Clone(key), 0), w.edge, w.dead, w.leap)
	} else {
		w.r.gaps.add(w.edge, key, w.dead, w.leap)
	}
	w.dead, w.leap = 0, false
}

// beyond writes the position just after key into at.
func beyond(at, key []byte, down bool) []byte {
	at = append(at[:0], key...)
	if !down {
		at = append(at, 0)
	}
	return at
}

func least(a, b []byte) []byte {
	if bytes.Compare(a, b) < 0 {
		return a
	}
	return b
}

func greatest(a, b []byte) []byte {
	if bytes.Compare(a, b) > 0 {
		return a
	}
	return b
}
