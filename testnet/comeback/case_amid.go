package comeback

import (
	"errors"
	"fmt"
	"time"
)

// How long the transfer is made to last at least in which something else happens.
const (
	donorsLast = 5 * time.Second
	changeLast = 10 * time.Second
)

// amid fills the cluster, loads it if that is wished for, and empties the victim's disk on slow links, over which the
// transfer lasts at least as long as is returned.
func (s *stage) amid(lasts time.Duration) (l *load, atLeast time.Duration, err error) {
	if err := s.begin(); err != nil {
		return nil, 0, err
	}
	rate := float64(gentleRate)
	if s.o.Load {
		if rate, err = s.saturation(); err != nil {
			return nil, 0, err
		}
		rate /= 2
	}
	if atLeast, err = s.slow(lasts); err != nil {
		return nil, 0, err
	}
	l = s.beginLoad(rate)
	return l, atLeast, s.wipe(victim)
}

// gentleRate is a load under which checkpoints become stable, in operations a second.
const gentleRate = 200

// back waits for the end of a transfer under load and tells what it took.
func (s *stage) back(l *load, began time.Time) error {
	if err := s.follow(victim, s.o.windows(1)); err != nil {
		return err
	}
	s.result.took("back after", time.Since(began), 0)
	s.result.took("longest silence", l.silence(began, time.Now()), 0)
	took, err := s.serves(s.o.Within)
	if err != nil {
		return err
	}
	s.result.took("a write afterwards", took, 0)
	return errors.Join(l.end(endPatience), s.tellTransfer(), s.unslow())
}

// donors kills a donor in the middle of a transfer and starts it again later.
func donors(s *stage) error {
	const donor = 1
	l, _, err := s.amid(donorsLast)
	if err != nil {
		return err
	}
	defer l.cancel()
	began := time.Now()
	t, err := s.transferAt(0.2)
	if err != nil {
		return err
	}
	s.cluster.Kill(donor)
	s.result.tell("killed at", 100*t.Share, "%")
	t, err = s.transferAt(0.6)
	switch {
	case errors.Is(err, errOver): // that was without this donor, too
		t.Share = 1
	case err != nil:
		return err
	}
	s.result.tell("started again at", 100*t.Share, "%")
	if err := s.restart(donor); err != nil {
		return err
	}
	return s.back(l, began)
}

// change forces a view change in the middle of a transfer, and has three more checkpoints become stable before its end.
// A receiver that would be done too soon is held up meanwhile by SIGSTOP.
func change(s *stage) error {
	l, atLeast, err := s.amid(changeLast)
	if err != nil {
		return err
	}
	defer l.cancel()
	began := time.Now()
	t, err := s.transferAt(0.05)
	if err != nil {
		return err
	}
	s.result.tell("the transfer was first at", 100*t.Share, "%")
	held := atLeast < changeLast/2
	if held {
		if err := s.cluster.Pause(victim); err != nil {
			return err
		}
	}
	if err := s.changeView(); err != nil {
		return err
	}
	s.result.took("another view and three checkpoints after", time.Since(began), 0)
	if held {
		if err := s.cluster.Resume(victim); err != nil {
			return err
		}
	}
	if t, err = s.transferAt(0); err != nil {
		return err
	}
	s.result.tell("the transfer was then at", 100*t.Share, "%")
	return s.back(l, began)
}

// changeView kills the primary, starts it again when another view is asked for, and waits for three further checkpoints
// there.
func (s *stage) changeView() error {
	before := s.look(others(victim)...)
	r, answered := before[0]
	if !answered || r.Primary == victim {
		return fmt.Errorf("there is no primary to kill: %s", before)
	}
	s.cluster.Kill(r.Primary)
	var rest []int
	for _, id := range others(victim) {
		if id != r.Primary {
			rest = append(rest, id)
		}
	}
	if _, err := s.until("another view to be asked for", rest, func(v view) string {
		for _, now := range v {
			if now.View > r.View || !now.Active {
				return ""
			}
		}
		return "nobody asks for one"
	}); err != nil {
		return err
	}
	if err := s.restart(r.Primary); err != nil {
		return err
	}
	goal := r.StableCheckpoint + 3*uint64(s.o.CheckpointInterval)
	_, err := s.until("three more checkpoints in another view", others(victim), func(v view) string {
		for _, id := range others(victim) {
			if now := v[id]; !now.Active || now.View <= r.View || now.StableCheckpoint < goal {
				return fmt.Sprintf("replica %d is in view %d, stable at %d of %d", id, now.View, now.StableCheckpoint, goal)
			}
		}
		return ""
	})
	return err
}
