package comeback

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"tagma/testnet/local"
)

const (
	farWithin     = 5 * time.Second
	twiceWithin   = time.Minute
	firstTimeouts = 5 // view timeouts until an operation is acknowledged
	farWindows    = 12
)

// far leaves a replica many windows behind, with no traffic when it starts again.
func far(s *stage) error {
	if err := s.begin(); err != nil {
		return err
	}
	if err := s.stop(victim); err != nil {
		return err
	}
	before := s.executed()
	at, err := s.advance(fewestKeys, 0, before+s.o.windows(farWindows))
	if err != nil {
		return err
	}
	s.result.tell("behind by", float64(at-before), "batches")
	began := time.Now()
	if err := s.cluster.Start(victim); err != nil {
		return err
	}
	if err := s.follow(victim, 0); err != nil {
		return err
	}
	s.result.took("caught up after", time.Since(began), farWithin)
	return s.tellTransfer()
}

// twice empties the same disk again as soon as the replica is back.
func twice(s *stage) error {
	if err := s.begin(); err != nil {
		return err
	}
	began := time.Now()
	for _, name := range []string{"back after", "back again after"} {
		from := time.Now()
		if name != "back after" {
			s.result.took("emptied again after", time.Since(began), twiceWithin)
		}
		if err := s.wipe(victim); err != nil {
			return err
		}
		if err := s.follow(victim, s.o.windows(1)); err != nil {
			return err
		}
		s.result.took(name, time.Since(from), wipedWithin)
	}
	return s.tellTransfer()
}

// first starts the fourth replica for the first time when another one has died.
func first(s *stage) error {
	const dies = 1
	if err := s.cluster.Start(others(victim)...); err != nil {
		return err
	}
	if err := s.ready(others(victim)...); err != nil {
		return err
	}
	if err := s.dial(); err != nil {
		return err
	}
	if err := s.fill(); err != nil {
		return err
	}
	s.cluster.Kill(dies)
	began := time.Now()
	if err := s.cluster.Start(victim); err != nil {
		return err
	}
	if _, err := s.serves(s.o.Within); err != nil {
		return err
	}
	s.result.took("served after", time.Since(began), firstTimeouts*s.o.ViewTimeout)
	return s.restart(dies)
}

// old puts an older copy of a whole home back: what the replica signed since then is forgotten.
func old(s *stage) error {
	if err := s.begin(); err != nil {
		return err
	}
	home := s.cluster.Home(victim)
	kept := filepath.Join(s.cluster.Dir, "kept")
	if err := s.stop(victim); err != nil {
		return err
	}
	if err := copyTree(home, kept); err != nil {
		return fmt.Errorf("copy a home: %w", err)
	}
	if err := s.start(victim); err != nil {
		return err
	}
	if _, err := s.advance(fewestKeys, 0, s.executed()+s.o.windows(farBehind)); err != nil {
		return err
	}
	s.cluster.Kill(victim)
	if err := errors.Join(os.RemoveAll(home), os.Rename(kept, home)); err != nil {
		return fmt.Errorf("put the old copy of a home back: %w", err)
	}
	before, err := os.ReadFile(filepath.Join(home, local.LogFile))
	if err != nil {
		return err
	}
	began := time.Now()
	if err := s.cluster.Start(victim); err != nil {
		return err
	}
	var named time.Duration
	if _, err := s.until("the old copy to be named in the log", []int{victim}, func(view) string {
		text, err := os.ReadFile(filepath.Join(home, local.LogFile))
		if err == nil && bytes.Contains(text[min(len(before), len(text)):], []byte("an old copy")) {
			named = time.Since(began)
			return ""
		}
		return "the log does not say so"
	}); err != nil {
		return err
	}
	s.result.took("named after", named, 0)
	if err := s.follow(victim, s.o.windows(1)); err != nil {
		return err
	}
	s.result.took("back after", time.Since(began), wipedWithin)
	return nil
}
