package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tagma/pbft/wire"
	"tagma/statemachine"
	"tagma/statemachine/memstore"
)

func TestC9_AQuerysOutcomeSaysWhatTheStateIs(t *testing.T) {
	outcomes := map[wire.Seq]wire.QueryOutcome{3: wire.QueryAnswered, 1: wire.QueryNotRetained, 9: wire.QueryNotExecuted}
	ask := func(_ <-chan struct{}, op []byte, at uint64) ([]byte, error) {
		switch at {
		case 1:
			return nil, fmt.Errorf("view: %w", statemachine.ErrNotRetained)
		case 9:
			return nil, fmt.Errorf("query: %w", statemachine.ErrNotExecuted)
		case 7:
			return nil, errors.New("the disk is gone")
		}
		return op, nil
	}
	q := newQueries(ask, func() bool { return false }, still, slog.New(slog.DiscardHandler))
	for at, want := range outcomes {
		got, ok := q.answer(t.Context(), wire.PublicKey{1}, &wire.Query{Nonce: 5, At: at, Op: []byte("op")})
		if !ok || got.Nonce != 5 || got.At != at || got.Outcome != want || (len(got.Result) > 0) != (want == wire.QueryAnswered) {
			t.Errorf("at %d: %+v, %v; want outcome %d", at, got, ok, want)
		}
	}
	if got, ok := q.answer(t.Context(), wire.PublicKey{1}, &wire.Query{At: 7}); ok {
		t.Errorf("a storage that fails gives %+v", got)
	}
	q.silent = func() bool { return true }
	if got, ok := q.answer(t.Context(), wire.PublicKey{1}, &wire.Query{At: 3}); ok {
		t.Errorf("K2: a state that contradicts a stable checkpoint gives %+v", got)
	}
}

// still is the last executed sequence number of a replica that executes no batches.
func still() wire.Seq { return 0 }

// C9: while batches are executed, a client must rest after a read of the past for restTimes as long as the read took,
// however many links it has; other clients need not wait. While nothing is executed, no client has to rest.
func TestC9_AClientRestsAfterItsReadsOfThePast(t *testing.T) {
	const took = 100 * time.Millisecond
	for _, busy := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			at := wire.Seq(0)
			ask := func(<-chan struct{}, []byte, uint64) ([]byte, error) {
				<-time.After(took) // in the virtual time of the test
				return nil, nil
			}
			q := newQueries(ask, func() bool { return false }, func() wire.Seq {
				if busy {
					at++
				}
				return at
			}, slog.New(slog.DiscardHandler))
			<-time.After(2 * idle)
			began := time.Now()
			read := func(client byte) time.Duration {
				if _, ok := q.answer(t.Context(), wire.PublicKey{client}, &wire.Query{}); !ok {
					t.Error("not answered")
				}
				return time.Since(began)
			}
			first := read(1)
			other := read(2)
			second := read(1)
			want := 2 * took // the rest for the other client's read, and for its own
			if want += took; busy {
				want = took + restTimes*took + took
			}
			if first != took || other != 2*took || second != want {
				t.Errorf("busy %t: read after %v, another client after %v, again after %v, want %v", busy, first, other, second, want)
			}
			if n := len(q.rests.until); (n == 1) != busy {
				t.Errorf("busy %t: %d rests are kept, and one client has not rested at most", busy, n)
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if _, ok := q.answer(ctx, wire.PublicKey{1}, &wire.Query{}); ok && busy {
				t.Error("a link that has ended waited for its turn")
			}
		})
	}
}

