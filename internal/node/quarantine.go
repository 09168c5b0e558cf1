package node

import (
	"context"
	"maps"
	"sync"
	"time"
)

// How long a client's link is not read after what it sent. A false signature costs its sender nothing and us a
// verification, so its sender pays with time; a correct client never sends one. A request that is answered Busy costs a
// verification too, and whoever heeds the answer waits longer of its own accord (C6). A report is put together from all
// parts of the replica, and is asked for a few times a second. A correct replica sends nothing that is refused; others read
// a faulty one for so much less that its lies cost them little.
const (
	badSignaturePause = 250 * time.Millisecond
	malformedPause    = 250 * time.Millisecond // and then the link ends
	busyPause         = 20 * time.Millisecond
	inquiryPause      = 20 * time.Millisecond
	refusedPause      = 20 * time.Millisecond // of a replica's lanes
	longestPause      = 2 * time.Second       // however many were under way at once
)

// quarantine makes senders of invalid data wait before they are read again: links of clients, or replicas by number.
type quarantine[K comparable] struct {
	mu    sync.Mutex
	until map[K]time.Time
	told  func(who K, pause time.Duration) // called with what extend adds; may be nil
}

func newQuarantine[K comparable]() *quarantine[K] {
	return &quarantine[K]{until: make(map[K]time.Time)}
}

// extend adds a pause, and calls told with it.
func (q *quarantine[K]) extend(who K, now time.Time, pause time.Duration) {
	if q.told != nil {
		q.told(who, pause)
	}
	q.pace(who, now, pause)
}

// pace adds a pause for what everybody may do, only not so often.
func (q *quarantine[K]) pace(who K, now time.Time, pause time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	from := q.until[who]
	if from.Before(now) {
		from = now
	}
	q.until[who] = from.Add(min(pause, longestPause-from.Sub(now)))
}

// left is how long somebody is still to be held back.
func (q *quarantine[K]) left(who K, now time.Time) time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.until[who].Sub(now)
}

// wait holds back the reader of somebody's link, and with it nobody else, until the pauses are over or the node ends.
func (q *quarantine[K]) wait(ctx context.Context, who K) {
	for {
		left := q.left(who, time.Now())
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

// gone forgets a link, and every pause that is over: what was said to a link may still be held against it when it has gone,
// and would be for ever.
func (q *quarantine[K]) gone(who K, now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	maps.DeleteFunc(q.until, func(other K, until time.Time) bool { return other == who || !until.After(now) })
}
