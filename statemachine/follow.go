package statemachine

import (
	"errors"
	"fmt"
	"iter"
)

// Change is one change of one key of an application, as its watchers see it.
type Change struct {
	Revision uint64 // counts modifications; the changes of one modification have the same
	Key      []byte
	Event    []byte // says what was done, in the machine's encoding
}

// Followed is a Machine whose state contains its own latest changes, so that clients can follow them. The changes are the
// same on every replica, whatever its storage retains.
type Followed interface {
	Machine
	// Head returns the newest revision in the state of r, and the oldest one after which all changes can be told; kept is
	// false if this state tells none.
	Head(r Reader) (newest, oldest uint64, kept bool)
	// Changes yields the changes with revisions above after, in order. After must not be below the oldest one of Head.
	Changes(r Reader, after uint64) iter.Seq[Change]
}

// Update is what a watcher is told: all changes of one revision that match what it watches. Without events it says that
// nothing was changed up to the revision.
type Update struct {
	Revision uint64
	Events   [][]byte // in the machine's encoding, in order
}

// Compacted says that the state does not tell what was changed after a revision any more. As an error it is a *Compacted.
type Compacted struct {
	Oldest uint64 // the oldest revision that can be read, and after which changes can be told
}

func (c *Compacted) Error() string {
	return fmt.Sprintf("%v; the oldest revision that is kept is %d", ErrCompacted, c.Oldest)
}

// ErrCompacted is what every *Compacted matches.
var ErrCompacted = errors.New("the history is compacted")

// Is reports whether target is ErrCompacted.
func (*Compacted) Is(target error) bool { return target == ErrCompacted }

// ErrNotFollowed says that the machine does not tell its changes.
var ErrNotFollowed = errors.New("the machine does not tell its changes")

// Follow calls look with the newest executed state, which stays the same while look runs. It ends at look's next read once
// stop is closed; the error then wraps ErrStopped. Look may run concurrently with batches and queries. If the machine
// does not tell its changes, the error is ErrNotFollowed.
func (s *Service) Follow(stop <-chan struct{}, look func(r Reader, m Followed)) error {
	m, is := as[Followed](s.machine)
	if !is {
		return ErrNotFollowed
	}
	s.mu.RLock()
	executed, flushed, unwritten := s.executed, s.flushed, s.unwritten
	s.mu.RUnlock()
	view, err := s.view(flushed)
	if err != nil {
		return fmt.Errorf("look at sequence number %d: %w", executed, err)
	}
	defer view.Close()
	r, done := reader{above: unwritten, base: view, seq: executed, first: s.limits.FirstVersion, stop: stop, administrators: s.administrators}, false
	_, err = s.answer(&r, nil, func(r Reader, _ []byte) []byte {
		look(r, m)
		done = true
		return nil
	})
	if err == nil && !done {
		err = errors.New("the machine failed when it was asked for its changes")
	}
	if err != nil {
		return fmt.Errorf("look at sequence number %d: %w", executed, err)
	}
	return nil
}
