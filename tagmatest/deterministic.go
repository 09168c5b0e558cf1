package tagmatest

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tagma/statemachine"
)

// Deterministic fails the test if the operations do not do the same on every replica. It executes them in order, as one
// history of batches, on several machines made by newMachine. It compares results and states after every batch of four,
// each of which another client sends. It also executes each operation as a query. The failure names the first operation
// that differed, and why:
//
//   - Two machines differ under the same conditions: the machine depends on the order of a map, on randomness, on a
//     goroutine or on a variable of its package.
//   - A machine differs if its computer has another time: it reads the clock, instead of [statemachine.Reader.Time].
//   - A machine differs if it was replaced by a new one in between, which has only the state: it keeps state in a field.
//   - A machine differs if the same operations come in other requests: it keeps something from one operation to the next.
//
// It also fails if an operation panics, ends its goroutine with runtime.Goexit, changes the bytes of the operation, or
// makes no progress in ten seconds of real time. An operation that does not end runs on until the test binary ends.
//
// Only what the given operations reach is tested. So give all kinds of operations, on keys that several of them use,
// and enough entries in each map that their order can differ.
func Deterministic(t *testing.T, newMachine func() statemachine.Machine, ops [][]byte) {
	t.Helper()
	if len(ops) == 0 {
		t.Fatal("Deterministic: no operations were given")
	}
	if why := examine(t, newMachine, ops, 8); why != "" {
		t.Fatal(why)
	}
}

// Fuzz is the body of a fuzz test: each input is three operations, which are tested as by [Deterministic]. Seeds are
// the operations to begin with; give one of each kind.
//
//	func FuzzCounter(f *testing.F) { tagmatest.Fuzz(f, newCounter, []byte("add"), []byte("get")) }
func Fuzz(f *testing.F, newMachine func() statemachine.Machine, seeds ...[]byte) {
	f.Helper()
	f.Add([]byte(nil), []byte(nil), []byte(nil))
	for i := range seeds {
		f.Add(seeds[i], seeds[(i+1)%len(seeds)], seeds[(i+2)%len(seeds)])
		f.Add(seeds[i], seeds[i], seeds[i])
	}
	f.Fuzz(func(t *testing.T, one, two, three []byte) {
		if why := examine(t, newMachine, [][]byte{one, two, three}, 2); why != "" {
			t.Fatal(why)
		}
	})
}

// patience is how long an operation may run, in real time.
var patience = 10 * time.Second

// clockAhead is how far another computer's clock is ahead. It is so much that the hour, the day and the year are
// different.
const clockAhead = 400*24*time.Hour + 5*time.Hour + 7*time.Minute + 11*time.Second

// The reasons for which a run may differ from the first one.
const (
	whyRuns   = "it depends on the order of a map, on randomness, on a goroutine or on a variable of its package"
	whyClock  = "it reads the clock of its computer; the agreed time is Reader.Time"
	whyField  = "it keeps state in a field or a variable; what is not in the state is gone after a restart"
	whyApart  = "it keeps something from one operation of a request to the next; operations may come in any requests"
	whyStored = "it keeps a slice that it was given or that it wrote; they belong to it only until the method returns"
)

// examine returns why operations are not deterministic, or "" if no difference was found. It makes runs runs under the
// same conditions.
func examine(t *testing.T, newMachine func() statemachine.Machine, ops [][]byte, runs int) (why string) {
	// An operation that does not end would block a bubble for ever, so the first run is outside of one.
	if why := watched(newMachine, ops); why != "" {
		return why
	}
	var first *record
	in := func(c conditions) *record {
		r := &record{}
		synctest.Test(t, func(*testing.T) { r.run(newMachine, ops, c) })
		return r
	}
	first = in(conditions{})
	for range runs - 1 {
		if where := first.differs(in(conditions{}), ops); where != "" {
			return where + ": " + whyRuns
		}
	}
	for _, c := range []struct {
		conditions
		why string
	}{
		{conditions{ahead: clockAhead}, whyClock},
		{conditions{reload: true}, whyField},
		{conditions{apart: true}, whyApart},
		{conditions{flush: true}, whyStored},
	} {
		if where := first.differs(in(c.conditions), ops); where != "" {
			return where + ": " + c.why
		}
	}
	return ""
}

// watched runs the operations once and returns what is wrong if one panics or does not end.
func watched(newMachine func() statemachine.Machine, ops [][]byte) string {
	r := &record{}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.run(newMachine, ops, conditions{})
	}()
	for seen := int64(0); ; {
		select {
		case <-ended:
			return r.wrong
		case <-time.After(patience):
		}
		calls := r.calls.Load()
		if op := r.doing.Load(); op != nil && calls == seen {
			return fmt.Sprintf("%s does not end: it has run for more than %v", *op, patience)
		}
		seen = calls
	}
}

// conditions are what may differ between two replicas.
type conditions struct {
	ahead  time.Duration // how far the clock is ahead; the clock is also faster, by a second per batch
	reload bool          // after each batch a new machine continues from the stored state
	flush  bool          // each batch is stored before the next
	apart  bool          // each operation is in a request of its own
}

// batchOps is how many operations have one sequence number.
const batchOps = 4

// record is what one machine did.
type record struct {
	results [][]byte   // of the operations, and then of each as a query
	states  [][32]byte // after each batch
	wrong   string     // describes the first operation that panicked, or changed what it must not change

	calls atomic.Int64           // number of calls of the machine so far
	doing atomic.Pointer[string] // the call that is running
}

// differs says how another record differs; "" if it does not.
func (r *record) differs(other *record, ops [][]byte) string {
	if other.wrong != "" && r.wrong == "" {
		return other.wrong + ", which it did not before"
	}
	for b := range r.states {
		for i := b * batchOps; i < min((b+1)*batchOps, len(ops)); i++ {
			if one, two := r.results[i], other.results[i]; string(one) != string(two) {
				return fmt.Sprintf("operation %d, %q, had the result %q on one replica and %q on another", i, ops[i], one, two)
			}
		}
		if r.states[b] != other.states[b] {
			return fmt.Sprintf("operations %s left another state on another replica", span(b, ops))
		}
		for i := b * batchOps; i < min((b+1)*batchOps, len(ops)); i++ {
			if one, two := r.results[len(ops)+i], other.results[len(ops)+i]; string(one) != string(two) {
				return fmt.Sprintf("the query %q had the result %q on one replica and %q on another", ops[i], one, two)
			}
		}
	}
	return ""
}

// span names the operations of a batch.
func span(b int, ops [][]byte) string {
	first, last := b*batchOps, min((b+1)*batchOps, len(ops))-1
	return fmt.Sprintf("%d to %d, %q to %q,", first, last, ops[first], ops[last])
}
