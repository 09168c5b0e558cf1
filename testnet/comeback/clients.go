package comeback

import (
	"context"
	"time"

	"tagma/testnet/play"
)

// overwrite writes some keys one after the other, each in a batch of its own. It writes at least so many times, and
// until a sequence number is reached.
func (s *stage) overwrite(times int, seq uint64) (at uint64) {
	ctx, cancel := context.WithTimeout(s.ctx, s.o.Within)
	defer cancel()
	for i := 0; i < times || at < seq; i++ {
		reached, err := s.Overwrite(ctx, i)
		if err != nil {
			s.fail("overwrite keys up to sequence number %d, last seen %d: %w", seq, at, err)
		}
		at = max(at, reached)
	}
	return at
}

// serves requires that a new write is acknowledged in time, and returns how long it took.
func (s *stage) serves() time.Duration {
	ctx, cancel := context.WithTimeout(s.ctx, s.o.Within)
	defer cancel()
	began := time.Now()
	if err := s.Probe(ctx); err != nil {
		s.fail("a write must be acknowledged within %v: %w", s.o.Within, err)
	}
	return time.Since(began)
}

// servesNobody requires that a write is not acknowledged.
func (s *stage) servesNobody() {
	ctx, cancel := context.WithTimeout(s.ctx, 3*s.o.ViewTimeout)
	defer cancel()
	if s.Probe(ctx) == nil {
		s.fail("a write was acknowledged")
	}
}

// readBack reads every key and checks its value.
func (s *stage) readBack() {
	s.must(s.ReadBack(s.ctx, s.show))
	for _, r := range s.ReadBackJudged() {
		if !r.Held {
			s.fail("%s: %s", r.ID, r.Why)
		}
	}
}

// work makes clients overwrite keys, so many in a second together; 0: each worker writes again as soon as its last write
// is answered.
func (s *stage) work(rate float64) {
	s.Pace(rate)
	s.Extend(true, -1)
}

// endPatience is how long writes under way may take to finish when clients are to rest.
const endPatience = 20 * time.Second

// rest ends the load. All writes under way must be answered, and none refused.
func (s *stage) rest() {
	s.Extend(false, -1)
	for began := time.Now(); s.Work().Flying > 0; {
		if time.Since(began) > endPatience {
			s.late("%d writes are not answered after %v", s.Work().Flying, endPatience)
		}
		s.must(s.Pass(s.ctx, 0))
	}
	if n := s.Work().Failed; n > 0 {
		s.fail("%d writes of clients were refused", n)
	}
}

// saturation measures how many writes are acknowledged in a second when every worker sends the next write at once.
func (s *stage) saturation() float64 {
	s.work(0)
	rate := s.measure(s.o.Measure)
	s.rest()
	if rate == 0 {
		s.late("no write was acknowledged within %v", s.o.Measure)
	}
	return rate
}

// measure counts how many writes are acknowledged in a second, over a time from now on.
func (s *stage) measure(d time.Duration) float64 {
	from := s.Now()
	s.pass(d)
	return perSecond(s.Work().Acks, from, s.Now())
}

// pass waits while something is measured.
func (s *stage) pass(d time.Duration) {
	select {
	case <-time.After(d):
	case <-s.ctx.Done():
	}
}

// perSecond is how many writes a second were acknowledged in a span.
func perSecond(acks []play.Ack, from, to time.Duration) float64 {
	return play.Rate(len(play.After(acks, from))-len(play.After(acks, to)), to-from)
}
