// Package budget bounds in bytes what a replica sends another one because it asked (S4). A question is short, its answer is
// long: without a bound, a faulty replica that always lacks everything is sent the window again sixteen times a timeout, by
// everybody, and the state of a checkpoint as often as the network carries it.
//
// It owns the two amounts that a peer may draw in a view timeout T, and nothing else answers a replica's question:
//
//   - Help, from the log, in the core's own steps: votes, proposals, bodies, certificates, view changes, new views, and what
//     is held of the asker's own statements (V5, N7, D8.4). T grants as much as the log holds, and what is ordered meanwhile
//     is granted twice over, so that whoever lags catches up. It is full at twice what the log holds.
//   - Bulk, from the journal and the store, beside the core: committed batches and the state of a checkpoint (X0, X2, X3).
//     T grants BulkBytes, however little the log holds: a replica whose disk is new lacks the state, not the log. It is full
//     at a quarter of that.
//
// In k timeouts in which the log never holds more than W bytes and O bytes are ordered, a peer is sent (k+2)·W + 2·O +
// (k+1/4)·BulkBytes at most, and what passes a bound last.
//
// It must not decide what is sent, or to whom. It is not safe for concurrent use: each part is of one goroutine.
package budget

import "time"

// BulkBytes is what a view timeout grants of batches and states.
const BulkBytes = 16 << 20

// parts is in how many parts a timeout grants. To look at the whole log takes a while, so a peer that asks on and on makes
// it happen that often at most.
const parts = 256

// Budget is what one peer may draw. It is full when it is granted something for the first time; before, nothing is left.
type Budget struct {
	full    int
	spent   int           // less what was granted since
	at      time.Duration // up to when time was granted for
	ordered int           // up to how many ordered bytes progress was granted for
}

// Help grants what time and progress since the last time are worth. Ordered is how many bytes were ever ordered, and log
// tells how many the log holds.
func (b *Budget) Help(now, timeout time.Duration, ordered int, log func() int) {
	if n, due := b.due(now, timeout); due {
		room := log()
		b.grant(room/parts*n+2*max(0, ordered-b.ordered), 2*room)
		b.ordered = ordered
	}
}

// Bulk grants what time since the last time is worth.
func (b *Budget) Bulk(now, timeout time.Duration) {
	if n, due := b.due(now, timeout); due {
		b.grant(BulkBytes/parts*n, BulkBytes/4)
	}
}

// due is how many parts of a timeout have passed that were not granted yet; after two timeouts it is full anyhow.
func (b *Budget) due(now, timeout time.Duration) (n int, due bool) {
	passed := (now - b.at) / (timeout / parts)
	b.at += passed * (timeout / parts)
	return int(min(passed, 2*parts)), passed > 0 || b.full == 0
}

func (b *Budget) grant(bytes, full int) {
	b.full, b.spent = full, max(0, b.spent-bytes)
}

// Left reports whether anything is left. What is long is not kept back for what it lacks: that is spent beyond it.
func (b *Budget) Left() bool { return b.spent < b.full }

// Spend counts what was sent.
func (b *Budget) Spend(bytes int) { b.spent += bytes }
