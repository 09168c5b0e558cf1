package processes

import (
	"time"

	"tagma/testnet/observe"
)

// change lets workers look again whether they may go on. The mutex is held.
func (l *load) change() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// extend says whether operations are wanted beyond those of the workload: while something is still to happen, somebody
// must be there to notice.
func (l *load) extend(more bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.more != more {
		l.more = more
		l.change()
	}
}

// pause stops the clients, or lets them go on. What is under way stays so.
func (l *load) pause(halted bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.halted = halted
	l.change()
}

// stopped reports whether the clients are.
func (l *load) stopped() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.halted
}

// idle reports whether no operation is under way.
func (l *load) idle() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.flying == 0
}

// empty reports whether nothing was written that could be read back.
func (l *load) empty() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.writes) == 0
}

// reached reports whether the workload is done.
func (l *load) reached(now time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := &l.counts
	return c.Acknowledged+c.Failed+c.Unknown >= l.goal+l.extra && now >= l.duration
}

// progress is how many operations are acknowledged, and how long ago the last one was.
func (l *load) progress() (acknowledged int, silent time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acks), time.Since(l.began) - l.lastAck
}

// lately is the rate over the last second or so.
func (l *load) lately() float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.began.IsZero() {
		return 0
	}
	now := time.Since(l.began)
	window := min(now, time.Second)
	n := 0
	for i := len(l.acks) - 1; i >= 0 && l.acks[i].At > now-window; i-- {
		n++
	}
	return observe.Rate(n, window)
}

// recovered is when an operation that was submitted at or after a moment was first acknowledged.
func (l *load) recovered(since time.Duration) (time.Duration, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	// Only what was acknowledged after the moment can have been submitted after it.
	first := len(l.acks)
	for first > 0 && l.acks[first-1].At >= since {
		first--
	}
	return observe.Recovered(l.acks[first:], since)
}

// since counts the operations that were acknowledged at or after a moment.
func (l *load) since(at time.Duration) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := len(l.acks) - 1; i >= 0 && l.acks[i].At >= at; i-- {
		n++
	}
	return n
}

// end lets the requests under way finish, at most for a while, and returns how long the workload lasted. What is still
// open then has an unknown outcome.
func (l *load) end(patience time.Duration) time.Duration {
	l.mu.Lock()
	l.over = true
	l.change()
	l.mu.Unlock()
	timer := time.AfterFunc(patience, l.cancel)
	l.workers.Wait()
	timer.Stop()
	l.cancel()
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Since(l.began)
}

// close ends the sessions.
func (l *load) close() {
	if l.cancel != nil {
		l.cancel()
	}
	l.workers.Wait()
	for _, c := range l.sessions {
		_ = c.Close() // their requests are counted already
	}
}
