package client

import (
	"context"
	"fmt"
	"iter"

	"tagma/internal/session"
	"tagma/statemachine"
)

var (
	// ErrManyWatches says that the replicas hold as many watches as they admit.
	ErrManyWatches = session.ErrManyWatches
	// ErrNotFollowed says that the cluster's machine tells no changes, or keeps no history for it.
	ErrNotFollowed = session.ErrNotFollowed
)

// Watch yields what was changed in the keys start ≤ key < end after a revision, one revision after the other: each change
// once, in the order in which the cluster made them, whatever happens to replicas and connections. An empty end means no
// end. An update without events says that nothing was changed up to its revision; such updates come about once a second
// while nothing changes.
//
// An update is yielded when f+1 replicas have said the same about everything since the one before it, so no f replicas can
// invent, alter or leave out a change. If the caller is slow, the replicas wait, and tell it the rest from the history;
// if that is compacted meanwhile, the watch ends with a *statemachine.Compacted, which says from where on changes can be
// told. To go on later, a caller remembers the revision of its last update.
//
// The sequence ends with an error: the context's, ErrClosed, ErrManyWatches, ErrNotFollowed, or a
// *statemachine.Compacted. The typed clients of machines decode the events.
func (c *Client) Watch(ctx context.Context, start, end []byte, after uint64) iter.Seq2[statemachine.Update, error] {
	return func(yield func(statemachine.Update, error) bool) {
		if ctx == nil {
			yield(statemachine.Update{}, errNoContext)
			return
		}
		c.shell.watch(ctx, start, end, after, yield)
	}
}

func (s *shell) watch(ctx context.Context, start, end []byte, after uint64, yield func(statemachine.Update, error) bool) {
	news := make(chan struct{}, 1)
	told := func() {
		select {
		case news <- struct{}{}:
		default:
		}
	}
	s.mu.Lock()
	w, err := s.core.Watch(s.now(), start, end, after, told)
	s.release()
	if err != nil {
		yield(statemachine.Update{}, fmt.Errorf("watch: %w", err))
		return
	}
	defer func() {
		s.mu.Lock()
		defer s.release()
		s.core.Unwatch(s.now(), w)
	}()
	for {
		s.mu.Lock()
		ready, err := s.core.Take(s.now(), w)
		s.release()
		for _, u := range ready {
			if !yield(u, nil) {
				return
			}
		}
		if err != nil {
			yield(statemachine.Update{}, fmt.Errorf("watch: %w", err))
			return
		}
		if len(ready) > 0 {
			continue
		}
		select {
		case <-news:
		case <-ctx.Done():
			yield(statemachine.Update{}, fmt.Errorf("watch: %w", ctx.Err()))
			return
		}
	}
}
