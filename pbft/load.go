package pbft

import (
	"time"

	"tagma/pbft/wire"
)

// How much a replica admits of its clients however slowly the cluster orders.
const (
	minAdmitted      = 64
	minAdmittedBytes = 4 << 20
)

// maxPendingBytes bounds the requests that a replica admits of its clients at a time, as Config.MaxPending does their
// number. Those of many clients, of which each may have one, and those that are ordered and not executed yet come to twice
// as much at most. The shares of the backups at the primary come to as much again.
const maxPendingBytes = 64 << 20

// amount counts requests and their encoded bytes.
type amount struct{ requests, bytes int }

func (a *amount) add(m *wire.Request) {
	a.requests++
	a.bytes += m.Size()
}

func (a *amount) remove(m *wire.Request) {
	a.requests--
	a.bytes -= m.Size()
}

// leaves reports whether there is room for one more request within most. The first one has room however large it is.
func (a amount) leaves(most amount, m *wire.Request) bool {
	return a.requests < most.requests && (a.requests == 0 || a.bytes+m.Size() <= most.bytes)
}

// part is one of k equal parts, at least one request.
func (a amount) part(k int) amount { return amount{max(1, a.requests/k), a.bytes / k} }

// load measures how much is ordered in half a view timeout, so that a replica admits no more than will be ordered
// before its timers run out: overload must not depose a correct primary (C6).
type load struct {
	since         time.Duration
	ordered, last amount // handed to execution in this period and in the one before
	backlog       bool   // requests waited all through the period
	wasBacklogged bool
}

// tick begins a new period when half a view timeout is over.
func (l *load) tick(now, period time.Duration, waiting bool) {
	if !waiting {
		l.backlog = false
	}
	if now-l.since >= period {
		l.since, l.last, l.ordered = now, l.ordered, amount{}
		l.wasBacklogged, l.backlog = l.backlog, waiting
	}
}

// limit is how much to admit. Without a backlog nothing is known about the capacity: admit a quarter of what the pool holds.
func (l *load) limit(maxPending int) amount {
	if !l.wasBacklogged {
		return amount{max(min(minAdmitted, maxPending), maxPending/4), maxPendingBytes / 4}
	}
	return amount{
		requests: min(maxPending, max(minAdmitted, l.last.requests, l.ordered.requests)),
		bytes:    min(maxPendingBytes, max(minAdmittedBytes, l.last.bytes, l.ordered.bytes)),
	}
}
