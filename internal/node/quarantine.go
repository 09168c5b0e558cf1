package node

import (
	"context"
	"maps"
	"sync"
	"time"
)

// How long a link is not read after certain messages. A false signature costs its sender nothing and us a verification,
// so its sender pays with time; a correct client never sends one. A request that is answered Busy costs a verification,
// too. A correct client waits longer than this before it sends the request again (C6). A report is made from all parts
// of the replica, and a few per second are enough. A correct replica never sends what is refused, so a replica whose
// message was refused is faulty; reading it slowly limits what its messages cost.
const (
	badSignaturePause = 250 * time.Millisecond
	malformedPause    = 250 * time.Millisecond // after it the link ends
	busyPause         = 20 * time.Millisecond
	inquiryPause      = 20 * time.Millisecond
	refusedPause      = 20 * time.Millisecond // for each of the lanes on which a replica is read
	longestPause      = 2 * time.Second       // the longest sum of pauses, however many messages caused them
)

// quarantine makes the sender of invalid data wait before it is read again. A sender is a client's link, or the number
// of a replica.
type quarantine[K comparable] struct {
	mu    sync.Mutex
	until map[K]time.Time
	told  func(who K, pause time.Duration) // called with every pause that extend adds; may be nil
}

func newQuarantine[K comparable]() *quarantine[K] {
	return &quarantine[K]{until: make(map[K]time.Time)}
}

// extend adds a pause and calls told.
func (q *quarantine[K]) extend(who K, now time.Time, pause time.Duration) {
	if q.told != nil {
		q.told(who, pause)
	}
	q.pace(who, now, pause)
}

// pace adds a pause for something that is allowed, but not so often.
func (q *quarantine[K]) pace(who K, now time.Time, pause time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	from := q.until[who]
	if from.Before(now) {
		from = now
	}
	q.until[who] = from.Add(min(pause, longestPause-from.Sub(now)))
}

// left is how long a sender still has to wait.
func (q *quarantine[K]) left(who K, now time.Time) time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.until[who].Sub(now)
}

// wait delays the goroutine that reads the sender's link until the sender's pauses are over or the node ends. It delays
// no other link.
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

// gone forgets a link. It also forgets every sender whose pauses are over, because a pause may be added for a link that
// is already gone, and such an entry would otherwise never be removed.
func (q *quarantine[K]) gone(who K, now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	maps.DeleteFunc(q.until, func(other K, until time.Time) bool { return other == who || !until.After(now) })
}
