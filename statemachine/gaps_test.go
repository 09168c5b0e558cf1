package statemachine_test

import (
	"fmt"
	"testing"

	"tagma/statemachine"
)

// C9, C6: a client pays nothing for passing deleted keys. So ranges must pass each of them only once, wherever it is and
// whatever else happens.
func TestC9_ADeletedKeyIsPassedOnce(t *testing.T) {
	r := newReplica(t, statemachine.Limits{})
	number := uint64(0)
	passes := func(want uint64, ops ...string) {
		t.Helper()
		before := r.PassedDeleted()
		number++
		for i, result := range r.batch(acked(ask(1, number, ops...), number))[0].Results {
			if err := statemachine.Failure(result); err != nil && ops[i][:4] != "fail" {
				t.Fatalf("%s: %v", ops[i], err)
			}
		}
		if got := r.PassedDeleted() - before; got > want {
			t.Fatalf("%.200q passes %d deleted keys, want at most %d", ops, got, want)
		}
	}
	fill := func() (ops []string) {
		for i := range 1000 {
			ops = append(ops, fmt.Sprintf("put k%03d v", i))
		}
		return ops
	}
	ranges := []string{"range a z", "down a z", "range k300 k700", "down k300 k700", "all"}

	passes(0, fill()...)
	// The deleting request itself has a range that passes the keys.
	passes(1000, append([]string{"clear k z"}, ranges...)...)
	passes(0, ranges...)
	group := r.Seal()
	passes(0, ranges...) // they are being written
	if err := r.Settle(group.Write()); err != nil {
		t.Fatal(err)
	}
	flushed(r) // they are in the storage
	passes(0, ranges...)

	// The keys on both sides of the written key are still skipped.
	passes(1, append([]string{"put k500 v", "put k501 v", "put l v"}, ranges...)...)
	passes(5, append([]string{"delete k501"}, ranges...)...)
	passes(5, append([]string{"delete k500"}, ranges...)...)
	passes(0, ranges...)

	passes(20, "fail a z put k200 v", "fail a z delete k300", "fail a z clear a z") // failed operations change no gap
	passes(20, ranges...)
	passes(0, ranges...)

	at := flushed(r)
	r.restart(at) // a restart forgets the gaps, and the next range finds them again
	passes(1001, ranges...)
	passes(0, ranges...)

	passes(0, fill()...) // the keys are put again, and then half of them are deleted
	passes(501, append([]string{"clear k500 z"}, ranges...)...)
	passes(0, ranges...)
}

// X6, C9: a gap belongs to the state in which it was found. If the state is replaced by another one, the keys may exist.
func TestC9_AGapEndsWithItsState(t *testing.T) {
	r := newReplica(t, statemachine.Limits{})
	r.LeapFrom(1)
	r.batch(ask(1, 1, "put k v"))
	at := flushed(r)
	r.batch(ask(1, 2, "delete k", "all"))
	flushed(r)
	if err := r.Load(at); err != nil {
		t.Fatal(err)
	}
	if got := string(r.batch(ask(1, 2, "all"))[0].Results[0]); got != "k=v " {
		t.Errorf("the range reads %q", got)
	}
}
