package client

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"tagma/internal/session"
	"tagma/pbft/wire"
	"tagma/statemachine"
	"tagma/statemachine/memstore"
)

// counter counts how often its one operation is executed.
type counter struct{}

func (counter) Apply(tx statemachine.Txn, _ []byte) []byte {
	var n uint64
	if v, found := tx.Get([]byte("n")); found {
		n = binary.BigEndian.Uint64(v)
	}
	v := binary.BigEndian.AppendUint64(nil, n+1)
	tx.Put([]byte("n"), v)
	return v
}

func (counter) Query(statemachine.Reader, []byte) []byte { return nil }

// counting is a cluster whose four replicas share one real service. Every request that arrives becomes a batch of its
// own, unless it need not be ordered again (C3). Four answers are sent.
type counting struct {
	*fake
	service *statemachine.Service
	seq     uint64

	// Decides whether a transmission is lost; transmissions are counted from 1 over all requests, and one that goes
	// to all replicas counts once.
	loseRequest func(transmission int) bool
	loseReplies func(transmission int) bool
	sentAt      []time.Time
}

func withCounter(t *testing.T, limits statemachine.Limits, test func(*testing.T, *counting)) {
	t.Helper()
	withCluster(t, func(t *testing.T, f *fake) {
		service, err := statemachine.New(counter{}, memstore.New(), limits)
		if err != nil {
			t.Fatal(err)
		}
		never := func(int) bool { return false }
		c := &counting{fake: f, service: service, loseRequest: never, loseReplies: never}
		f.remake(func(of *session.Config) { of.Host = c })
		test(t, c)
		service.Close()
	})
}

// Send implements session.Host.
func (c *counting) Send(_ int, frame []byte) bool {
	message, err := wire.Decode(frame)
	if err != nil {
		c.t.Error(err)
	}
	r, ok := message.(*wire.Request)
	if !ok {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); len(c.sentAt) == 0 || c.sentAt[len(c.sentAt)-1] != now {
		c.sentAt = append(c.sentAt, now)
	}
	transmission := len(c.sentAt)
	if c.loseRequest(transmission) {
		return true
	}
	reply := c.execute(r)
	for i := range 4 {
		answer := wire.Encode(&wire.Reply{
			ID: r.ID, Request: reply.Request, Outcome: wire.Outcome(reply.Outcome), Seq: wire.Seq(reply.Seq), Results: reply.Results,
		})
		if !c.loseReplies(transmission) {
			time.AfterFunc(oneWay+time.Duration(i), func() { c.s.FromReplica(i, answer) })
		}
	}
	return true
}

func (c *counting) execute(r *wire.Request) statemachine.Reply {
	if reply, done := c.service.Lookup(r.ID.Client, uint64(r.ID.Session), r.ID.T, r.Digest()); done {
		return reply
	}
	c.seq++
	replies, err := c.service.Apply(statemachine.Batch{Seq: c.seq, Time: time.Now().UnixNano(), Requests: []statemachine.Request{{
		Client: r.ID.Client, Session: uint64(r.ID.Session), T: r.ID.T, AckedBelow: r.AckedBelow, Digest: r.Digest(), Ops: r.Ops,
	}}})
	if err != nil {
		c.t.Error(err)
	}
	return replies[0]
}

func (c *counting) transmissions() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.sentAt)
}

// executions returns how often the operation was executed. It executes one more operation to read the counter.
func (c *counting) executions() uint64 {
	none := func(int) bool { return false }
	c.set(func() { c.loseRequest, c.loseReplies = none, none })
	r, err := c.s.do(c.t.Context(), [][]byte{[]byte("count")}, session.Kind{})
	if err != nil {
		c.t.Fatal(err)
	}
	return binary.BigEndian.Uint64(r.Output()) - 1
}

// raise submits the operation once, and waits at most ten seconds for its result.
func (c *counting) raise(under Semantics) error {
	ctx, cancel := context.WithTimeout(c.t.Context(), 10*time.Second)
	defer cancel()
	_, err := c.s.do(ctx, [][]byte{[]byte("count")}, session.Kind{Semantics: session.Semantics(under)})
	return err
}

func TestC7_ExecutionsUnderLoss(t *testing.T) {
	all := func(int) bool { return true }
	first := func(transmission int) bool { return transmission <= 2 }
	for name, c := range map[string]struct {
		under             Semantics
		requests, replies func(int) bool
		least, most       uint64
		transmissions     int // 0: any number
		unknown           bool
	}{
		"exactly once, nothing is lost":            {under: ExactlyOnce, least: 1, most: 1, transmissions: 1},
		"exactly once, two requests are lost":      {under: ExactlyOnce, requests: first, least: 1, most: 1, transmissions: 3},
		"exactly once, two answers are lost":       {under: ExactlyOnce, replies: first, least: 1, most: 1, transmissions: 3},
		"exactly once, no answer comes in time":    {under: ExactlyOnce, replies: all, least: 1, most: 1, unknown: true},
		"at most once, nothing is lost":            {under: AtMostOnce, least: 1, most: 1, transmissions: 1},
		"at most once, the request is lost":        {under: AtMostOnce, requests: all, least: 0, most: 0, transmissions: 1, unknown: true},
		"at most once, the answer is lost":         {under: AtMostOnce, replies: all, least: 1, most: 1, transmissions: 1, unknown: true},
		"at least once, nothing is lost":           {under: AtLeastOnce, least: 1, most: 1, transmissions: 1},
		"at least once, two requests are lost":     {under: AtLeastOnce, requests: first, least: 1, most: 1, transmissions: 3},
		"at least once, two answers are lost":      {under: AtLeastOnce, replies: first, least: 3, most: 3, transmissions: 3},
		"best effort, nothing is lost":             {under: BestEffort, least: 1, most: 1, transmissions: 1},
		"best effort, the request is lost":         {under: BestEffort, requests: all, least: 0, most: 0, transmissions: 1},
		"best effort, nobody hears of the outcome": {under: BestEffort, replies: all, least: 1, most: 1, transmissions: 1},
	} {
		t.Run(name, func(t *testing.T) {
			withCounter(t, statemachine.Limits{}, func(t *testing.T, k *counting) {
				if c.requests != nil {
					k.loseRequest = c.requests
				}
				if c.replies != nil {
					k.loseReplies = c.replies
				}
				if err := k.raise(c.under); errors.Is(err, ErrUnknown) != c.unknown || !c.unknown && err != nil {
					t.Errorf("the caller is told %v", err)
				}
				<-time.After(time.Minute)
				if n := k.transmissions(); c.transmissions > 0 && n != c.transmissions {
					t.Errorf("transmitted %d times, want %d", n, c.transmissions)
				}
				if got := k.executions(); got < c.least || got > c.most {
					t.Errorf("executed %d times, want %d to %d", got, c.least, c.most)
				}
			})
		})
	}
}

