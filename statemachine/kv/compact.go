package kv

import (
	"encoding/binary"
	"iter"

	"tagma/statemachine"
)

// Compacted says that the history does not reach back to a revision any more, and from where on it does.
type Compacted = statemachine.Compacted

// Compact gives up the states before a revision, which becomes the oldest one that can be read. It answers at once; what it
// frees is deleted little by little, with later operations. DecodeCompact reads its result. The error is *Compacted if the
// history does not reach back to the revision anyway, and NotYetRevision if the revision does not exist yet.
func Compact(rev uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{formatVersion, byte(opCompact)}, rev)
}

// CompactResult is what a compaction returns.
type CompactResult struct {
	Revision uint64 // of the store, which a compaction does not change
}

// DecodeCompact reads the result of Compact.
func DecodeCompact(result []byte) (CompactResult, error) {
	c, err := openResult(result, opCompact)
	out := CompactResult{Revision: c.Uint64()}
	return out, c.close(err)
}

func (x *run) compact(o *operation) []byte {
	keep := x.machine.retention()
	log := openLog(x, &keep)
	switch {
	case o.to > log.rev:
		return refusal(NotYetRevision)
	case o.to <= log.oldest:
		return refuseCompacted(log.oldest)
	}
	w := &logWriter{tx: x.tx, keep: &keep, rev: log.rev, head: log.head, dirty: true}
	w.head.oldest = o.to
	w.drop(dropsPerChunk)
	w.close()
	return begin(opCompact, log.rev, 0)
}

func refuseCompacted(oldest uint64) []byte {
	return binary.BigEndian.AppendUint64(refusal(TooOld), oldest)
}

// Head implements statemachine.Followed.
func (m Machine) Head(r statemachine.Reader) (newest, oldest uint64, kept bool) {
	keep := m.retention()
	if r.Version() < versionLog || !keep.any() {
		return 0, 0, false
	}
	log := openLog(r, &keep)
	return log.rev, log.oldest, true
}

// Changes implements statemachine.Followed.
func (m Machine) Changes(r statemachine.Reader, after uint64) iter.Seq[statemachine.Change] {
	return func(yield func(statemachine.Change) bool) {
		keep := m.retention()
		for e := range openLog(r, &keep).since(after) {
			event := Event{Revision: e.rev, Seq: e.seq, Previous: e.before()}
			if e.remove {
				event.Type, event.Pair = EventDelete, KeyValue{Key: e.key, ModRevision: e.rev}
			} else {
				event.Type, event.Pair = EventPut, e.after()
			}
			if !yield(statemachine.Change{Revision: e.rev, Key: e.key, Event: event.encode()}) {
				return
			}
		}
	}
}
