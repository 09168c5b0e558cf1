package network

import (
	"math/rand/v2"
	"time"
)

// Redial pacing. A restarted peer should be back within a second or so; a dead one should cost next to nothing.
const (
	backoffFirst = 20 * time.Millisecond
	backoffMax   = time.Second
)

// backoff paces the attempts to reach one peer: doubling, capped, with jitter so that replicas that lost the same peer
// do not return in step.
type backoff struct{ last time.Duration }

// next is how long to wait before the next attempt, given how long the last connection was in use. Only one that
// lasted starts the pacing afresh: two processes that throw each other out must not do so at full speed.
func (b *backoff) next(lasted time.Duration) time.Duration {
	if lasted >= backoffMax || b.last == 0 {
		b.last = backoffFirst
	} else {
		b.last = min(2*b.last, backoffMax)
	}
	return b.last/2 + rand.N(b.last/2+1)
}
