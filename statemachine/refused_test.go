package statemachine_test

import (
	"errors"
	"testing"

	"tagma/statemachine"
)

// C9: a request on the list of refused ones is always answered in the same way, wherever it is executed, and the machine
// never gets it. If the machine got "put-and-panic", the panic would be reported, and the result would be another one.
func TestC9_ARefusedRequestIsAnsweredAndNeverExecuted(t *testing.T) {
	bad := ask(1, 2, "put-and-panic a 1", "put b 1")
	lim := statemachine.Limits{Rules: 1, MaxBatchCost: 1, Refused: [][32]byte{{1}, bad.Digest}}
	r, twin := newReplica(t, lim), newReplica(t, lim)
	r.ObservePanics(func(p statemachine.Panic) { t.Errorf("executed: %q", p.Op) })
	for _, r := range []*replica{r, twin} {
		expect(t, r.batch(ask(1, 1, "put a 0")), "executed@1[]")
		replies := r.batch(bad, ask(1, 3, "get a"), bad)
		for _, i := range []int{0, 2} {
			if replies[i].Outcome != statemachine.OutcomeExecuted || replies[i].Seq != 2 || replies[i].Cost != 0 || len(replies[i].Results) != 2 {
				t.Fatalf("reply %d: %+v", i, replies[i])
			}
			for k, result := range replies[i].Results {
				if err := statemachine.Failure(result); !errors.Is(err, statemachine.ErrUnwanted) {
					t.Errorf("reply %d, operation %d: %q", i, k, result)
				}
			}
		}
		if show(replies[1]) != "executed@2[0 true]" {
			t.Errorf("the request behind it: %s", show(replies[1]))
		}
	}
	r.restart(flushed(r))
	if known, found := r.Lookup(bad.Client, 1, 2, bad.Digest); !found || known.Seq != 2 || len(known.Results) != 2 {
		t.Errorf("after a restart: %+v", known)
	}
	expect(t, r.batch(ask(1, 2, "put a 2")), "conflict@2[]") // its number is used up
	expect(t, twin.batch(ask(1, 2, "put a 2")), "conflict@2[]")
	if r.root() != twin.root() {
		t.Error("the roots differ")
	}
}

// D5: a request whose execution has ended must not be listed any more. A request that was refused, or that never
// arrived, may be listed.
func TestD5_WhatEndedMayNotBeRefused(t *testing.T) {
	ended, refused := ask(1, 1, "panic"), ask(1, 2, "put a 1")
	r := newReplica(t, statemachine.Limits{Refused: [][32]byte{refused.Digest}})
	r.batch(ended, refused)
	view, err := r.store.View(flushed(r))
	if err != nil {
		t.Fatal(err)
	}
	defer view.Close()
	if err := statemachine.CheckRefused([][32]byte{{9}, refused.Digest}, view); err != nil {
		t.Error(err)
	}
	var is *statemachine.EndedError
	if err := statemachine.CheckRefused([][32]byte{refused.Digest, ended.Digest}, view); !errors.As(err, &is) || is.Seq != 1 || is.Digest != ended.Digest {
		t.Errorf("%v", err)
	}
}
