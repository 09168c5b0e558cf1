package pool

import (
	"time"

	"tagma/pbft/wire"
)

// How much a replica admits of its clients however slowly the cluster orders.
const (
	minAdmitted      = 64
	minAdmittedBytes = 4 << 20
)

// MaxPendingBytes bounds the requests that a replica admits of its clients at a time, as Config.MaxPending does their
// number. Those of many clients, of which each may have one, and those that are ordered and not executed yet come to twice
// as much at most. The shares of the backups at the primary come to as much again.
const MaxPendingBytes = 64 << 20

// Amount counts requests and their encoded bytes.
type Amount struct{ Requests, Bytes int }

// Add counts a request in.
func (a *Amount) Add(m *wire.Request) {
	a.Requests++
	a.Bytes += m.Size()
}

func (a *Amount) remove(m *wire.Request) {
	a.Requests--
	a.Bytes -= m.Size()
}

// Leaves reports whether there is room for one more request within most. The first one has room however large it is.
func (a Amount) Leaves(most Amount, m *wire.Request) bool {
	return a.Requests < most.Requests && (a.Requests == 0 || a.Bytes+m.Size() <= most.Bytes)
}

// Part is one of k equal parts, at least one request.
func (a Amount) Part(k int) Amount { return Amount{max(1, a.Requests/k), a.Bytes / k} }

// load measures how much is ordered in half a view timeout, so that a replica admits no more than will be ordered
// before its timers run out: overload must not depose a correct primary (C6).
type load struct {
	since   time.Duration
	ordered Amount // handed to execution in this period
	known   Amount // the most of an earlier one; since there was a backlog, what was ordered beside that
	Total   int    // bytes handed to execution so far, each batch counted with as much as its certificate takes
	backlog bool   // requests have waited all through this period
}

// Tick begins a new period when half a view timeout is over.
func (l *load) Tick(now, period time.Duration, waiting bool) {
	if !waiting {
		l.backlog = false
	}
	if now-l.since < period {
		return
	}
	if l.backlog { // more was there to be ordered
		l.known = Amount{}
	}
	l.known = l.known.most(l.ordered)
	l.since, l.ordered, l.backlog = now, Amount{}, waiting
}

// Limit is how much to admit: what was once ordered in such a time. Before anything was measured it is little, for a burst
// that finds an idle cluster must not depose its primary either; it grows with each batch that is ordered.
func (l *load) Limit(maxPending int) Amount {
	limit := l.known.most(l.ordered).most(Amount{minAdmitted, minAdmittedBytes})
	return Amount{min(maxPending, limit.Requests), min(MaxPendingBytes, limit.Bytes)}
}

func (a Amount) most(b Amount) Amount {
	return Amount{max(a.Requests, b.Requests), max(a.Bytes, b.Bytes)}
}

// certificate is about what the votes that decide a batch take, in bytes.
const certificate = 1 << 10

// Order counts a batch that was handed to execution.
func (l *load) Order(b *wire.Body) {
	l.Total += certificate
	for _, req := range b.Requests {
		l.ordered.Add(req)
		l.Total += req.Size()
	}
}
