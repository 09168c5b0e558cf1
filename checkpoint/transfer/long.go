package transfer

import (
	"crypto/sha256"
	"slices"
	"time"

	"tagma/checkpoint/merkle"
)

const (
	// maxLong is how many long values are fetched at a time. With Options.MaxValue it bounds their memory.
	maxLong = 2
	// maxWaiting is the number of known long values from which on no more paths are asked for.
	maxWaiting = 64
	// chunksAsked is how many pieces fit into an answer.
	chunksAsked = 2
)

// assembly is a long value that is being fetched in pieces. Its length is not certified, so all pieces come from the
// donor that announced it. If the whole value is not the certified one, that donor lied.
type assembly struct {
	task   task
	owner  *donor
	key    []byte
	leaf   merkle.Leaf // certified
	length uint64
	value  []byte
	got    uint64        // how many bytes of value have arrived
	next   uint64        // offset of the first piece that was not asked for yet
	again  []uint64      // offsets of pieces that must be asked for again
	at     time.Duration // when a piece was last asked for
}

// chunk is one piece of a value.
type chunk struct {
	of     *assembly
	offset uint64
}

// announced verifies that the only entry below a task's path is the announced long one, and begins to fetch its value.
func (r *Receiver) announced(d *donor, t *task, long *Long, now time.Duration) error {
	leaf := merkle.Leaf{Key: sha256.Sum256(long.Key), Value: long.Hash}
	switch {
	case t.path.Depth() == 0 || !t.path.holds(&leaf.Key) || leaf.Digest() != t.digest:
		return errLie("a long entry that is not the certified one")
	case long.Length > uint64(r.opt.MaxValue):
		return errLie("a value of %d bytes, the longest there can be has %d", long.Length, r.opt.MaxValue)
	case uint64(len(long.Key))+long.Length <= MaxEntry:
		return errLie("a value of %d bytes, which is not sent in pieces", long.Length)
	}
	r.clear(t, &children{}, &children{})
	t.suspect = nil
	switch {
	case r.ownValue(&leaf):
		r.alone(t.path, &leaf.Key)
		r.settle(t.path.Depth())
	case d.blamed || len(r.long) == maxLong:
		r.waiting = append(r.waiting, *t)
	default:
		r.long = append(r.long, &assembly{
			task: *t, owner: d, key: slices.Clone(long.Key), leaf: leaf, length: long.Length, at: now,
		})
	}
	return r.err
}

// askChunks adds pieces of the values that a donor announced to a question.
func (r *Receiver) askChunks(d *donor, q *question, now time.Duration) (items []Item) {
	for _, a := range r.long {
		for a.owner == d && len(q.chunks) < chunksAsked {
			c := chunk{of: a, offset: a.next}
			switch last := len(a.again) - 1; {
			case last >= 0:
				c.offset = a.again[last]
				a.again = a.again[:last]
			case a.next < a.length:
				a.next += ChunkSize
			default:
				c.of = nil
			}
			if c.of == nil {
				break
			}
			a.at = now
			q.chunks = append(q.chunks, c)
			items = append(items, Item{Kind: AskChunk, Key: a.leaf.Key, Offset: c.offset})
		}
	}
	return items
}

// takeChunks stores the received pieces, and verifies a value once it is complete.
func (r *Receiver) takeChunks(d *donor, q *question, parts []Part) error {
	for i, c := range q.chunks {
		p, a := &parts[i], c.of
		if p.Kind == IsLater {
			a.again = append(a.again, c.offset)
			continue
		}
		if want := min(ChunkSize, a.length-c.offset); p.Kind != IsChunk || uint64(len(p.Chunk)) != want {
			return errLie("%d bytes of a value where %d were asked for", len(p.Chunk), want)
		}
		if a.value == nil {
			a.value = make([]byte, a.length)
		}
		a.got += uint64(copy(a.value[c.offset:], p.Chunk))
		if a.got < a.length {
			continue
		}
		if sha256.Sum256(a.value) != a.leaf.Value {
			return errLie("a value that is not the certified one")
		}
		r.long = slices.DeleteFunc(r.long, func(other *assembly) bool { return other == a })
		r.entry(a.task.path, &a.leaf, &Entry{Key: a.key, Value: a.value})
		r.settle(a.task.path.Depth())
		if r.err != nil {
			return r.err
		}
	}
	d.slow, d.late = false, 0
	return nil
}

// drop gives up the selected assemblies. Their values will be fetched again from the beginning.
func (r *Receiver) drop(given func(*assembly) bool) {
	r.long = slices.DeleteFunc(r.long, func(a *assembly) bool {
		if !given(a) {
			return false
		}
		r.push([]task{a.task})
		return true
	})
}
