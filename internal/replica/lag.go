package replica

import (
	"sync"

	"tagma/checkpoint/journal"
	"tagma/pbft/wire"
)

// MaxLag bounds in bytes what leaves a replica before its journal holds it (D8.14). A turn that comes to more waits for the
// disk, and so does everything behind it.
const MaxLag = 4 << 20

// lag is what the journal was given and does not hold yet, oldest first. Its methods may be called by several goroutines,
// and the pile that was taken is of one: who holds the journal's lock.
type lag struct {
	mu      sync.Mutex
	waiting *pile
	spare   *pile
	full    bool  // the segment has no room for what waits
	failed  error // final
}

// pile is what the journal writes as one turn.
type pile struct {
	records []wire.Record
	entries []journal.Entry
	encoded []byte // their bytes
}

func (b *pile) add(records []wire.Record) {
	for _, r := range records {
		start := len(b.encoded)
		b.encoded = wire.AppendRecord(b.encoded, r)
		data := b.encoded[start:] // where it stands, should the rest be moved
		b.entries = append(b.entries, journal.Entry{Seq: uint64(wire.RecordSeq(r)), Data: data})
	}
	b.records = append(b.records, records...)
}

// keepEncoded bounds the memory that an exceptionally large turn leaves behind.
const keepEncoded = 4 << 20

func (b *pile) empty() {
	clear(b.records)
	clear(b.entries)
	b.records, b.entries, b.encoded = b.records[:0], b.entries[:0], b.encoded[:0]
	if cap(b.encoded) > keepEncoded {
		b.encoded = nil
	}
}

// add appends what a turn wrote, and reports whether it must not wait any longer.
func (l *lag) add(turn []wire.Record) (due bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed != nil {
		return false, l.failed
	}
	if l.waiting == nil {
		l.waiting = new(pile)
	}
	l.waiting.add(turn)
	return l.full || len(l.waiting.encoded) >= MaxLag, nil
}

// take returns all that waits. It is given back, or put back, before the next one is taken.
func (l *lag) take() *pile {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.waiting
	l.waiting, l.spare = l.spare, nil
	if b == nil {
		b = new(pile)
	}
	return b
}

// giveBack takes the memory of a pile that was written.
func (l *lag) giveBack(b *pile) {
	b.empty()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.spare = b
}

// putBack puts a pile that found no room in front of what came since.
func (l *lag) putBack(b *pile) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting != nil {
		b.add(l.waiting.records)
	}
	l.waiting, l.full = b, true
}

// rotated takes that there is room again.
func (l *lag) rotated() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.full = false
}

func (l *lag) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failed = err
}
