package statemachine_test

import (
	"errors"
	"testing"

	"tagma/statemachine"
)

// C9, S4: an operation of a few bytes can range over the whole state, and a request with many such operations would keep
// every replica busy. So all ranges of one request together may pass only a bounded number of keys. The next request may
// pass as many again.
func TestC9_TheRangesOfARequestPassALimitedNumberOfKeys(t *testing.T) {
	r := newReplica(t, statemachine.Limits{MaxPassedKeys: 5})
	r.batch(ask(1, 1, "put a 1", "put b 2", "put c 3"))
	r.restart(flushed(r)) // some keys are in the storage and some above it
	r.batch(ask(1, 2, "delete b", "put d 4"))

	replies := r.batch(ask(1, 3, "all", "all", "get a", "all-recovered"), ask(1, 4, "all"), ask(1, 5, "down a z", "get a", "down a z"))
	want := []error{nil, statemachine.ErrTooLarge, nil, statemachine.ErrTooLarge}
	for i, result := range replies[0].Results {
		if err := statemachine.Failure(result); !errors.Is(err, want[i]) {
			t.Errorf("operation %d: %v, want %v", i, err, want[i])
		}
	}
	if got := string(replies[1].Results[0]); got != "a=1 c=3 d=4 " {
		t.Errorf("the next request reads %q", got)
	}
	if last := replies[2].Results; string(last[0]) != "d=4 c=3 a=1 " || !errors.Is(statemachine.Failure(last[2]), statemachine.ErrTooLarge) {
		t.Errorf("the descending ranges gave %q", last)
	}
	r.batch(ask(1, 6, "put e 5", "put f 6", "put g 7"))
	if got := statemachine.Failure(r.batch(ask(1, 7, "clear-down a z"))[0].Results[0]); !errors.Is(got, statemachine.ErrTooLarge) {
		t.Errorf("six keys deleted while they are passed: %v", got)
	}
	if got := r.read("all"); got != "a=1 c=3 d=4 e=5 f=6 g=7 " {
		t.Errorf("a query of the newest state, which is bounded by time, reads %q", got)
	}
}
