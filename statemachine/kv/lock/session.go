package lock

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"tagma/statemachine/kv"
)

// ErrEnded says that the session has ended: its lease ran out, or was revoked.
var ErrEnded = errors.New("the session has ended")

// Session is a lease that is kept alive in the background. Its methods may be used by several goroutines.
type Session struct {
	client kv.Client
	lease  uint64
	ttl    time.Duration
	done   chan struct{}
	stop   context.CancelFunc
	ended  sync.WaitGroup

	mu   sync.Mutex
	next uint64 // number of the next mutex
}

// NewSession makes a lease of ttl, from kv.MinLease to kv.MaxLease, and keeps it alive until Close is called or the cluster
// could not be reached for ttl. The client must not be closed before the session.
func NewSession(ctx context.Context, c kv.Client, ttl time.Duration) (*Session, error) {
	sent := time.Now()
	granted, err := c.Grant(ctx, ttl)
	if err != nil {
		return nil, fmt.Errorf("begin a session: %w", err)
	}
	background, stop := context.WithCancel(context.Background())
	s := &Session{client: c, lease: granted.Lease, ttl: ttl, done: make(chan struct{}), stop: stop}
	s.ended.Go(func() { s.keep(background, sent.Add(ttl)) })
	return s, nil
}

// Lease is the id of the session's lease.
func (s *Session) Lease() uint64 { return s.lease }

// Done is closed when the session has ended. From then on its keys may be gone, and others may hold its mutexes.
func (s *Session) Done() <-chan struct{} { return s.done }

// Close ends the session and revokes its lease, so that its mutexes are free at once. If ctx ends before, they are free when
// the lease ends.
func (s *Session) Close(ctx context.Context) error {
	s.stop()
	s.ended.Wait()
	if _, err := s.client.Revoke(ctx, s.lease); err != nil && !errors.Is(err, kv.NoLease) {
		return fmt.Errorf("end the session: %w", err)
	}
	return nil
}

// keep keeps the lease alive until the session ends. It asks three times in the lease's time, more often after a failure.
func (s *Session) keep(ctx context.Context, end time.Time) {
	defer close(s.done)
	pause := s.ttl / 3
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(min(pause, time.Until(end))):
		}
		sent := time.Now()
		if !sent.Before(end) {
			return
		}
		until, cancel := context.WithDeadline(ctx, end)
		_, err := s.client.KeepAlive(until, s.lease)
		cancel()
		switch {
		case err == nil:
			end, pause = sent.Add(s.ttl), s.ttl/3
		case errors.Is(err, kv.NoLease):
			return
		default:
			pause = s.ttl / 20
		}
	}
}

// number names the next mutex of the session.
func (s *Session) number() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next++
	return s.next
}

// alive returns ErrEnded if the session has ended.
func (s *Session) alive() error {
	select {
	case <-s.done:
		return ErrEnded
	default:
		return nil
	}
}

// bind returns a context that also ends with the session, and the error to return once it has ended.
func (s *Session) bind(ctx context.Context) (bound context.Context, cancel func(), why func(error) error) {
	bound, stop := context.WithCancel(ctx)
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		select {
		case <-s.done:
			stop()
		case <-bound.Done():
		}
	}()
	cancel = func() { stop(); <-watching }
	why = func(err error) error {
		if err != nil && ctx.Err() == nil && s.alive() != nil {
			return ErrEnded
		}
		return err
	}
	return bound, cancel, why
}
