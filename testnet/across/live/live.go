// Package live hosts the transactions of package across over clusters that really run, beside each other.
//
// Each driver is a client with a session for every cluster. A driver that dies loses its sessions in the middle of whatever
// they do. One goroutine runs the workload; sessions report to it. The package must not know how the clusters are run.
package live

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"tagma/statemachine/attest"
	"tagma/testnet/across"
)

// Session is a client's session with one cluster.
type Session interface {
	Call(ctx context.Context, op []byte, readOnly bool) (result []byte, seq uint64, err error)
	Attest(ctx context.Context, op []byte) (*attest.Certificate, error)
	Close() error
}

// Dial opens a session of a program, from 0 on, with a group. The first program is an administrator.
type Dial func(ctx context.Context, program, group int) (Session, error)

// Host implements across.Host.
type Host struct {
	Load *across.Load

	dial    Dial
	groups  int
	patient time.Duration // how long a program waits for an answer
	began   time.Time
	acted   func(group int, began time.Time) // called with each answered operation

	ctx    context.Context
	cancel context.CancelFunc
	under  sync.WaitGroup

	mu       sync.Mutex
	due      []func() // to be called on the host's goroutine, in order
	wake     chan struct{}
	programs int
}

// New prepares a host. Acted is called, on any goroutine, when a group has answered an operation.
func New(dial Dial, groups int, patience time.Duration, acted func(group int, began time.Time)) *Host {
	ctx, cancel := context.WithCancel(context.Background())
	return &Host{
		dial: dial, groups: groups, patient: patience, began: time.Now(), acted: acted, ctx: ctx, cancel: cancel, wake: make(chan struct{}, 1),
	}
}

// Begin begins the workload.
func (h *Host) Begin(o across.Options, groups []across.Group) {
	h.Load = across.New(o, h, groups)
	h.post(h.Load.Begin)
	h.under.Go(h.run)
}

// run calls what is due, one after the other.
func (h *Host) run() {
	for h.ctx.Err() == nil {
		h.mu.Lock()
		due := h.due
		h.due = nil
		h.mu.Unlock()
		for _, do := range due {
			do()
		}
		if len(due) > 0 {
			continue
		}
		select {
		case <-h.wake:
		case <-h.ctx.Done():
		}
	}
}

func (h *Host) post(do func()) {
	h.mu.Lock()
	h.due = append(h.due, do)
	h.mu.Unlock()
	select {
	case h.wake <- struct{}{}:
	default: // the goroutine will look anyway
	}
}

// Ask calls a function of the workload on its goroutine, and waits for it; false if the host was closed.
func (h *Host) Ask(do func(*across.Load)) bool {
	done := make(chan struct{})
	h.post(func() {
		do(h.Load)
		close(done)
	})
	select {
	case <-done:
		return true
	case <-h.ctx.Done():
		return false
	}
}

// Close ends all sessions, and waits for them.
func (h *Host) Close() {
	h.cancel()
	h.under.Wait()
}

// After implements across.Host.
func (h *Host) After(d time.Duration, do func()) { time.AfterFunc(d, func() { h.post(do) }) }

// Elapse implements across.Host: real clocks cannot be set.
func (h *Host) Elapse(d time.Duration, do func()) { h.After(d, do) }

// Now implements across.Host.
func (h *Host) Now() time.Duration { return time.Since(h.began) }

// Wall implements across.Host.
func (h *Host) Wall() time.Time { return time.Now() }

// Join implements across.Host.
func (h *Host) Join() across.Program {
	p := &program{h: h, number: h.programs}
	h.programs++
	p.Start()
	return p
}

// program implements across.Program. Its fields belong to the host's goroutine.
type program struct {
	h      *Host
	number int
	life   int
	ctx    context.Context
	cancel context.CancelFunc
	lines  []*line // by group
	midway bool    // it dies with the next operation
}

// line is a session, from when it is being dialled on.
type line struct {
	up      chan struct{}
	session Session
	err     error
}

// Start implements across.Program.
func (p *program) Start() {
	if p.cancel != nil {
		p.cancel()
	}
	p.ctx, p.cancel = context.WithCancel(p.h.ctx)
	p.lines, p.midway = nil, false
	for group := range p.h.groups {
		l := &line{up: make(chan struct{})}
		p.lines = append(p.lines, l)
		ctx := p.ctx
		p.h.under.Go(func() { l.open(ctx, p.h, p.number, group) })
	}
}

// open dials until there is a session, and closes it when the program ends.
func (l *line) open(ctx context.Context, h *Host, program, group int) {
	for ctx.Err() == nil {
		limited, cancel := context.WithTimeout(ctx, 10*time.Second)
		l.session, l.err = h.dial(limited, program, group)
		cancel()
		if l.err == nil {
			break
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
		}
	}
	close(l.up)
	if l.err == nil && l.session != nil {
		<-ctx.Done()
		_ = l.session.Close() // it was killed, so nobody cares how its links end
	}
}

// Do implements across.Program.
func (p *program) Do(group int, op []byte, done func(result []byte)) {
	began := time.Now()
	p.ask(group, func(ctx context.Context, s Session) (answer func()) {
		result, _, err := s.Call(ctx, op, false)
		if err != nil {
			return func() { done(nil) }
		}
		p.h.acted(group, began)
		return func() { done(result) }
	}, func() { done(nil) })
	if p.midway { // while the frames are on their way
		p.midway = false
		life, after := p.life, time.Duration(rand.Int64N(int64(3*time.Millisecond)))
		p.h.After(after, func() {
			if life == p.life {
				p.Kill(false)
			}
		})
	}
}

// Attest implements across.Program.
func (p *program) Attest(group int, op []byte, done func(*attest.Certificate)) {
	p.ask(group, func(ctx context.Context, s Session) (answer func()) {
		c, err := s.Attest(ctx, op)
		if err != nil {
			return func() { done(nil) }
		}
		return func() { done(c) }
	}, func() { done(nil) })
}

// ask asks a group for something beside the host's goroutine, and calls the answer on it, unless the program was killed.
func (p *program) ask(group int, what func(context.Context, Session) (answer func()), failed func()) {
	if p.ctx.Err() != nil || p.h.ctx.Err() != nil {
		return
	}
	life, l, parent := p.life, p.lines[group], p.ctx
	p.h.under.Go(func() {
		ctx, cancel := context.WithTimeout(parent, p.h.patient)
		defer cancel()
		answer := failed
		select {
		case <-l.up:
			if l.err == nil && l.session != nil {
				answer = what(ctx, l.session)
			}
		case <-ctx.Done():
		}
		p.h.post(func() {
			if life == p.life {
				answer()
			}
		})
	})
}

// Kill implements across.Program.
func (p *program) Kill(midway bool) {
	if midway {
		p.midway = true
		return
	}
	p.life++
	p.cancel()
}

// Life implements across.Program.
func (p *program) Life() int { return p.life }
