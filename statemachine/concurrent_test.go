package statemachine_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"tagma/statemachine"
)

// This test is meant for the race detector. It also fails without it: a concurrent reader must see each batch completely
// or not at all.
func TestC3_LookupsAndQueriesRunBesideExecution(t *testing.T) {
	r := newReplica(t, statemachine.Limits{})
	r.batch(ask(1, 1, "count n", "count m"))
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				at := r.Executed()
				result, err := r.Query([]byte("all"), at)
				dots := strings.Repeat(".", int(at))
				if want := "m=" + dots + " n=" + dots + " "; err != nil || string(result) != want {
					t.Errorf("at %d: %q, %v, want %q", at, result, err, want)
					return
				}
				q := ask(1, at, "count n", "count m")
				if reply, known := r.Lookup(q.Client, q.Session, q.T, q.Digest); !known || reply.Seq != at {
					t.Errorf("batch %d is executed, but looked up as %v at %d", at, reply.Outcome, reply.Seq)
					return
				}
			}
		})
	}
	for seq := uint64(2); seq <= 300; seq++ {
		r.batch(ask(1, seq, "count n", "count m"))
		if seq%7 == 0 {
			if err := r.Flush(); err != nil {
				t.Error(err)
			}
		}
	}
	close(done)
	readers.Wait()
}

func TestC9_QueriesOfPastStatesEndAtWhatIsRetained(t *testing.T) {
	r := newReplica(t, statemachine.Limits{})
	for seq := uint64(1); seq <= 6; seq++ {
		r.batch(ask(1, seq, fmt.Sprintf("put k %d", seq)))
		if seq == 4 {
			r.root()
		}
	}
	r.store.Discard(2)
	for at, want := range []string{2: "k=2 ", 3: "k=3 ", 4: "k=4 ", 5: "k=5 ", 6: "k=6 "} {
		if at < 2 {
			continue
		}
		if got, err := r.Query([]byte("all"), uint64(at)); err != nil || string(got) != want {
			t.Errorf("at %d: got %q, %v, want %q", at, got, err, want)
		}
	}
	if _, err := r.Query([]byte("all"), 1); !errors.Is(err, statemachine.ErrNotRetained) {
		t.Errorf("below what is retained: %v", err)
	}
	if _, err := r.Query([]byte("all"), 7); !errors.Is(err, statemachine.ErrNotExecuted) {
		t.Errorf("above what is executed: %v", err)
	}
	got, err := r.Query([]byte("panic"), 6)
	if err != nil || !errors.Is(statemachine.Failure(got), statemachine.ErrPanicked) {
		t.Errorf("a query that panics: %q, %v", got, err)
	}
}

func TestRange_SeesWhatItsLoopWritesAheadWhateverIsFlushed(t *testing.T) {
	for _, flush := range []bool{false, true} {
		r := newReplica(t, statemachine.Limits{})
		r.batch(ask(1, 1, "put a 1", "put axz 2", "put b 3"))
		if flush {
			r.restart(flushed(r))
		}
		expect(t, r.batch(ask(1, 2, "fill a b", "range a z")),
			"executed@2[ a=1 ax= axx= axxx= axxxx= axz=2 axzx= axzxx= b=3 ]")
	}
}

func TestLoad_RefusesSessionsWithoutTheirRecords(t *testing.T) {
	for what, write := range map[string]statemachine.Write{
		"a session without its client":  {Key: append([]byte{'c'}, make([]byte, 32)...), Delete: true},
		"a client without its session":  {Key: append([]byte{'s'}, make([]byte, 40)...), Delete: true},
		"a malformed client":            {Key: append([]byte{'c'}, make([]byte, 32)...), Value: []byte{9}},
		"a malformed session":           {Key: append([]byte{'s'}, make([]byte, 40)...), Value: []byte{9}},
		"a malformed time":              {Key: []byte("mtime"), Value: []byte{9}},
		"a client key of another size":  {Key: []byte("c"), Value: []byte{9}},
		"a session key of another size": {Key: []byte("s"), Value: []byte{9}},
	} {
		r := newReplica(t, statemachine.Limits{})
		one := ask(1, 1, "put k v")
		one.Client = [32]byte{}
		r.batch(one)
		r.root()
		if len(write.Key) == 41 {
			write.Key[40] = 1
		}
		if err := r.store.Write([]statemachine.WriteSet{{Seq: 2, Writes: []statemachine.Write{write}}}); err != nil {
			t.Fatal(err)
		}
		if err := r.Load(2); err == nil {
			t.Errorf("%s was loaded", what)
		}
		if err := r.Load(1); err != nil {
			t.Errorf("the state before it: %v", err)
		}
	}
}
