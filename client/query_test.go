package client

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tagma/internal/session"
	"tagma/pbft/wire"
)

// archive stands for four replicas. Each answers queries as the function at its place in reply says, after the time
// of a round trip.
type archive struct {
	t     *testing.T
	s     *shell
	reply []func(q *wire.Query) *wire.QueryReply // nil: silent

	mu    sync.Mutex
	asked []int
}

// Open implements session.Host.
func (*archive) Open([]byte) {}

// Send implements session.Host.
func (a *archive) Send(to int, frame []byte) bool {
	message, err := wire.Decode(frame)
	if err != nil {
		a.t.Errorf("the client sent what does not decode: %v", err)
		return true
	}
	a.mu.Lock()
	a.asked[to]++
	a.mu.Unlock()
	q := message.(*wire.Query)
	if m := a.reply[to](q); m != nil {
		answer := wire.Encode(m)
		time.AfterFunc(2*oneWay, func() { a.s.FromReplica(to, answer) })
	}
	return true
}

func says(outcome wire.QueryOutcome, result string) func(*wire.Query) *wire.QueryReply {
	return func(q *wire.Query) *wire.QueryReply {
		return &wire.QueryReply{Nonce: q.Nonce, At: q.At, Outcome: outcome, Result: []byte(result)}
	}
}

func mute(*wire.Query) *wire.QueryReply { return nil }

var (
	right = says(wire.QueryAnswered, "right")
	wrong = says(wire.QueryAnswered, "wrong")
	gone  = says(wire.QueryNotRetained, "")
	ahead = says(wire.QueryNotExecuted, "")
)

// withArchive runs a test against four replicas in virtual time.
func withArchive(t *testing.T, test func(*testing.T, *Client, *archive), replies ...func(*wire.Query) *wire.QueryReply) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		a := &archive{t: t, reply: replies, asked: make([]int, 4)}
		a.s = newShell(session.Config{Replicas: 4, Weak: 2, Limits: session.Limits{OpBytes: 100}, Host: a}, ExactlyOnce)
		var running sync.WaitGroup
		running.Go(a.s.run)
		test(t, &Client{shell: a.s}, a)
		a.s.close()
		running.Wait()
	})
}

func TestC9_AQueryIsBelievedOnTwoEqualAnswersOfFour(t *testing.T) {
	for name, c := range map[string]struct {
		replies []func(*wire.Query) *wire.QueryReply
		result  string
		err     error
	}{
		"all alike":                  {[]func(*wire.Query) *wire.QueryReply{right, right, right, right}, "right", nil},
		"one liar":                   {[]func(*wire.Query) *wire.QueryReply{wrong, right, mute, right}, "right", nil},
		"a liar says it is not kept": {[]func(*wire.Query) *wire.QueryReply{gone, right, mute, right}, "right", nil},
		"one has given it up":        {[]func(*wire.Query) *wire.QueryReply{gone, right, right, mute}, "right", nil},
		"two have given it up":       {[]func(*wire.Query) *wire.QueryReply{gone, mute, gone, right}, "", ErrNotRetained},
		"nobody is there yet":        {[]func(*wire.Query) *wire.QueryReply{ahead, ahead, ahead, mute}, "", ErrNotExecuted},
		"a liar and one that lags":   {[]func(*wire.Query) *wire.QueryReply{ahead, ahead, right, right}, "right", nil},
		"too few alike":              {[]func(*wire.Query) *wire.QueryReply{right, wrong, gone, ahead}, "", context.DeadlineExceeded},
		"two of four are not there":  {[]func(*wire.Query) *wire.QueryReply{ahead, ahead, right, mute}, "", context.DeadlineExceeded},
	} {
		withArchive(t, func(t *testing.T, client *Client, _ *archive) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			got, err := client.QueryAt(ctx, []byte("op"), 7)
			if string(got) != c.result || !errors.Is(err, c.err) {
				t.Errorf("%s: %q, %v; want %q, %v", name, got, err, c.result, c.err)
			}
		}, c.replies...)
	}
}

func TestC9_TheLastWordOfAReplicaCounts(t *testing.T) {
	var caughtUp atomic.Bool
	lagging := func(q *wire.Query) *wire.QueryReply {
		if caughtUp.Load() {
			return right(q)
		}
		return ahead(q)
	}
	withArchive(t, func(t *testing.T, client *Client, a *archive) {
		time.AfterFunc(300*time.Millisecond, func() { caughtUp.Store(true) })
		got, err := client.QueryAt(t.Context(), []byte("op"), 7)
		if string(got) != "right" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		if a.asked[0] != 1 || a.asked[1] < 2 {
			t.Errorf("asked %v times: who has answered is asked once, who lags again", a.asked)
		}
	}, right, lagging, mute, wrong)
}

// A replica has one vote, even if it answers several times, or answers another query or another sequence number.
func TestC9_NoReplicaCountsTwice(t *testing.T) {
	withArchive(t, func(t *testing.T, client *Client, a *archive) {
		a.reply[0] = func(q *wire.Query) *wire.QueryReply {
			for _, m := range []*wire.QueryReply{wrong(q), wrong(q), {Nonce: q.Nonce + 1, At: q.At, Outcome: 1}, {Nonce: q.Nonce, At: 8, Outcome: 1}} {
				time.AfterFunc(oneWay, func() { a.s.FromReplica(0, wire.Encode(m)) })
			}
			return wrong(q)
		}
		if got, err := client.QueryAt(t.Context(), []byte("op"), 7); string(got) != "right" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		if !a.s.core.Idle() {
			t.Error("the question is still open")
		}
	}, nil, right, mute, right)
}

// A sequence number above the highest that a message may contain is not sent: the replicas would close the client's
// link.
func TestQueryAt_WhatNoClusterReachesIsNotAskedFor(t *testing.T) {
	withArchive(t, func(t *testing.T, client *Client, a *archive) {
		for _, at := range []uint64{uint64(wire.MaxSeq) + 1, 1<<64 - 1} {
			if _, err := client.QueryAt(t.Context(), []byte("op"), at); !errors.Is(err, ErrNotExecuted) || a.asked[0] != 0 {
				t.Errorf("at %d: %v, asked %v times", at, err, a.asked)
			}
		}
		if _, err := client.QueryAt(t.Context(), []byte("op"), uint64(wire.MaxSeq)); err != nil {
			t.Errorf("at the limit: %v", err)
		}
	}, right, right, right, right)
}

func TestQueryAt_EndsWithTheClientAndKeepsTheLimits(t *testing.T) {
	withArchive(t, func(t *testing.T, client *Client, a *archive) {
		time.AfterFunc(time.Second, a.s.close)
		if _, err := client.QueryAt(t.Context(), []byte("op"), 7); !errors.Is(err, ErrClosed) {
			t.Errorf("closed meanwhile: %v", err)
		}
		if _, err := client.QueryAt(t.Context(), make([]byte, 101), 7); !errors.Is(err, ErrTooLarge) {
			t.Errorf("too large: %v", err)
		}
	}, mute, mute, mute, mute)
}
