package client

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tagma/internal/session"
	"tagma/pbft/wire"
)

// log is an observer that records each of its calls.
type log struct {
	lines []string
	ends  []CallEnd
	again func() // called by End, if it is not nil
}

func (l *log) Start(_ context.Context, c CallInfo) CallObserver {
	l.lines = append(l.lines, fmt.Sprintf("start %d of %d bytes %v %v", c.Operations, c.Bytes, c.ReadOnly, c.Past))
	return l
}

func (l *log) Sent(t Transmission) {
	l.lines = append(l.lines, fmt.Sprintf("sent %d to %d attempt %d %v", t.Request.Number, t.Replica, t.Attempt, t.Hedged))
}

func (l *log) Answered(replica int, _ time.Time) {
	l.lines = append(l.lines, fmt.Sprintf("answered %d", replica))
}

func (l *log) End(e CallEnd) {
	l.lines = append(l.lines, fmt.Sprintf("end seq %d", e.Seq))
	l.ends = append(l.ends, e)
	if l.again != nil {
		l.again()
	}
}

// observed runs a test whose client has a log as its observer, against the fake cluster.
func observed(t *testing.T, test func(*testing.T, *fake, *log)) {
	withCluster(t, func(t *testing.T, f *fake) {
		l := &log{}
		f.s.observer = l
		test(t, f, l)
	})
}

func want(t *testing.T, l *log, lines ...string) {
	t.Helper()
	if fmt.Sprintf("%q", l.lines) != fmt.Sprintf("%q", lines) {
		t.Errorf("observed %q, want %q", l.lines, lines)
	}
	l.lines = nil
}

func TestObserver_SeesACallFromItsStartToItsEnd(t *testing.T) {
	observed(t, func(t *testing.T, f *fake, l *log) {
		r, err := f.s.do(t.Context(), [][]byte{[]byte("ab"), []byte("c")}, session.Kind{})
		if err != nil {
			t.Fatal(err)
		}
		who := l.lines[2:4:4]
		if n := len(l.lines); n != 5 || who[0][:9] != "answered " || who[1][:9] != "answered " || who[0] == who[1] {
			t.Errorf("observed %q, want the answers of two replicas", l.lines)
		}
		l.lines = append(l.lines[:2:2], l.lines[4:]...)
		want(t, l, "start 2 of 3 bytes false false", "sent 1 to 0 attempt 1 false", "end seq 1")
		e := l.ends[0]
		if e.Seq != r.Seq || e.Err != nil || e.Attempts != 1 || e.Transmissions != 1 || e.Queued != 0 || e.Latency < 2*oneWay || e.Request.Number != 1 {
			t.Errorf("%+v", e)
		}
	})
}

// An observer learns which replicas vouched for an outcome, and which had given another answer.
func TestObserver_SeesWhoVouched(t *testing.T) {
	observed(t, func(t *testing.T, f *fake, l *log) {
		f.set(func() {
			f.answer[2] = does(func(r *wire.Reply) { r.Results = [][]byte{[]byte("a lie")} })
			f.lag = []time.Duration{time.Second, 0, 0, time.Millisecond}
		})
		if _, err := f.s.do(t.Context(), [][]byte{[]byte("a")}, session.Kind{}); err != nil {
			t.Fatal(err)
		}
		if e := l.ends[0]; fmt.Sprint(e.Vouched, e.Differed) != "[1 3] [2]" {
			t.Errorf("vouched %v, differed %v", e.Vouched, e.Differed)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := f.s.do(ctx, [][]byte{[]byte("b")}, session.Kind{}); err == nil {
			t.Fatal("there is an outcome")
		}
		if e := l.ends[1]; e.Vouched != nil || e.Differed != nil {
			t.Errorf("without an outcome vouched %v, differed %v", e.Vouched, e.Differed)
		}
	})
}

func TestObserver_SeesWhatIsSentAgain(t *testing.T) {
	observed(t, func(t *testing.T, f *fake, l *log) {
		f.set(func() {
			for i := range f.answer {
				f.answer[i] = silent
			}
		})
		call, err := f.s.submit(t.Context(), [][]byte{[]byte("a")}, session.Kind{})
		if err != nil {
			t.Fatal(err)
		}
		<-time.After(firstTimeout + firstTimeout/4 + time.Millisecond)
		f.heal()
		if _, err := call.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		if e := l.ends[0]; e.Transmissions != 3 || e.Attempts != 1 || e.Err != nil {
			t.Errorf("%+v of %q", e, l.lines)
		}
	})
}

// An observer is told the end of a call only once. If the caller gives up, that is the end, and a later answer is not
// reported.
func TestObserver_TheEndIsToldOnce(t *testing.T) {
	observed(t, func(t *testing.T, f *fake, l *log) {
		f.set(func() {
			for i := range f.answer {
				f.answer[i] = silent
			}
		})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		if _, err := f.s.do(ctx, [][]byte{[]byte("a")}, session.Kind{}); !errors.Is(err, ErrUnknown) {
			t.Fatal(err)
		}
		f.heal()
		<-time.After(time.Minute)
		if len(l.ends) != 1 || !errors.Is(l.ends[0].Err, ErrUnknown) || l.ends[0].Latency != 10*time.Millisecond {
			t.Errorf("%+v", l.ends)
		}
		_, err := f.s.submit(t.Context(), nil, session.Kind{})
		if len(l.ends) != 2 || !errors.Is(l.ends[1].Err, ErrEmpty) || !errors.Is(err, ErrEmpty) || l.ends[1].Transmissions != 0 {
			t.Errorf("what was never sent: %v, %+v", err, l.ends)
		}
	})
}

// An observer may submit requests from within End. The client does not block.
func TestObserver_MaySubmitMore(t *testing.T) {
	observed(t, func(t *testing.T, f *fake, l *log) {
		l.again = func() {
			if len(l.ends) < 5 {
				if _, err := f.s.submit(t.Context(), [][]byte{[]byte("more")}, session.Kind{}); err != nil {
					t.Error(err)
				}
			}
		}
		if _, err := f.s.do(t.Context(), [][]byte{[]byte("first")}, session.Kind{}); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Minute)
		synctest.Wait()
		if len(l.ends) != 5 {
			t.Errorf("%d calls ended, want 5", len(l.ends))
		}
	})
}

