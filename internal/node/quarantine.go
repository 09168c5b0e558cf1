package node

import (
	"context"
	"sync"
	"time"

	"tagma/network"
)

// How long a client's link is not read after what it sent. A false signature costs its sender nothing and us a
// verification, so its sender pays with time; a correct client never sends one. A request that is answered Busy costs a
// verification too, and whoever heeds the answer waits longer of its own accord (C6). A report is put together from all
// parts of the replica, and is asked for a few times a second.
const (
	badSignaturePause = 250 * time.Millisecond
	malformedPause    = 250 * time.Millisecond // and then the link ends
	busyPause         = 20 * time.Millisecond
	inquiryPause      = 20 * time.Millisecond
	longestPause      = 2 * time.Second // however many were under way at once
)

// quarantine holds back the links of clients that send what is of no use.
type quarantine struct {
	mu    sync.Mutex
	until map[*network.ClientLink]time.Time
}

func newQuarantine() *quarantine {
	return &quarantine{until: make(map[*network.ClientLink]time.Time)}
}

// extend adds a pause.
func (q *quarantine) extend(link *network.ClientLink, now time.Time, pause time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	from := q.until[link]
	if from.Before(now) {
		from = now
	}
	q.until[link] = from.Add(min(pause, longestPause-from.Sub(now)))
}

// left is how long a link is still to be held back.
func (q *quarantine) left(link *network.ClientLink, now time.Time) time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.until[link].Sub(now)
}

// wait holds back the reader of a link, and with it nobody else, until its pauses are over or the node ends.
func (q *quarantine) wait(ctx context.Context, link *network.ClientLink) {
	for {
		left := q.left(link, time.Now())
		if left <= 0 {
			return
		}
		timer := time.NewTimer(left)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// gone forgets a link.
func (q *quarantine) gone(link *network.ClientLink) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.until, link)
}
