package statemachine_test

import (
	"errors"
	"testing"

	"tagma/statemachine"
)

// C9, S4: the cost of a request is the same whether its keys are in the storage or above it. A request that costs too
// much fails in the same way in both cases.
func TestC9_ARequestBeyondItsBudgetFailsAndChangesNothing(t *testing.T) {
	const budget = 60 // enough for three calls, a read and five writes; or for a call and 50 keys
	stored, fresh := newReplica(t, statemachine.Limits{MaxRequestCost: budget}), newReplica(t, statemachine.Limits{MaxRequestCost: budget})
	for _, r := range []*replica{stored, fresh} {
		r.batch(ask(1, 1, "put a 1", "put b 2", "put c 3"), ask(1, 2, "delete b"))
	}
	stored.restart(flushed(stored))
	requests := []statemachine.Request{
		ask(1, 3, "put d 4", "put e 5", "put f 6", "put g 7"), // 4 × 12
		ask(1, 4, "all", "get a", "get b"),                    // this costs 3 × 4 for calls, 6 keys and 2 reads
		ask(1, 5, "put h 1", "put i 1", "put j 1", "put k 1", "put l 1", "all", "put m 1"),
		ask(1, 6, "all"),
	}
	replies, same := stored.batch(requests...), fresh.batch(requests...)
	for i, cost := range []uint64{48, 26, 5*12 + 4 + 1 + 4 + 8, 4 + 11} {
		if replies[i].Cost != cost || same[i].Cost != cost {
			t.Errorf("request %d cost %d and %d, want %d", i, replies[i].Cost, same[i].Cost, cost)
		}
	}
	for i, want := range []error{nil, nil, nil, nil, nil, statemachine.ErrTooLarge, statemachine.ErrTooLarge} {
		if err := statemachine.Failure(replies[2].Results[i]); !errors.Is(err, want) {
			t.Errorf("operation %d of the request that costs too much: %v, want %v", i, err, want)
		}
	}
	if got := stored.read("get m"); got != " false" || got != fresh.read("get m") {
		t.Errorf("m is %q", got)
	}
	if stored.root() != fresh.root() {
		t.Error("the roots differ")
	}
}

// C6, S4: a batch executes about as many requests as its budget allows. Further requests are refused only if their
// client has used up an equal part of the budget. The client may send them again.
func TestC6_WhoUsesUpABatchIsRefusedAndNobodyElse(t *testing.T) {
	r := newReplica(t, statemachine.Limits{MaxBatchCost: 40})
	r.batch(ask(1, 1, "put a 1", "put b 2", "put c 3"))
	heavy := func(n uint64) statemachine.Request { return ask(1, n, "all", "all", "all", "all") } // 4 × 7 units
	light := func(n uint64, ops ...string) statemachine.Request {
		q := ask(1, n, ops...)
		q.Client[0]++
		return q
	}
	replies := r.batch(heavy(2), heavy(3), heavy(4), light(1, "put d 4"), heavy(5), light(2, "put e 5"), light(3, "put f 6"))
	for i, want := range []statemachine.Outcome{
		statemachine.OutcomeExecuted, statemachine.OutcomeExecuted, statemachine.OutcomeRefused, statemachine.OutcomeExecuted,
		statemachine.OutcomeRefused, statemachine.OutcomeExecuted, statemachine.OutcomeRefused,
	} {
		if replies[i].Outcome != want {
			t.Errorf("request %d: %v, want %v", i, replies[i].Outcome, want)
		}
	}
	expect(t, r.batch(light(3, "put f 6"), light(4, "get d")), "executed@3[]", "executed@3[4 true]")
	if replies = r.batch(heavy(4), heavy(5)); replies[0].Outcome != statemachine.OutcomeExecuted {
		t.Errorf("sent again: %v", replies[0].Outcome)
	}
}
