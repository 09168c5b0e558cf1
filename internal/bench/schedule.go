package bench

import (
	"context"
	"sync"
	"time"
)

// schedule gives the operations of one phase to all clients.
type schedule struct {
	opt   *Options
	began time.Time
	ends  time.Time // no request is due at or after this time; zero: the number of operations ends the phase
	most  int       // number of operations; 0: the time ends the phase

	mu   sync.Mutex
	next int // number of the next operation
}

// ticket is one request to be sent.
type ticket struct {
	first, n int
	due      time.Time // zero in a closed loop, where the request is due at once
}

func newSchedule(opt *Options, began time.Time, ops int, duration time.Duration) *schedule {
	s := &schedule{opt: opt, began: began, most: ops}
	if ops == 0 {
		s.ends = began.Add(duration)
	}
	return s
}

// take returns the next request, or false when the phase is over.
func (s *schedule) take() (t ticket, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t = ticket{first: s.next, n: s.opt.Batch}
	if s.most > 0 {
		t.n = min(t.n, s.most-s.next)
	}
	starts := time.Now()
	if s.opt.Rate > 0 {
		t.due = s.began.Add(time.Duration(float64(t.first) / s.opt.Rate * float64(time.Second)))
		starts = t.due
	}
	if t.n == 0 || !s.ends.IsZero() && !starts.Before(s.ends) {
		return ticket{}, false
	}
	s.next += t.n
	return t, true
}

// wait waits until the request is due and returns the time from which its latency counts. It returns false if the
// context ends before.
func (t *ticket) wait(ctx context.Context) (from time.Time, ok bool) {
	if t.due.IsZero() {
		return time.Now(), ctx.Err() == nil
	}
	if ahead := time.Until(t.due); ahead > 0 {
		timer := time.NewTimer(ahead)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	return t.due, ctx.Err() == nil
}