func TestObserver_SeesQuestionsAboutThePastAndTheClose(t *testing.T) {
	observed(t, func(t *testing.T, f *fake, l *log) {
		c := &Client{shell: f.s}
		if _, err := c.QueryAt(t.Context(), make([]byte, 101), 7); !errors.Is(err, ErrTooLarge) {
			t.Fatal(err)
		}
		want(t, l, "start 1 of 101 bytes true true", "end seq 0")
		f.set(func() {
			for i := range f.answer {
				f.answer[i] = silent
			}
		})
		if _, err := c.Submit(t.Context(), []byte("a")); err != nil {
			t.Fatal(err)
		}
		f.s.close()
		if n := len(l.ends); n != 2 || !errors.Is(l.ends[1].Err, ErrClosed) {
			t.Errorf("closed under way: %+v", l.ends)
		}
	})
}

// nobody is an observer that does not want to observe any call.
type nobody struct{}

func (nobody) Start(context.Context, CallInfo) CallObserver { return nil }

// answering is a cluster of which replicas 0 and 1 answer every request at once.
type answering struct{ s *shell }

func (a *answering) Open([]byte) {}

func (a *answering) Send(_ int, frame []byte) bool {
	message, err := wire.Decode(frame)
	if r, ok := message.(*wire.Request); err == nil && ok {
		reply := wire.Encode(&wire.Reply{ID: r.ID, Request: r.Digest(), Outcome: wire.OutcomeExecuted, Seq: 1, Results: [][]byte{nil}})
		go func() {
			a.s.FromReplica(0, reply)
			a.s.FromReplica(1, reply)
		}()
	}
	return true
}

func benchmarkCalls(b *testing.B, o Observer) {
	a := &answering{}
	a.s = newShell(session.Config{
		Replicas: 4, Weak: 2, Limits: limits(64).Choose(1, 0), ID: 1, Host: a, NoHedging: true,
		Sign:   func([]byte) (wire.Signature, error) { return wire.Signature{}, nil },
		Random: rand.New(rand.NewPCG(1, 2)),
	}, ExactlyOnce)
	a.s.observer = o
	for i := range 3 {
		word, _ := session.HearMessage(&wire.Attached{Session: 1})
		a.s.core.Receive(0, i, word)
	}
	var running sync.WaitGroup
	running.Go(a.s.run)
	ops := [][]byte{[]byte("op")}
	for b.Loop() {
		if _, err := a.s.do(b.Context(), ops, session.Kind{}); err != nil {
			b.Fatal(err)
		}
	}
	a.s.close()
	running.Wait()
}

// BenchmarkObserver compares, alternately, calls without an observer with calls whose observer does not want to
// observe any.
func BenchmarkObserver(b *testing.B) {
	for _, turn := range []int{1, 2, 3} {
		for name, o := range map[string]Observer{"unset": nil, "nobody": nobody{}} {
			b.Run(fmt.Sprintf("%s/%d", name, turn), func(b *testing.B) {
				benchmarkCalls(b, o)
			})
		}
	}
}
