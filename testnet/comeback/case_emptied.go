package comeback

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"tagma/internal/node"
	"tagma/testnet/local"
)

// emptied takes the data of more and more replicas away while all are stopped.
func emptied(s *stage) error {
	if err := s.begin(); err != nil {
		return err
	}
	if err := s.oneEmptied(); err != nil {
		return fmt.Errorf("one replica without data: %w", err)
	}
	for lost := 2; lost <= replicas; lost++ {
		if err := s.moreEmptied(everybody()[replicas-lost:]); err != nil {
			return fmt.Errorf("%d replicas without data: %w", lost, err)
		}
	}
	return nil
}

// oneEmptied loses as many disks as the cluster masks: the replica recovers from the others.
func (s *stage) oneEmptied() error {
	if err := s.stop(); err != nil {
		return err
	}
	if err := s.takeAway(victim); err != nil {
		return err
	}
	began := time.Now()
	if err := s.cluster.Start(); err != nil {
		return err
	}
	if err := s.follow(victim, s.o.windows(1)); err != nil {
		return err
	}
	s.result.took("one came back after", time.Since(began), wipedWithin)
	// What the replica lost is of no use any more: it lives another life now.
	return errors.Join(os.RemoveAll(s.data(victim)+awaySuffix), s.readBack())
}

// moreEmptied loses more disks than the cluster masks: nobody serves, nothing is written to the empty directories, and
// who lost data is told. With the data mounted again all goes on.
func (s *stage) moreEmptied(lost []int) error {
	if err := s.stop(); err != nil {
		return err
	}
	logs := map[int]int{}
	for _, id := range lost {
		text, err := os.ReadFile(s.log(id))
		if err != nil {
			return err
		}
		logs[id] = len(text)
		if err := s.takeAway(id); err != nil {
			return err
		}
	}
	if err := s.cluster.Start(); err != nil {
		return err
	}
	if err := s.named(lost); err != nil {
		return err
	}
	if err := s.servesNobody(); err != nil {
		return err
	}
	for _, id := range lost {
		if err := s.untouched(id, logs[id]); err != nil {
			return err
		}
	}
	if err := s.stop(); err != nil {
		return err
	}
	for _, id := range lost {
		// Stopping may write no less than running.
		if err := errors.Join(s.untouched(id, logs[id]), s.bringBack(id)); err != nil {
			return err
		}
	}
	began := time.Now()
	if err := s.start(); err != nil {
		return err
	}
	s.result.took(fmt.Sprintf("%d served again after", len(lost)), time.Since(began), 0)
	return s.readBack()
}

func (s *stage) log(id int) string { return filepath.Join(s.cluster.Home(id), local.LogFile) }

// named waits until each replica without data says who lost data and who did not.
func (s *stage) named(lost []int) error {
	_, err := s.until("the replicas without data to say who else has none", lost, func(v view) string {
		for _, id := range lost {
			r, answered := v[id]
			switch {
			case !answered:
				return fmt.Sprintf("replica %d does not answer", id)
			case r.Recovery == nil || r.Recovery.Phase != node.PhaseForgotten:
				return fmt.Sprintf("replica %d does not say that it forgot", id)
			}
			var also, whole []int
			for _, other := range others(id) {
				if slices.Contains(lost, other) {
					also = append(also, other)
				} else {
					whole = append(whole, other)
				}
			}
			if !slices.Equal(r.Recovery.LostToo, also) || !slices.Equal(r.Recovery.Whole, whole) {
				return fmt.Sprintf("replica %d names %v as without data and %v as whole, and it is %v and %v", id,
					r.Recovery.LostToo, r.Recovery.Whole, also, whole)
			}
		}
		return ""
	})
	return err
}

// servesNobody demands that a write is not acknowledged.
func (s *stage) servesNobody() error {
	ctx, cancel := context.WithTimeout(s.ctx, 3*s.o.ViewTimeout)
	defer cancel()
	own := writes{step: 1, to: s.o.Keys}
	key, n, ok := own.next(s.ledger)
	if !ok {
		return errors.New("the outcomes of writes to all keys are unknown")
	}
	if err := put(ctx, s.sessions[0], s.ledger, key, n); err == nil {
		return errors.New("a write was acknowledged")
	}
	return nil
}

// untouched demands that nothing was written to a replica's empty data directory, and that its log says what it lacks.
func (s *stage) untouched(id, logged int) error {
	names, err := listing(s.data(id))
	if err != nil {
		return err
	}
	if len(names) > 0 {
		return fmt.Errorf("replica %d wrote to the empty data directory: %v", id, names)
	}
	text, err := os.ReadFile(s.log(id))
	if err != nil {
		return err
	}
	if !bytes.Contains(text[min(logged, len(text)):], []byte("may have forgotten what it signed")) {
		return fmt.Errorf("the log of replica %d does not say that it lost data", id)
	}
	return nil
}
