package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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
	q := newQueries(ask, func() bool { return false }, slog.New(slog.DiscardHandler))
	for at, want := range outcomes {
		got, ok := q.answer(t.Context(), &wire.Query{Nonce: 5, At: at, Op: []byte("op")})
		if !ok || got.Nonce != 5 || got.At != at || got.Outcome != want || (len(got.Result) > 0) != (want == wire.QueryAnswered) {
			t.Errorf("at %d: %+v, %v; want outcome %d", at, got, ok, want)
		}
	}
	if got, ok := q.answer(t.Context(), &wire.Query{At: 7}); ok {
		t.Errorf("a storage that fails gives %+v", got)
	}
	q.silent = func() bool { return true }
	if got, ok := q.answer(t.Context(), &wire.Query{At: 3}); ok {
		t.Errorf("K2: a state that contradicts a stable checkpoint gives %+v", got)
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
		q := newQueries(ask, func() bool { return false }, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		answered := 0
		for range queriesAtOnce + 3 {
			all.Go(func() {
				_, ok := q.answer(ctx, &wire.Query{})
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
		cancel() // those that wait give up
		synctest.Wait()
		close(release)
		all.Wait()
		if answered != queriesAtOnce {
			t.Errorf("%d queries were answered, want %d", answered, queriesAtOnce)
		}
	})
}

// C9, S4: a query that would take for ever gives its turn up after a while, and at once when the node ends.
func TestC9_AQueryThatTakesTooLongIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		endless, err := statemachine.New(forever{}, memstore.New(), statemachine.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		q := newQueries(endless.QueryUntil, func() bool { return false }, slog.New(slog.DiscardHandler))
		begun := time.Now()
		if _, ok := q.answer(t.Context(), &wire.Query{Op: []byte("op")}); ok || time.Since(begun) > queryPatience+time.Second {
			t.Errorf("answered %t after %v", ok, time.Since(begun))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun = time.Now()
		if _, ok := q.answer(ctx, &wire.Query{Op: []byte("op")}); ok || time.Since(begun) > 2*time.Second {
			t.Errorf("answered %t %v after it began, when the node ended after one second", ok, time.Since(begun))
		}
	})
}

// forever reads the same key again and again, for an hour at least.
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
