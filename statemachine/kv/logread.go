package kv

import (
	"bytes"
	"iter"

	"tagma/statemachine"
)

// logReader reads the log of one state. It remembers chunks that a search looked at, because searches for many keys of a
// range look at the same ones.
type logReader struct {
	r      statemachine.Reader
	head   logHead
	rev    uint64 // the store's revision
	oldest uint64 // the oldest revision whose state can be told
	chunks map[uint64][]byte

	whole   map[uint64]map[string]entry // large revisions
	indexed int                         // entries in whole
}

// Bounds of what a logReader remembers.
const (
	rememberedChunks  = 512
	rememberedEntries = 20_000
)

// openLog opens the log for a machine that keeps a history. If the log does not end with the store's revision, it tells
// nothing but the present state.
func openLog(r statemachine.Reader, keep *retention) *logReader {
	l := &logReader{r: r, rev: revision(r), chunks: make(map[uint64][]byte), whole: make(map[uint64]map[string]entry)}
	var found bool
	l.head, found = readLogHead(r)
	chunk, _ := r.Get(logKey(l.head.last))
	if !found || l.head.newest(chunk) != l.rev {
		l.head = logHead{oldest: l.rev, base: l.rev, baseSeq: r.Seq(), closed: l.rev}
		if l.rev == firstRevision {
			l.head.baseSeq = 0
		}
	}
	l.oldest = keep.oldest(&l.head, l.rev)
	return l
}

// chunk returns a chunk of the log; nil for the last one if nothing is in it yet.
func (l *logReader) chunk(n uint64) []byte {
	chunk, known := l.chunks[n]
	if known {
		return chunk
	}
	chunk, found := l.r.Get(logKey(n))
	if !found && n < l.head.last {
		panic("kv: a chunk of the log is missing")
	}
	if len(l.chunks) == rememberedChunks {
		clear(l.chunks)
	}
	l.chunks[n] = chunk
	return chunk
}

// search returns the number of the first chunk for whose end reached is true, or of the last chunk.
func (l *logReader) search(reached func(rev, seq uint64) bool) uint64 {
	low, high := l.head.first, l.head.last
	for low < high {
		middle := low + (high-low)/2
		if rev, seq, _ := chunkEnd(l.chunk(middle)); reached(rev, seq) {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return low
}

// since yields the entries with revisions above rev, in order. Revision rev must not be below base.
func (l *logReader) since(rev uint64) iter.Seq[entry] {
	return func(yield func(entry) bool) {
		from := l.search(func(end, _ uint64) bool { return end > rev })
		for n := from; n <= l.head.last; n++ {
			chunk := l.chunk(n)
			if len(chunk) == 0 {
				return
			}
			for c := read(chunk[chunkHeader:]); len(c.Rest) > 0; {
				if e := c.entry(); e.rev > rev && !yield(e) {
					return
				}
			}
		}
	}
}

// change returns the entry of a key in a revision which changed it.
func (l *logReader) change(key []byte, rev uint64) entry {
	if whole := l.whole[rev]; whole != nil {
		return whole[string(key)]
	}
	from := l.search(func(end, _ uint64) bool { return end >= rev })
	for n := from; n <= l.head.last; n++ {
		for c := read(l.chunk(n)[chunkHeader:]); len(c.Rest) > 0; {
			if e := c.entry(); e.rev == rev && bytes.Equal(e.key, key) {
				return e
			}
		}
		if n == from+1 {
			return l.index(rev)[string(key)] // the revision is a large one, and others of its keys will be asked for
		}
	}
	panic("kv: the log lacks a change")
}

// index remembers all entries of a revision by their keys.
func (l *logReader) index(rev uint64) map[string]entry {
	if l.indexed > rememberedEntries {
		clear(l.whole)
		l.indexed = 0
	}
	whole := make(map[string]entry)
	for e := range l.since(rev - 1) {
		if e.rev > rev {
			break
		}
		if _, twice := whole[string(e.key)]; !twice {
			whole[string(e.key)] = e
		}
	}
	l.whole[rev] = whole
	l.indexed += len(whole)
	return whole
}

// after returns the store's revision after a batch; false if the log does not tell it.
func (l *logReader) after(seq uint64) (rev uint64, kept bool) {
	if seq < l.head.baseSeq || seq > l.r.Seq() {
		return 0, false
	}
	rev = l.head.base
	for n := l.search(func(_, end uint64) bool { return end > seq }); n <= l.head.last; n++ {
		if n > l.head.first {
			end, _, _ := chunkEnd(l.chunk(n - 1))
			rev = max(rev, end)
		}
		chunk := l.chunk(n)
		if len(chunk) == 0 {
			break
		}
		for c := read(chunk[chunkHeader:]); len(c.Rest) > 0; {
			e := c.entry()
			if e.seq > seq {
				return rev, rev >= l.oldest
			}
			rev = e.rev
		}
	}
	return rev, rev >= l.oldest
}

// at returns the record that a key had at a revision that is kept, given its present record; nil if there was none, or is
// none.
func (l *logReader) at(key, record []byte, rev uint64) []byte {
	deleted := uint64(0)
	if len(record) == 0 && l.head.tombs > 0 {
		deleted = tombstone(l.r, key)
	}
	for {
		changed := deleted
		if len(record) > 0 {
			changed = decodePair(key, record).ModRevision
		}
		if changed <= rev {
			return record
		}
		e := l.change(key, changed)
		record, deleted = e.former, e.deleted
	}
}

// keys yields the keys start ≤ key < end that exist or that the log tells of, in ascending order, with their present
// records. A nil end means no end.
func (l *logReader) keys(start, end []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func([]byte, []byte) bool) {
		tombEnd := []byte{tombPrefix + 1}
		if end != nil {
			tombEnd = tombKey(end)
		}
		next, stop := iter.Pull2(l.r.Range(tombKey(start), tombEnd))
		defer stop()
		tomb, _, more := next()
		for place, record := range l.r.Range(pairKey(start), pairEnd(end)) {
			key := place[1:]
			for more && bytes.Compare(tomb[1:], key) < 0 {
				if !yield(tomb[1:], nil) {
					return
				}
				tomb, _, more = next()
			}
			if more && bytes.Equal(tomb[1:], key) {
				tomb, _, more = next()
			}
			if !yield(key, record) {
				return
			}
		}
		for more {
			if !yield(tomb[1:], nil) {
				return
			}
			tomb, _, more = next()
		}
	}
}
