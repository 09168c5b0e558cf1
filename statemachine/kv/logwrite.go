package kv

import (
	"encoding/binary"

	"tagma/statemachine"
)

// dropsPerChunk is how many chunks that are not kept any more are deleted for each chunk that fills up. So the log
// follows a compaction soon, and no operation pays for many others.
const dropsPerChunk = 4

// retention says what a machine keeps. It is part of every replica's configuration.
type retention struct {
	Keep
	batches uint64 // so many sequence numbers back; 0 does not count
}

// any reports whether the machine keeps a history at all.
func (k *retention) any() bool { return k.batches > 0 || k.Revisions > 0 || k.Age > 0 || k.All }

// oldest is the oldest revision whose state can be told, when the store is at revision rev.
func (k *retention) oldest(h *logHead, rev uint64) uint64 {
	if k.Revisions > 0 && rev > k.Revisions {
		return max(h.oldest, rev-k.Revisions)
	}
	return h.oldest
}

// recent reports whether the state after batch at is told as far as that depends on batches. Newest is the last batch.
func (k *retention) recent(at, newest uint64) bool { return k.batches == 0 || newest-at <= k.batches }

// logWriter writes the entries of one operation.
type logWriter struct {
	tx    statemachine.Txn
	keep  *retention
	rev   uint64
	head  logHead
	dirty bool   // head must be written
	chunk []byte // the last chunk; a copy if add was called
	added bool
	full  int // chunks that this operation filled
}

// newLogWriter begins the entries of an operation that raised the store's revision to rev. A revision that the log does not
// end with was made while the machine kept no history; then the log begins again.
func newLogWriter(tx statemachine.Txn, keep *retention, rev uint64) *logWriter {
	w := &logWriter{tx: tx, keep: keep, rev: rev}
	var found bool
	w.head, found = readLogHead(tx)
	w.chunk, _ = tx.Get(logKey(w.head.last))
	if !found || w.head.newest(w.chunk) != rev-1 {
		w.begin(rev-1, tx.Seq()-1)
	}
	return w
}

// newest is the last revision in the log. Chunk is its last chunk.
func (h *logHead) newest(chunk []byte) uint64 {
	if len(chunk) == 0 {
		return h.closed
	}
	rev, _, _ := chunkEnd(chunk)
	return rev
}

// begin lets the log begin after a revision that was made by a batch. What the log holds stays, to be dropped.
func (w *logWriter) begin(rev, seq uint64) {
	if rev == firstRevision {
		seq = 0 // nothing was ever changed
	}
	if len(w.chunk) > 0 {
		w.head.last++
		w.chunk = nil
	}
	w.head.oldest, w.head.base, w.head.baseSeq, w.head.closed, w.dirty = rev, rev, seq, rev, true
}

// put notes that a key gets a value, with the record that it has now if found.
func (w *logWriter) put(key, record []byte, found bool, value []byte) {
	e := entry{key: key, value: value}
	if found {
		e.former = record
	} else if w.head.tombs > 0 {
		if e.deleted = tombstone(w.tx, key); e.deleted != 0 {
			w.unbury(key)
		}
	}
	w.add(&e)
}

// remove notes that a key is deleted, with the record that it has now.
func (w *logWriter) remove(key, record []byte) {
	if w.head.tombs == 0 || tombstone(w.tx, key) == 0 { // one may be left from before a time without a history
		w.head.tombs++
		w.dirty = true
	}
	w.tx.Put(tombKey(key), binary.BigEndian.AppendUint64(nil, w.rev))
	w.add(&entry{key: key, former: record, remove: true})
}

func (w *logWriter) unbury(key []byte) {
	w.tx.Delete(tombKey(key))
	w.head.tombs--
	w.dirty = true
}

func (w *logWriter) add(e *entry) {
	e.rev, e.seq = w.rev, w.tx.Seq()
	if !w.added {
		w.chunk = append(make([]byte, 0, max(len(w.chunk), chunkHeader)+e.size()), w.chunk...)
		w.added = true
	}
	if len(w.chunk) == 0 {
		w.chunk = append(w.chunk, make([]byte, chunkHeader)...)
	}
	binary.BigEndian.PutUint64(w.chunk, e.rev)
	binary.BigEndian.PutUint64(w.chunk[8:], e.seq)
	binary.BigEndian.PutUint64(w.chunk[16:], uint64(w.tx.Time().UnixNano()))
	if w.chunk = e.append(w.chunk); len(w.chunk) < logChunkBytes {
		return
	}
	w.tx.Put(logKey(w.head.last), w.chunk)
	w.chunk = w.chunk[:0]
	w.head.last++
	w.head.closed, w.dirty = e.rev, true
	w.full++
}

// close ends the operation's entries. It also drops what is not kept any more, a few chunks for each chunk that was filled.
func (w *logWriter) close() {
	if w.head.old {
		w.dropFirstHistory()
	}
	w.drop(w.full * dropsPerChunk)
	if w.added && len(w.chunk) > 0 {
		w.tx.Put(logKey(w.head.last), w.chunk)
	}
	if w.dirty {
		w.tx.Put(keyLog, w.head.encode())
	}
}

// drop deletes up to most of the oldest chunks, if they are not kept any more. The last chunk is never dropped.
func (w *logWriter) drop(most int) {
	for ; most > 0 && w.head.first < w.head.last; most-- {
		chunk, _ := w.tx.Get(logKey(w.head.first))
		rev, seq, at := chunkEnd(chunk)
		if !w.tooOld(rev, seq, at) {
			return
		}
		for c := read(chunk[chunkHeader:]); len(c.Rest) > 0; {
			if e := c.entry(); e.remove && tombstone(w.tx, e.key) == e.rev {
				w.unbury(e.key)
			}
		}
		w.tx.Delete(logKey(w.head.first))
		w.head.first++
		if rev > w.head.base {
			w.head.base, w.head.baseSeq = rev, seq
		}
		w.head.oldest, w.dirty = max(w.head.oldest, w.head.base), true
	}
}

// tooOld reports whether a chunk need not be kept, by its last entry.
func (w *logWriter) tooOld(rev, seq uint64, at int64) bool {
	k, newest := w.keep, w.tx.Seq()-1
	switch {
	case rev <= k.oldest(&w.head, w.rev):
		return true
	case k.batches > 0 && newest > k.batches && seq <= newest-k.batches:
		return true
	}
	return k.Age > 0 && w.tx.Time().UnixNano()-at > int64(k.Age)
}

// dropFirstHistory deletes a chunk of the history of version 1, with what it lists.
func (w *logWriter) dropFirstHistory() {
	h := readHead(w.tx)
	if chunk, found := w.tx.Get(queueKey(h.first)); found {
		for q := read(chunk); len(q.Rest) > 0; {
			batch := q.Uint64()
			w.tx.Delete(formerKey(q.Key(), batch))
		}
		w.tx.Delete(queueKey(h.first))
	}
	if h.first < h.last {
		h.first++
		w.tx.Put(keyHead, h.encode())
		return
	}
	w.tx.Delete(keyHead)
	w.head.old, w.dirty = false, true
}

// migrateHistory begins the history by revision, when the state comes to version 2. The state before is not told any more.
func (m Machine) migrateHistory(tx statemachine.Txn) {
	keep := m.retention()
	rev := max(revisionRecord(tx), firstRevision)
	_, old := tx.Get(keyHead)
	if !keep.any() && !old {
		return
	}
	h := logHead{oldest: rev, base: rev, baseSeq: tx.Seq(), closed: rev, old: old}
	tx.Put(keyLog, h.encode())
}
