package network

import (
	"math/rand/v2"
	"time"
)

// Pacing of attempts to reconnect. A restarted peer should be connected again within about a second, and a dead peer
// should cost almost nothing.
const (
	backoffFirst = 20 * time.Millisecond
	backoffMax   = time.Second
)

// backoff paces the attempts to reach one peer. The wait doubles up to a maximum, with jitter, so that replicas which
// lost the same peer do not all redial at the same moment.
type backoff struct{ last time.Duration }

// next is how long to wait before the next attempt, given how long the last connection lasted. Only a connection that
// lasted for backoffMax resets the wait. Otherwise two processes that disconnect each other would reconnect without any
// wait.
func (b *backoff) next(lasted time.Duration) time.Duration {
	if lasted >= backoffMax || b.last == 0 {
		b.last = backoffFirst
	} else {
		b.last = min(2*b.last, backoffMax)
	}
	return b.last/2 + rand.N(b.last/2+1)
}
