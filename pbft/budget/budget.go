// Package budget bounds how many bytes a replica sends to another one in answer to its questions (S4). A question is
// short and its answer is long. Without a bound, a faulty replica that always claims to lack everything would receive
// the whole window sixteen times a timeout from every replica, and the state of a checkpoint as often as the network
// carries it.
//
// It owns the two amounts that a peer may draw in a view timeout T; every answer to a replica's question is paid from
// one of them:
//
//   - Help pays for answers from the log, which the core gives in its own steps: votes, proposals, bodies, certificates,
//     view changes, new views, and the asker's own statements that are held here (V5, N7, D8.4). Each T grants as many
//     bytes as the log holds, and twice the bytes ordered in it, so that a lagging peer catches up. Help holds at most
//     twice what the log holds.
//   - Bulk pays for answers from the journal and the store, given beside the core: batches and states (X0, X2, X3). Each T
//     grants BulkBytes, however little the log holds: a replica with a new disk lacks the state. Bulk holds a
//     quarter of that at most.
//
// Assume that k timeouts pass, that the log never holds more than W bytes, and that O bytes are ordered. Then a peer is
// sent at most (k+2)·W + 2·O + (k+1/4)·BulkBytes. Its last answer may exceed that, because an answer is always sent
// whole.
//
// It must not decide what is sent, or to whom. It is not safe for concurrent use: each Budget belongs to one goroutine.
package budget

import "time"

// BulkBytes is how many bytes of batches and states a peer is granted in a view timeout.
const BulkBytes = 16 << 20

// parts is the number of parts in which the grant of one timeout is given. Help measures the whole log for each part,
// which takes a while, so parts also bounds how often a peer that asks all the time causes this work.
const parts = 256

// Budget is what one peer may draw. It holds nothing until the first grant, which fills it.
type Budget struct {
	full    int           // the most that it can hold
	spent   int           // bytes spent, minus the bytes granted since; full−spent is left
	at      time.Duration // the time up to which grants were given
	ordered int           // how many bytes had been ordered at the last grant
}

// Help grants what has accrued since the last call, by time and by progress. Ordered is how many bytes were ever
// ordered; log measures how many bytes the log holds, and is called only if a grant is due.
func (b *Budget) Help(now, timeout time.Duration, ordered int, log func() int) {
	if n, due := b.due(now, timeout); due {
		room := log()
		b.grant(room/parts*n+2*max(0, ordered-b.ordered), 2*room)
		b.ordered = ordered
	}
}

// Bulk grants what has accrued since the last call, by time alone.
func (b *Budget) Bulk(now, timeout time.Duration) {
	if n, due := b.due(now, timeout); due {
		b.grant(BulkBytes/parts*n, BulkBytes/4)
	}
}

// due returns how many parts of a timeout have passed since the last grant. It returns at most the parts of two
// timeouts, because the budget is full by then.
func (b *Budget) due(now, timeout time.Duration) (n int, due bool) {
	passed := (now - b.at) / (timeout / parts)
	b.at += passed * (timeout / parts)
	return int(min(passed, 2*parts)), passed > 0 || b.full == 0
}

func (b *Budget) grant(bytes, full int) {
	b.full, b.spent = full, max(0, b.spent-bytes)
}

// Left reports whether the peer may be sent something. An answer longer than what is left is still sent whole; the next
// grants pay for the excess.
func (b *Budget) Left() bool { return b.spent < b.full }

// Spend counts bytes that were sent.
func (b *Budget) Spend(bytes int) { b.spent += bytes }
