package replica

import (
	"sync"

	"tagma/checkpoint/journal"
	"tagma/pbft/wire"
)

// MaxLag bounds the bytes of records whose messages may be sent before the journal holds the records (D8.14). A turn
// that exceeds it waits for the disk, and so does everything after it.
const MaxLag = 4 << 20

// lag holds the turns that were given to the journal and are not written yet, oldest first. Its methods may be called by
// several goroutines. A pile that was taken may be used only by the goroutine that holds the journal's lock.
type lag struct {
	mu      sync.Mutex
	waiting *pile
	spare   *pile
	full    bool  // the segment has no room for the waiting turns
	failed  error // final
}

// pile is several turns that the journal writes together, as one turn.
type pile struct {
	records []wire.Record
	entries []journal.Entry
	encoded []byte // the bytes of all entries
}

func (b *pile) add(records []wire.Record) {
	for _, r := range records {
		start := len(b.encoded)
		var seq wire.Seq
		b.encoded, seq = wire.AppendRecord(b.encoded, r)
		data := b.encoded[start:] // stays valid if encoded is later moved to new memory
		b.entries = append(b.entries, journal.Entry{Seq: uint64(seq), Data: data})
	}
	b.records = append(b.records, records...)
}

// keepEncoded bounds the memory that is kept after an exceptionally large turn.
const keepEncoded = 4 << 20

func (b *pile) empty() {
	clear(b.records)
	clear(b.entries)
	b.records, b.entries, b.encoded = b.records[:0], b.entries[:0], b.encoded[:0]
	if cap(b.encoded) > keepEncoded {
		b.encoded = nil
	}
}

// add appends a turn. It reports true if the turns must not wait any longer.
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

// take returns everything that waits. The caller must give it back, or put it back, before it takes the next pile.
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

// giveBack returns the memory of a pile that was written.
func (l *lag) giveBack(b *pile) {
	b.empty()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.spare = b
}

// putBack puts back a pile for which the segment had no room. The pile comes before all turns that were added since.
func (l *lag) putBack(b *pile) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting != nil {
		b.add(l.waiting.records)
	}
	l.waiting, l.full = b, true
}

// rotated notes that a new segment has room again.
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
