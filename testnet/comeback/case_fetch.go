package comeback

import (
	"errors"
	"fmt"
	"time"

	"tagma/internal/node"
)

// The targets of the cases.
const (
	killedLasts      = 3 * time.Second // the transfer, if the state is large enough
	wipedWithin      = 60 * time.Second
	leastService     = 0.70 // of the baseline's throughput, while a replica comes back
	mostOfDifference = 0.05 // of a whole transfer, where 1 % of the keys differ
	mostOfRestarts   = 1.3  // of a whole transfer, where the receiver is killed three times
)

// wiped empties a replica's disk under load.
func wiped(s *stage) error {
	if err := s.begin(); err != nil {
		return err
	}
	var l *load
	var baseline float64
	if s.o.Load {
		rate, err := s.saturation()
		if err != nil {
			return err
		}
		l = s.beginLoad(rate / 2)
		defer l.cancel()
		from := time.Now()
		s.pass(s.o.Measure)
		baseline = l.perSecond(from, time.Now())
		s.result.tell("saturation", rate, "ops/s")
		s.result.tell("baseline", baseline, "ops/s")
	}
	fell := time.Now()
	if err := s.wipe(victim); err != nil {
		return err
	}
	began := time.Now()
	if err := s.follow(victim, s.o.windows(1)); err != nil {
		return err
	}
	s.result.took("back after", time.Since(began), wipedWithin)
	if l != nil {
		s.pass(s.o.Measure - time.Since(fell))
		meanwhile := l.perSecond(fell, time.Now())
		s.result.tell("meanwhile", meanwhile, "ops/s")
		least := leastService
		s.result.add(Figure{Name: "meanwhile/baseline", Value: meanwhile / baseline, AtLeast: &least, Timed: true})
		s.result.took("longest silence", l.silence(fell, time.Now()), 0)
		if err := l.end(endPatience); err != nil {
			return err
		}
	}
	return s.tellTransfer()
}

// tellTransfer tells what the victim received since its process started.
func (s *stage) tellTransfer() error {
	bytes, rounds, err := s.received(victim)
	if err != nil {
		return err
	}
	s.result.tell("received", bytes/(1<<20), "MiB")
	s.result.tell("received/(keys+values)", bytes/s.o.payload(), "")
	s.result.tell("rounds", rounds, "")
	return nil
}

// saturation is how many writes a second are acknowledged when every worker sends the next one at once.
func (s *stage) saturation() (float64, error) {
	l := s.beginLoad(0)
	from := time.Now()
	s.pass(s.o.Measure)
	rate := l.perSecond(from, time.Now())
	if err := l.end(endPatience); err != nil {
		return 0, err
	}
	if rate == 0 {
		return 0, fmt.Errorf("no write was acknowledged within %v", s.o.Measure)
	}
	return rate, nil
}

// pass lets time go by that is measured.
func (s *stage) pass(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.ctx.Done():
	}
}

// whole empties the victim's disk with nothing else going on, and returns how many bytes a whole transfer has.
func (s *stage) whole() (bytes float64, err error) {
	if err := s.wipe(victim); err != nil {
		return 0, err
	}
	if err := s.follow(victim, s.o.windows(1)); err != nil {
		return 0, err
	}
	bytes, _, err = s.received(victim)
	return bytes, err
}

// differing stops a replica, has 1 % of the keys overwritten meanwhile, and starts it again.
func differing(s *stage) error {
	if err := s.begin(); err != nil {
		return err
	}
	all, err := s.whole()
	if err != nil {
		return err
	}
	if err := s.stop(victim); err != nil {
		return err
	}
	if _, err := s.advance(s.o.Keys/100, 1, s.executed()+s.o.windows(farBehind)); err != nil {
		return err
	}
	began := time.Now()
	if err := s.restart(victim); err != nil {
		return err
	}
	if err := s.follow(victim, 0); err != nil {
		return err
	}
	s.result.took("back after", time.Since(began), 0)
	part, rounds, err := s.received(victim)
	if err != nil {
		return err
	}
	s.result.tell("whole transfer", all/(1<<20), "MiB")
	s.result.tell("received", part/(1<<20), "MiB")
	s.result.tell("rounds", rounds, "")
	s.result.atMost("received/whole", part/all, mostOfDifference, "")
	return nil
}

// killed kills the receiver in the middle of its transfer, three times.
func killed(s *stage) error {
	if err := s.begin(); err != nil {
		return err
	}
	all, err := s.whole()
	if err != nil {
		return err
	}
	if _, err := s.slow(killedLasts); err != nil {
		return err
	}
	began := time.Now()
	if err := s.wipe(victim); err != nil {
		return err
	}
	sum := 0.0
	for _, share := range []float64{0.1, 0.5, 0.9} {
		t, err := s.transferAt(share)
		if err != nil {
			return err
		}
		s.cluster.Kill(victim)
		sum += float64(t.Bytes)
		s.result.tell("killed at", 100*t.Share, "%")
		s.result.tell("having received", float64(t.Bytes)/(1<<20), "MiB")
		if err := s.cluster.Start(victim); err != nil {
			return err
		}
	}
	if err := s.follow(victim, s.o.windows(1)); err != nil {
		return err
	}
	s.result.took("back after", time.Since(began), 0)
	last, _, err := s.received(victim)
	if err != nil {
		return err
	}
	s.result.tell("whole transfer", all/(1<<20), "MiB")
	s.result.tell("received in four lives", (sum+last)/(1<<20), "MiB")
	s.result.tell("whole/(keys+values)", all/s.o.payload(), "")
	s.result.atMost("received/whole", (sum+last)/all, mostOfRestarts, "")
	return s.unslow()
}

// errOver says that a transfer ended before it was seen as far as it was waited for.
var errOver = errors.New("the transfer was over before: give more --keys")

// transferAt waits until the victim has fetched a share of the state, and returns how far it is.
func (s *stage) transferAt(share float64) (at node.Transfer, err error) {
	over := false
	what := fmt.Sprintf("%.0f %% of the transfer", 100*share)
	_, err = s.every(transferEvery, what, []int{victim}, func(v view) string {
		r, answered := v[victim]
		switch {
		case !answered:
			return "it does not answer"
		case r.Recovery != nil && r.Recovery.Transfer != nil:
			at = *r.Recovery.Transfer
		case r.Executed > 0:
			over = true
			return ""
		default:
			return "it has not begun"
		}
		if at.Share < share || at.Phase == "choosing" || at.Phase == "loading" {
			return fmt.Sprintf("%.1f %% are right", 100*at.Share)
		}
		return ""
	})
	if err == nil && over {
		err = fmt.Errorf("wait for %s, last seen at %.1f %%: %w", what, 100*at.Share, errOver)
	}
	return at, err
}
