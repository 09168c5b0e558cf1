package kv

import (
	"bytes"
	"encoding/binary"
	"iter"
	"maps"
	"slices"

	"tagma/statemachine"
	"tagma/statemachine/internal/wire"
)

// AtRevision is a reading operation on the state at a revision, which must not lie before the oldest one that the history
// keeps, nor after the newest. Its result is that of the operation, decoded as such, or an error: *Compacted, or
// NotYetRevision. The state at a revision is the one after the modification that made it, so every revision can be read,
// also several of one batch.
func AtRevision(rev uint64, op []byte) []byte {
	b := append(make([]byte, 0, 2+8+4+len(op)), formatVersion, byte(opAt))
	return wire.AppendValue(binary.BigEndian.AppendUint64(b, rev), op)
}

func (x *run) readAt(o *operation) []byte {
	keep := x.machine.retention()
	log := openLog(x, &keep)
	switch {
	case o.to > log.rev:
		return refusal(NotYetRevision)
	case o.to < log.oldest:
		return refuseCompacted(log.oldest)
	}
	return x.machine.newRun(&revisioned{Reader: x.Reader, log: log, rev: o.to}, nil).do(o.inner)
}

// queryLogged is QueryPast from version 2 on.
func (m *Machine) queryLogged(r statemachine.Reader, op []byte, at uint64) (result []byte, kept bool) {
	keep := m.retention()
	if !keep.any() {
		return nil, false
	}
	log := openLog(r, &keep)
	rev, kept := log.after(at)
	if !kept || !keep.recent(at, r.Seq()) {
		return nil, false
	}
	return m.Query(&revisioned{Reader: r, log: log, rev: rev, seq: at}, op), true
}

// revisioned reads the state at a revision: its pairs and the revision. It can read no other key.
type revisioned struct {
	statemachine.Reader
	log *logReader
	rev uint64
	seq uint64 // the batch after which the state is read; 0 if it is not read by batch
}

// Seq is the sequence number of the former state, if it is read by that, else of the newest state.
func (p *revisioned) Seq() uint64 {
	if p.seq > 0 {
		return p.seq
	}
	return p.Reader.Seq()
}

// Get returns the value that a key had.
func (p *revisioned) Get(key []byte) ([]byte, bool) {
	if key[0] != pairPrefix {
		return binary.BigEndian.AppendUint64(nil, p.rev), bytes.Equal(key, keyRevision)
	}
	now, _ := p.Reader.Get(key)
	record := p.log.at(key[1:], now, p.rev)
	return record, len(record) > 0
}

// Range yields the pairs that existed.
func (p *revisioned) Range(start, end []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func([]byte, []byte) bool) {
		to := end[1:]
		if end[0] != pairPrefix {
			to = nil
		}
		for key, now := range p.log.keys(start[1:], to) {
			if record := p.log.at(key, now, p.rev); len(record) > 0 && !yield(pairKey(key), record) {
				return
			}
		}
	}
}

// logScan is how many chunks of the log are searched for changed keys. If there are more, all keys of the range are
// looked at.
const logScan = 2048

// formers yields the keys start ≤ key < end that may have changed after a revision that is kept, ascending, with the record
// that each had then; nil if it did not exist.
func (l *logReader) formers(rev uint64, start, end []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func([]byte, []byte) bool) {
		if l.head.last-l.search(func(last, _ uint64) bool { return last > rev }) > logScan {
			for key, now := range l.keys(start, end) {
				if !yield(key, l.at(key, now, rev)) {
					return
				}
			}
			return
		}
		changed := make(map[string][]byte)
		for e := range l.since(rev) {
			if bytes.Compare(e.key, start) < 0 || end != nil && bytes.Compare(e.key, end) >= 0 {
				continue
			}
			if _, known := changed[string(e.key)]; !known {
				changed[string(e.key)] = e.former
			}
		}
		for _, key := range slices.Sorted(maps.Keys(changed)) {
			if !yield([]byte(key), changed[key]) {
				return
			}
		}
	}
}
