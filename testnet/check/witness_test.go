package check

import (
	"fmt"
	"testing"
	"time"
)

// busy is a history of so many writes and reads of one key. All of them overlap. They are listed in the order in which a
// machine executed them.
func busy(n int) []Call {
	var calls []Call
	for i := range n {
		c := Call{Client: i, Op: Op{Kind: Put, Key: "k", Value: fmt.Sprint(i)}, Returned: time.Minute, Known: true, Order: uint64(i) + 1}
		if i%2 == 1 {
			c.Op = Op{Kind: Get, Key: "k"}
			c.Out = Out{Found: true, Value: fmt.Sprint(i - 1)}
		}
		calls = append(calls, c)
	}
	return calls
}

// Without the order of execution as a hint, the search would have to try hundreds of operations in every order (I4).
func TestI4_TheOrderOfExecutionDecidesABusyHistory(t *testing.T) {
	calls := busy(400)
	// This call was not executed, so it has no position in the order.
	calls = append(calls, Call{Client: 999, Op: Op{Kind: Put, Key: "k", Value: "never"}})
	if !witnessed(calls) {
		t.Fatal("the order in which it happened does not explain it")
	}
	if r := Linearizable(calls, time.Nanosecond); !r.Held || r.Checked != 400 || r.Note != "" {
		t.Errorf("%+v", r)
	}
}

// I4: a hint is checked. A wrong history does not pass because of a good hint, and a correct one does not fail because
// of a bad hint.
func TestI4_AHintProvesNothingByItself(t *testing.T) {
	put := Call{Op: Op{Kind: Put, Key: "k", Value: "new"}, Invoked: 1, Returned: 2, Known: true}
	stale := Call{Client: 1, Op: Op{Kind: Get, Key: "k"}, Invoked: 3, Returned: 4, Known: true}
	fresh := stale
	fresh.Out = Out{Found: true, Value: "new"}
	for name, c := range map[string]struct {
		first, second Call
		orders        [2]uint64
		witnessed     bool
		held          bool
	}{
		"a good history in its order":       {put, fresh, [2]uint64{1, 2}, true, true},
		"a good history in another order":   {put, fresh, [2]uint64{2, 1}, false, true},
		"a good history, half of it known":  {put, fresh, [2]uint64{1, 0}, true, true}, // the clock gives the rest
		"a good history, both in one batch": {put, fresh, [2]uint64{1, 1}, true, true},
		"a stale read in the batch of it":   {put, stale, [2]uint64{1, 1}, false, false},
		"a stale read behind the write":     {put, stale, [2]uint64{1, 2}, false, false},
		// The values are possible in this order, but the times are not.
		"a stale read called earlier than it": {put, stale, [2]uint64{2, 1}, false, false},
	} {
		calls := []Call{c.first, c.second}
		calls[0].Order, calls[1].Order = c.orders[0], c.orders[1]
		if got := witnessed(calls); got != c.witnessed {
			t.Errorf("%s: witnessed %t", name, got)
		}
		if r := Linearizable(calls, time.Second); r.Held != c.held || r.Checked != 2 {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestI4_AnUnknownOperationThatWasExecutedIsInTheOrder(t *testing.T) {
	unknown := Call{Op: Op{Kind: Put, Key: "k", Value: "x"}, Invoked: 1, Order: 1}
	read := Call{Client: 1, Op: Op{Kind: Get, Key: "k"}, Out: Out{Found: true, Value: "x"}, Invoked: 2, Returned: 3, Known: true, Order: 2}
	if !witnessed([]Call{read, unknown}) {
		t.Error("what was executed explains the read")
	}
	unknown.Order = 0
	if witnessed([]Call{read, unknown}) {
		t.Error("nothing in the order explains the read")
	}
}

// Clients learn the batch of an operation but not its place in the batch, and reads at the end have no batch. The order is
// still found without a search over all keys, which a revert connects.
func TestI4_BatchesAndReadsAtTheEndHaveAnOrder(t *testing.T) {
	const batches, size = 200, 8
	var calls []Call
	add := func(c Call, at int) {
		c.Known, c.Invoked, c.Returned = true, time.Duration(at)*time.Second, time.Duration(at+3)*time.Second
		calls = append(calls, c)
	}
	for b := range batches {
		for i := size - 1; i >= 0; i-- { // the last call sees what the first call wrote
			c := Call{Client: i, Op: Op{Kind: Put, Key: fmt.Sprint("k", i), Value: fmt.Sprint(b)}, Order: uint64(b) + 1}
			if i == size-1 {
				c.Op, c.Out = Op{Kind: Get, Key: "k0"}, Out{Found: true, Value: fmt.Sprint(b)}
			}
			add(c, b)
		}
	}
	add(Call{Op: Op{Kind: Revert, Key: "k1"}, Out: Out{Found: true}, Order: batches + 1}, batches)
	for i := range size - 1 {
		read := Call{Client: -1, Op: Op{Kind: Get, Key: fmt.Sprint("k", i)}}
		if i != 1 {
			read.Out = Out{Found: true, Value: fmt.Sprint(batches - 1)}
		}
		add(read, batches+10)
	}
	if r := Linearizable(calls, time.Nanosecond); !r.Held || r.Checked != len(calls) || r.Note != "" {
		t.Errorf("%+v", r)
	}
	calls[len(calls)-1].Out.Value = "never written"
	if witnessed(calls) {
		t.Error("a value that nobody wrote is explained")
	}
}