// A best-effort call returns before any answer can have arrived. Close waits a moment, so that what was submitted is
// still sent.
func TestC7_BestEffortWaitsForNothing(t *testing.T) {
	withCounter(t, statemachine.Limits{}, func(t *testing.T, k *counting) {
		start := time.Now()
		if err := k.raise(BestEffort); err != nil || time.Since(start) != 0 {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		if k.s.linger(linger); time.Since(start) > 2*oneWay {
			t.Errorf("lingers for %v though it was answered", time.Since(start))
		}
		k.set(func() { k.loseReplies = func(int) bool { return true } })
		start = time.Now()
		_ = k.raise(BestEffort)
		if k.s.linger(linger); time.Since(start) != linger {
			t.Errorf("lingers for %v without an answer", time.Since(start))
		}
	})
}

func TestC7_BestEffortDoesNotWaitInLine(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.fill()
		if _, err := f.s.do(t.Context(), [][]byte{[]byte("a")}, session.Kind{Semantics: session.BestEffort}); !errors.Is(err, ErrNotSent) {
			t.Errorf("beyond the window: %v", err)
		}
		f.heal()
	})
}

// A request that is sent only once and is lost blocks the window only for a moment. If it arrives late, it is not
// executed.
func TestC7_WhatIsSentOnceDoesNotHoldTheWindow(t *testing.T) {
	for _, under := range []Semantics{AtMostOnce, BestEffort} {
		withCluster(t, func(t *testing.T, f *fake) {
			f.set(func() { f.answer = slices.Repeat([]func(wire.Reply) []wire.Reply{silent}, 4) })
			for range f.limits().Window {
				if _, err := f.s.submit(t.Context(), [][]byte{[]byte("lost")}, session.Kind{Semantics: session.Semantics(under)}); err != nil {
					t.Fatal(err)
				}
			}
			f.heal()
			start := time.Now()
			f.mustDo("b")
			if took := time.Since(start); took > passAfter+time.Second {
				t.Errorf("%v: another request waited %v", under, took)
			}
			if below := f.sendings(5)[0].request.AckedBelow; below < 2 {
				t.Errorf("%v: acknowledged below %d", under, below)
			}
		})
	}
}

func TestC7_AnAtMostOnceCallEndsByItself(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.set(func() { f.answer = slices.Repeat([]func(wire.Reply) []wire.Reply{silent}, 4) })
		call, err := f.s.submit(t.Context(), [][]byte{[]byte("lost")}, session.Kind{Semantics: session.AtMostOnce})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if _, err := call.Wait(t.Context()); !errors.Is(err, ErrUnknown) || time.Since(start) != lostAfter {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

// An at-least-once operation is sent in a new session if its own session has expired.
func TestC7_AtLeastOnceOutlivesItsSession(t *testing.T) {
	withCounter(t, statemachine.Limits{Sessions: 1}, func(t *testing.T, k *counting) {
		k.remake(func(of *session.Config) { of.Fresh = func(wire.Session) wire.Session { return testSession + 6 } })
		if err := k.raise(ExactlyOnce); err != nil {
			t.Fatal(err)
		}
		other := &wire.Request{ID: wire.RequestID{Client: k.key.Public(), Session: testSession + 5, T: 1}, AckedBelow: 1, Ops: [][]byte{[]byte("x")}}
		k.set(func() { k.execute(other) }) // another program with the same key executes an operation
		if err := k.raise(AtLeastOnce); err != nil {
			t.Errorf("at least once: %v", err)
		}
		if got := k.executions(); got != 3 {
			t.Errorf("%d executions, want three", got)
		}
		synctest.Wait()
		if k.s.core.ID() != testSession+6 {
			t.Errorf("in session %d", k.s.core.ID())
		}
	})
}

func TestSemantics_HaveNamesThatParse(t *testing.T) {
	for i, name := range SemanticsNames() {
		if s, err := ParseSemantics(name); err != nil || s != Semantics(i) || s.String() != name {
			t.Errorf("%q is %v, %v", name, s, err)
		}
	}
	if _, err := ParseSemantics("twice"); err == nil {
		t.Error("semantics without a name")
	}
}