func TestC9_AFewQueriesRunAtOnceAndTheOthersWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var mu sync.Mutex
		running := 0
		ask := func(<-chan struct{}, []byte, uint64) ([]byte, error) {
			mu.Lock()
			running++
			mu.Unlock()
			<-release
			return nil, nil
		}
		q := newQueries(ask, func() bool { return false }, still, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		answered := 0
		for i := range queriesAtOnce + 3 {
			all.Go(func() {
				_, ok := q.answer(ctx, wire.PublicKey{byte(i)}, &wire.Query{})
				mu.Lock()
				defer mu.Unlock()
				if ok {
					answered++
				}
			})
		}
		synctest.Wait()
		if running != queriesAtOnce {
			t.Errorf("%d queries run, want %d", running, queriesAtOnce)
		}
		cancel() // the waiting reads give up
		synctest.Wait()
		close(release)
		all.Wait()
		if answered != queriesAtOnce {
			t.Errorf("%d queries were answered, want %d", answered, queriesAtOnce)
		}
	})
}

// C9, S4: a client that reads the past over many links gets only its share, and clients take turns: each waits for at most
// one turn of each client that waited before it.
func TestS4_ReadsOfThePastTakeTurnsByClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var noting sync.Mutex // needed because at the end of the test reads begin concurrently
		var began []byte      // the client of each read that began
		step := make(chan struct{})
		ask := func(_ <-chan struct{}, op []byte, _ uint64) ([]byte, error) {
			noting.Lock()
			began = append(began, op[0])
			noting.Unlock()
			<-step
			return nil, nil
		}
		q := newQueries(ask, func() bool { return false }, still, slog.New(slog.DiscardHandler))
		var all sync.WaitGroup
		reads := func(client byte, n int) {
			for range n {
				all.Go(func() { q.answer(t.Context(), wire.PublicKey{client}, &wire.Query{Op: []byte{client}}) })
				synctest.Wait()
			}
		}
		expect := func(want string) {
			t.Helper()
			synctest.Wait()
			if string(began) != want {
				t.Errorf("reads began for %q, want %q", began, want)
			}
		}
		reads('a', 64)
		expect("aa") // its share
		reads('b', 1)
		expect("aab") // b's read begins at once, although many reads of a wait
		reads('c', 64)
		expect("aabc")
		reads('d', 2)
		reads('e', 1)
		expect("aabc")
		for range 4 {
			step <- struct{}{}
			synctest.Wait()
		}
		// In whatever order reads end, a, c, d and e get one turn each before any of them gets its next one.
		rest := slices.Sorted(slices.Values(began[4:8]))
		if string(rest) != "acde" {
			t.Errorf("then reads began for %q", began[4:])
		}
		close(step)
		all.Wait()
		if free, held, queues := q.turns.free, len(q.turns.held), len(q.turns.queues); free != queriesAtOnce || held+queues != 0 {
			t.Errorf("in the end %d places are free, %d clients hold one and %d wait", free, held, queues)
		}
	})
}

// C9: when a link ends, its running read gives up its place, and its waiting read is removed.
func TestC9_AReadForNobodyEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ask := func(stop <-chan struct{}, _ []byte, _ uint64) ([]byte, error) {
			<-stop
			return nil, fmt.Errorf("query: %w", statemachine.ErrStopped)
		}
		q := newQueries(ask, func() bool { return false }, still, slog.New(slog.DiscardHandler))
		begun := time.Now()
		link, goes := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() { q.answer(link, wire.PublicKey{1}, &wire.Query{}) })
		}
		synctest.Wait()
		goes()
		all.Wait()
		if took := time.Since(begun); took > 0 || q.turns.free != queriesAtOnce || len(q.turns.queues) > 0 {
			t.Errorf("after %v %d places are free and %d clients wait", took, q.turns.free, len(q.turns.queues))
		}
	})
}

// C9, S4: a query that would take for ever is ended after queryPatience. If the node ends, it is ended at once.
func TestC9_AQueryThatTakesTooLongIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		endless, err := statemachine.New(forever{}, memstore.New(), statemachine.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		q := newQueries(endless.QueryUntil, func() bool { return false }, still, slog.New(slog.DiscardHandler))
		begun := time.Now()
		if _, ok := q.answer(t.Context(), wire.PublicKey{1}, &wire.Query{Op: []byte("op")}); ok || time.Since(begun) > queryPatience+time.Second {
			t.Errorf("answered %t after %v", ok, time.Since(begun))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun = time.Now()
		if _, ok := q.answer(ctx, wire.PublicKey{1}, &wire.Query{Op: []byte("op")}); ok || time.Since(begun) > 2*time.Second {
			t.Errorf("answered %t %v after it began, when the node ended after one second", ok, time.Since(begun))
		}
	})
}

