package pool

import (
	"time"

	"tagma/pbft/wire"
)

// A replica admits at least this much from its clients, however slowly the cluster orders.
const (
	minAdmitted      = 64
	minAdmittedBytes = 4 << 20
)

// MaxPendingBytes bounds the bytes of the requests that a replica admits from its clients at a time, as
// Config.MaxPending bounds their number. The pool can hold more: together with one request for each of many clients, and
// with requests that are ordered and not executed yet, it holds at most twice as much. At the primary, the shares of the
// backups add the same amount again.
const MaxPendingBytes = 64 << 20

// Amount counts requests and their encoded bytes.
type Amount struct{ Requests, Bytes int }

// Add counts one more request.
func (a *Amount) Add(m *wire.Request) {
	a.Requests++
	a.Bytes += m.Size()
}

func (a *Amount) remove(m *wire.Request) {
	a.Requests--
	a.Bytes -= m.Size()
}

// Leaves reports whether one more request fits within most. The first request always fits, however large it is.
func (a Amount) Leaves(most Amount, m *wire.Request) bool {
	return a.Requests < most.Requests && (a.Requests == 0 || a.Bytes+m.Size() <= most.Bytes)
}

// Part returns one of k equal parts, but at least one request.
func (a Amount) Part(k int) Amount { return Amount{max(1, a.Requests/k), a.Bytes / k} }

// load measures how much is ordered in half a view timeout. A replica admits no more than that, so that every admitted
// request is ordered before its timer ends: an overload must not depose a correct primary (C6).
type load struct {
	since   time.Duration
	ordered Amount // what was handed to execution in this period
	known   Amount // the most that was ordered in one period, since the last period in which requests waited all the time
	Total   int    // bytes of the requests handed to execution so far, and of a certificate for each batch
	backlog bool   // requests have waited all through this period
}

// Tick begins a new period when half a view timeout has passed.
func (l *load) Tick(now, period time.Duration, waiting bool) {
	if !waiting {
		l.backlog = false
	}
	if now-l.since < period {
		return
	}
	if l.backlog { // requests waited for the whole period, so the cluster ordered as much as it can
		l.known = Amount{}
	}
	l.known = l.known.most(l.ordered)
	l.since, l.ordered, l.backlog = now, Amount{}, waiting
}

// Limit is how much to admit: as much as was ordered in an earlier period. Before anything was measured, the limit is
// low, so that many requests that arrive at an idle cluster do not make the replicas suspect its primary. The limit
// grows with each batch that is ordered.
func (l *load) Limit(maxPending int) Amount {
	limit := l.known.most(l.ordered).most(Amount{minAdmitted, minAdmittedBytes})
	return Amount{min(maxPending, limit.Requests), min(MaxPendingBytes, limit.Bytes)}
}

func (a Amount) most(b Amount) Amount {
	return Amount{max(a.Requests, b.Requests), max(a.Bytes, b.Bytes)}
}

// certificate is roughly how many bytes the votes that decide a batch take.
const certificate = 1 << 10

// Order counts a batch that was handed to execution.
func (l *load) Order(b *wire.Body) {
	l.Total += certificate
	for _, req := range b.Requests {
		l.ordered.Add(req)
		l.Total += req.Size()
	}
}
