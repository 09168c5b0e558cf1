package client

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"tagma/internal/session"
)

// shell adds a clock, a lock and the callers' goroutines to a session. One goroutine, run, handles all timers of the
// session and sends what had to wait. Requests are signed, and replies decoded, while the lock is not held.
type shell struct {
	semantics Semantics // of calls that do not choose their own
	observer  Observer  // nil: calls are not observed
	machine   string
	packs     bool
	began     time.Time
	wake      chan struct{} // tells run that a deadline is earlier than it expects, or that there is something to send
	stop      chan struct{}

	mu      sync.Mutex
	core    *session.Session
	planned time.Duration // when run wakes up by itself
	closed  bool
	events  []func() // calls of observers, to be made after the lock is released
	telling bool     // a goroutine is making these calls
}

const (
	// idle is how long run sleeps if nothing is under way.
	idle = time.Hour
	// linger is how long Close waits for answers to best-effort requests. An answer shows that the request was sent.
	linger = 100 * time.Millisecond
)

func newShell(cfg session.Config, semantics Semantics) *shell {
	return &shell{
		semantics: semantics, packs: cfg.Limits.Pack > 1, began: time.Now(),
		wake: make(chan struct{}, 1), stop: make(chan struct{}), core: session.New(cfg),
	}
}

func (s *shell) now() time.Duration { return time.Since(s.began) }

// release releases the lock, and wakes run if something must be done earlier than run expects.
func (s *shell) release() {
	if at, ok := s.core.Wake(); ok && at < s.planned {
		select {
		case s.wake <- struct{}{}:
		default: // run is about to look anyway
		}
	}
	s.unlock()
}

// run sends what is due to be sent again, and what waits in line, until the session is closed. Before it sends, it
// lets callers whose operations were just answered submit their next ones, so that these are packed, too.
func (s *shell) run() {
	timer := time.NewTimer(idle)
	defer timer.Stop()
	for {
		s.mu.Lock()
		s.core.Due(s.now())
		pending := s.core.Sendable()
		s.unlock()
		if pending && s.packs {
			runtime.Gosched()
		}
		for pending {
			s.mu.Lock()
			r := s.core.Next(s.now())
			s.unlock()
			if pending = r != nil; pending {
				s.launch(r)
			}
		}
		timer.Reset(s.plan())
		select {
		case <-timer.C:
		case <-s.wake:
		case <-s.stop:
			return
		}
	}
}

// plan returns how long run may sleep until something must be done.
func (s *shell) plan() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	s.planned = now + idle
	if at, ok := s.core.Wake(); ok {
		s.planned = at
	}
	return s.planned - now
}

func (s *shell) launch(r *session.Request) {
	sealed := s.core.Seal(r)
	s.mu.Lock()
	defer s.release()
	s.core.Launch(s.now(), r, sealed)
}

// FromReplica takes a frame that arrived over a replica's link.
func (s *shell) FromReplica(from int, frame []byte) {
	word, ok := session.Hear(frame)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.release()
	s.core.Receive(s.now(), from, word)
}

// submit hands operations to the session. It returns when they are sent, or when they have a place in the line.
func (s *shell) submit(ctx context.Context, ops [][]byte, k session.Kind) (*Call, error) {
	c := &Call{shell: s, done: make(chan struct{})}
	if s.observer == nil {
		return s.enter(ctx, c, ops, k)
	}
	c.watch = s.begin(ctx, ops, CallInfo{CallOptions: CallOptions{ReadOnly: k.ReadOnly, Semantics: Semantics(k.Semantics)}})
	entered, err := s.enter(ctx, c, ops, k)
	if err != nil {
		s.mu.Lock()
		c.gaveUp(Result{}, err)
		s.unlock()
	}
	return entered, err
}

func (s *shell) enter(ctx context.Context, c *Call, ops [][]byte, k session.Kind) (*Call, error) {
	var err error
	if c.core, err = s.core.Prepare(ops, k, caller{c}); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, notSent(err)
	}
	s.mu.Lock()
	r, waits, err := s.core.Submit(s.now(), c.core)
	if waits {
		c.entered = make(chan struct{})
	}
	s.release()
	switch {
	case err != nil:
		return nil, err
	case r != nil:
		s.launch(r)
	case waits:
		return s.await(ctx, c)
	}
	return c, nil
}

func notSent(why error) error { return fmt.Errorf("%w: %w", ErrNotSent, why) }

// await waits until the call of the submitter has a place in the line.
func (s *shell) await(ctx context.Context, c *Call) (*Call, error) {
	select {
	case <-c.entered:
		return c, nil
	case <-c.done:
		if errors.Is(c.err, ErrNotSent) {
			return nil, c.err
		}
		return c, nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.release()
	if s.core.Withdraw(s.now(), c.core) {
		return nil, s.core.NotSent(ctx.Err())
	}
	return c, nil
}

// do submits operations and waits for the outcome. When ctx ends, the call is abandoned.
func (s *shell) do(ctx context.Context, ops [][]byte, k session.Kind) (Result, error) {
	call, err := s.submit(ctx, ops, k)
	if err != nil || k.Semantics == session.BestEffort {
		return Result{}, err
	}
	result, err := call.Wait(ctx)
	if errors.Is(err, ErrUnknown) {
		return s.abandon(call, ctx.Err())
	}
	return result, err
}

func (s *shell) abandon(c *Call, why error) (Result, error) {
	s.mu.Lock()
	defer s.release()
	said, err := s.core.Abandon(s.now(), c.core, why)
	result, err := c.outcome(said), outside(err)
	c.gaveUp(result, err)
	return result, err
}

// close ends every call. Nothing is sent any more.
func (s *shell) close() {
	s.mu.Lock()
	defer s.unlock()
	if !s.closed {
		s.closed = true
		close(s.stop)
	}
	s.core.Close()
}

// linger waits a short time for answers to best-effort requests.
func (s *shell) linger(most time.Duration) {
	s.mu.Lock()
	sent := s.core.BestEffort()
	s.mu.Unlock()
	enough := time.After(most)
	for _, c := range sent {
		select {
		case <-c.(caller).done:
		case <-enough:
			return
		}
	}
}