// C9, S4: a read that hangs without reading from the store cannot be ended. Its link and the end of the node do not wait
// for it. Up to a bound, others get its place. Its client has one place less until the read ends.
func TestS4_AReadThatHangsKeepsNobodyElseFromReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		ask := func(_ <-chan struct{}, op []byte, _ uint64) ([]byte, error) {
			if len(op) > 0 {
				<-release
			}
			return nil, nil
		}
		q := newQueries(ask, func() bool { return false }, still, slog.New(slog.DiscardHandler))
		var all sync.WaitGroup
		hangs := func(client byte) {
			for range queriesPerClient {
				all.Go(func() {
					if _, ok := q.answer(t.Context(), wire.PublicKey{client}, &wire.Query{Op: []byte("hang")}); ok {
						t.Error("a read that hangs was answered")
					}
				})
			}
			synctest.Wait()
		}
		reads := func(client byte) bool {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			_, ok := q.answer(ctx, wire.PublicKey{client}, &wire.Query{})
			return ok
		}
		hangs(1)
		hangs(2)
		begun := time.Now()
		if !reads(3) || time.Since(begun) != queryPatience+queryGrace {
			t.Errorf("another client's read took %v", time.Since(begun))
		}
		all.Wait() // the links go on
		if q.hung() != 4 || reads(1) {
			t.Errorf("%d reads hang, and their client reads on", q.hung())
		}
		hangs(4)
		hangs(5)
		all.Wait()
		if q.hung() != queriesAtOnce+queriesReplaced || reads(3) {
			t.Errorf("%d reads hang, and others run beside them", q.hung())
		}
		close(release)
		synctest.Wait()
		if free, held := q.turns.free, len(q.turns.held); q.hung() != 0 || free != queriesAtOnce || held != 0 || !reads(1) {
			t.Errorf("in the end %d reads hang, %d places are free, %d clients hold one", q.hung(), free, held)
		}
	})
}

// A node stops in bounded time although a read of a past state hangs. It returns an error that says so, and everything
// is written.
func TestC9_AReadThatHangsDoesNotHoldUpTheEnd(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small)
	let := make(chan struct{})
	var out lines
	for i := range b.nodes {
		b.start(i, Options{Machine: hanging{let: let}, Logger: slog.New(slog.NewTextHandler(&out, nil))})
	}
	l := b.load()
	l.put(10, 8)
	b.level(4)
	for _, n := range b.nodes {
		go func() {
			err := statemachine.ErrNotExecuted // reports may be a tick old, so a replica may not have executed 10 yet
			for errors.Is(err, statemachine.ErrNotExecuted) {
				_, err = n.queryUntil(nil, []byte("endless"), 10)
			}
		}()
	}
	b.until("all read", func([]Report) bool {
		for _, n := range b.nodes {
			i := n.instance.Load()
			if i.reading.TryLock() {
				i.reading.Unlock()
				return false
			}
		}
		return true
	})
	nodes := slices.Clone(b.nodes)
	b.stopAll()
	if !out.contain(errReadsLeft.Error()) {
		t.Errorf("not told: %s", out.text())
	}
	close(let)
	for _, n := range nodes {
		n.lingering.Wait()
	}
	b.startAll()
	l.renew()
	l.check(8)
}

// forever reads the same key again and again, for at least an hour.
type forever struct{}

func (forever) Apply(statemachine.Txn, []byte) []byte { return nil }

func (forever) Query(r statemachine.Reader, _ []byte) []byte {
	for range 36_000 {
		<-time.After(100 * time.Millisecond)
		r.Get([]byte("k"))
		for range r.Range(nil, nil) {
			continue
		}
	}
	return nil
}
