package node

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/statemachine"
	"tagma/statemachine/memstore"
)

// endless is an application whose operations end only when the test allows it.
type endless struct{ let chan struct{} }

func (e endless) Apply(statemachine.Txn, []byte) []byte { <-e.let; return nil }

func (endless) Query(statemachine.Reader, []byte) []byte { return nil }

// A batch that does not end is logged once, with the stack of the code in which it hangs. It does not count as executed.
func TestABatchThatDoesNotEndIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, _, done := newTestExecutor(t, memstore.New())
		let := make(chan struct{})
		service, err := statemachine.New(endless{let}, memstore.New(), statemachine.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		x.executor.Service = service
		var out lines
		ctx, stop := context.WithCancel(t.Context())
		go x.watchStuck(ctx, slog.New(slog.NewTextHandler(&out, nil)))
		ended := make(chan error)
		go func() { ended <- x.run(ctx) }()
		x.Do(port.Execute{Seq: 1, Body: body(1)})
		<-time.After(stuckAfter / 2)
		synctest.Wait() // by then all goroutines that were due at this moment have run
		if _, took := x.executing(); took != stuckAfter/2 || out.text() != "" {
			t.Errorf("after %v: %v, %q", stuckAfter/2, took, out.text())
		}
		<-time.After(5 * stuckAfter)
		synctest.Wait()
		seq, took := x.executing()
		if text := out.text(); seq != 1 || took != 11*stuckAfter/2 || strings.Count(text, "does not end") != 1 ||
			!strings.Contains(text, "endless.Apply") {
			t.Errorf("after a while: batch %d, %v, %s", seq, took, text)
		}
		if len(done) != 0 {
			t.Error("it counts as executed")
		}
		close(let)
		synctest.Wait()
		if seq, took := x.executing(); seq != 0 || took != 0 || len(done) != 1 {
			t.Errorf("at its end: batch %d, %v, %d reports", seq, took, len(done))
		}
		stop()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	})
}

// A read of a past state that does not end is logged, with its client and the stack of the code in which it hangs.
func TestC9_AReadThatDoesNotEndIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		let := make(chan struct{})
		service, err := statemachine.New(hanging{let: let}, memstore.New(), statemachine.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		var out lines
		q := newQueries(service.QueryUntil, func() bool { return false }, still, slog.New(slog.NewTextHandler(&out, nil)))
		if _, ok := q.answer(t.Context(), wire.PublicKey{7}, &wire.Query{Op: []byte("endless")}); ok || q.hung() != 1 {
			t.Errorf("answered %t, %d reads hang", ok, q.hung())
		}
		if text := out.text(); strings.Count(text, "does not end") != 1 || !strings.Contains(text, "client=07") ||
			!strings.Contains(text, "hanging.Query") {
			t.Errorf("it says %s", text)
		}
		close(let)
		synctest.Wait()
		if q.hung() != 0 {
			t.Error("it counts for ever")
		}
	})
}
