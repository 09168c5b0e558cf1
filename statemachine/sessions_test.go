package statemachine_test

import (
	"math"
	"testing"

	"tagma/statemachine"
)

func TestC2_DuplicatesExecuteOnceAndGetTheSameReply(t *testing.T) {
	r := newReplica(t, statemachine.Limits{})
	one := ask(1, 1, "count n")
	expect(t, r.batch(one, one, ask(1, 2, "count n"), one),
		"executed@1[1]", "executed@1[1]", "executed@1[2]", "executed@1[1]")
	expect(t, r.batch(one), "executed@1[1]")
	r.root()
	r.restart(2)
	expect(t, r.batch(one, ask(1, 3, "count n")), "executed@1[1]", "executed@3[3]")
}

func TestC2_OneNumberExecutesOneOfTwoRequests(t *testing.T) {
	r := newReplica(t, statemachine.Limits{})
	expect(t, r.batch(ask(1, 1, "put k a"), ask(1, 1, "put k b")), "executed@1[]", "conflict@1[]")
	expect(t, r.batch(ask(1, 1, "put k b")), "conflict@1[]")
	if got := r.read("get k"); got != "a true" {
		t.Errorf("k is %q", got)
	}
	// The same number in another session or of another client is another request.
	other := ask(1, 1, "count n")
	other.Client = [32]byte{'d'}
	expect(t, r.batch(ask(2, 1, "count n"), other), "executed@3[1]", "executed@3[2]")
}

func TestC2_AcknowledgedNumbersExpire(t *testing.T) {
	r := newReplica(t, statemachine.Limits{})
	r.batch(ask(1, 1, "count n"), ask(1, 2, "count n"))
	expect(t, r.batch(acked(ask(1, 3, "count n"), 2), ask(1, 1, "count n"), ask(1, 2, "count n")),
		"executed@2[3]", "expired@0[]", "executed@1[2]")
	// acked never decreases: a recorded request that acknowledges less than an earlier one changes nothing.
	expect(t, r.batch(acked(ask(1, 4, "count n"), 1), ask(1, 1, "count n")), "executed@3[4]", "expired@0[]")
	// A request that acknowledges its own number needs no reply, so none is cached.
	expect(t, r.batch(acked(ask(1, 5, "count n"), 6), ask(1, 6, "count n")), "expired@0[]", "executed@4[5]")
}

func TestC2_NumbersBeyondTheWindowAreRefusedAndMayComeBack(t *testing.T) {
	r := newReplica(t, statemachine.Limits{Window: 4})
	expect(t, r.batch(ask(1, 4, "count n"), ask(1, 3, "count n"), ask(1, math.MaxUint64, "count n")),
		"refused@0[]", "executed@1[1]", "refused@0[]")
	expect(t, r.batch(acked(ask(1, 4, "count n"), 1)), "executed@2[2]")
	expect(t, r.batch(acked(ask(1, math.MaxUint64, "count n"), math.MaxUint64)), "executed@3[3]")
}

func TestC1_TheHighestSessionsAreHeldAndEvictedOnesStayExpired(t *testing.T) {
	r := newReplica(t, statemachine.Limits{Sessions: 2})
	expect(t, r.batch(ask(10, 1, "count n"), ask(30, 1, "count n")), "executed@1[1]", "executed@1[2]")
	expect(t, r.batch(ask(20, 1, "count n")), "executed@2[3]") // evicts 10
	expect(t, r.batch(ask(10, 1, "count n"), ask(10, 2, "count n"), ask(5, 1, "count n"), ask(0, 1, "count n")),
		"expired@0[]", "expired@0[]", "expired@0[]", "expired@0[]")
	// The new session is the lowest of three, so it is evicted and the floor rises to it.
	expect(t, r.batch(ask(15, 1, "count n")), "expired@0[]")
	expect(t, r.batch(ask(20, 1, "count n"), ask(30, 1, "count n")), "executed@2[3]", "executed@1[2]")
	// These sessions are opened and evicted within one batch.
	expect(t, r.batch(ask(40, 1, "count n"), ask(50, 1, "count n"), ask(60, 1, "count n"), ask(40, 1, "count n")),
		"executed@6[4]", "executed@6[5]", "executed@6[6]", "expired@0[]")
	r.root()
	r.restart(6)
	expect(t, r.batch(ask(10, 1, "count n"), ask(40, 1, "count n"), ask(60, 1, "count n")),
		"expired@0[]", "expired@0[]", "executed@6[6]")
	if got := r.read("get n"); got != "...... true" {
		t.Errorf("the counter is %q", got)
	}
}

func TestS4_ReplyCacheLimitRefusesUntilAcknowledged(t *testing.T) {
	r := newReplica(t, statemachine.Limits{MaxReplyCacheBytes: 1000, Rules: 1})
	expect(t, r.batch(ask(1, 1, "zeros 500"), ask(1, 2, "zeros 500"), ask(1, 3, "put k v"))[2:], "refused@1[]")
	expect(t, r.batch(acked(ask(1, 4, "count n"), 2)), "executed@2[1]")
	if got := r.read("get k"); got != " false" {
		t.Errorf("a refused request was executed: k is %q", got)
	}
}

// C2: a refused request is not executed if a primary orders it again. Another request under the same number is not
// executed either.
func TestC2_ARefusedNumberIsUsedUp(t *testing.T) {
	r := newReplica(t, statemachine.Limits{MaxReplyCacheBytes: 1000, Rules: 1})
	late := ask(1, 3, "count n")
	expect(t, r.batch(ask(1, 1, "zeros 500"), ask(1, 2, "zeros 500"), late)[2:], "refused@1[]")
	expect(t, r.batch(acked(ask(1, 4, "count m"), 3), late, ask(1, 3, "count m")), "executed@2[1]", "refused@1[]", "refused@1[]")
	if got, known := r.Lookup(late.Client, late.Session, late.T, late.Digest); !known || show(got) != "refused@1[]" {
		t.Errorf("looked up as %q, %t", show(got), known)
	}
	r.root()
	r.restart(2)
	expect(t, r.batch(late, acked(ask(1, 5, "count n"), 4), late), "refused@1[]", "executed@3[1]", "expired@0[]")
}

func TestS4_ClientReplyLimitRefusesUntilASessionIsOpened(t *testing.T) {
	r := newReplica(t, statemachine.Limits{MaxClientReplyBytes: 1000, Rules: 1})
	r.batch(ask(1, 1, "zeros 600"), ask(2, 1, "zeros 600"))
	expect(t, r.batch(ask(1, 2, "put k v"), ask(2, 2, "put k v")), "refused@2[]", "refused@2[]")
	expect(t, r.batch(ask(3, 1, "put k v"), ask(1, 1, "zeros 600")), "executed@3[]", "expired@0[]")
}

func TestC3_LookupAgreesWithApplyAndChangesNothing(t *testing.T) {
	r := newReplica(t, statemachine.Limits{Sessions: 1, Window: 8})
	r.batch(ask(1, 1, "count n"))
	r.batch(ask(2, 1, "count n"), acked(ask(2, 2, "count n"), 2), ask(2, 3, "put k v", "count n"))
	for _, q := range []statemachine.Request{
		ask(1, 1, "count n"), ask(2, 1, "count n"), ask(2, 2, "count n"), ask(2, 2, "other"), ask(2, 3, "put k v", "count n"),
	} {
		got, known := r.Lookup(q.Client, q.Session, q.T, q.Digest)
		if want := r.batch(q)[0]; !known || show(got) != show(want) || got.Request != q.Digest || got.T != q.T {
			t.Errorf("session %d, number %d: looked up %q, applied %q", q.Session, q.T, show(got), show(want))
		}
	}
	for _, q := range []statemachine.Request{ask(2, 4, "x"), ask(2, 100, "x"), ask(3, 1, "x")} {
		if got, known := r.Lookup(q.Client, q.Session, q.T, q.Digest); known {
			t.Errorf("session %d, number %d is new, but looked up as %q", q.Session, q.T, show(got))
		}
	}
	if _, known := r.Lookup([32]byte{'z'}, 1, 1, [32]byte{}); known {
		t.Error("a request of an unknown client was answered")
	}
}

func TestC1_ASessionThatFoundNoRoomStaysExpiredWhenThereIsRoomAgain(t *testing.T) {
	r := newReplica(t, statemachine.Limits{MaxClientReplyBytes: 1000, Rules: 1})
	r.batch(ask(7, 1, "zeros 1000"))
	expect(t, r.batch(ask(5, 1, "put k v")), "expired@0[]")
	expect(t, r.batch(acked(ask(7, 2, "get k"), 2), ask(5, 1, "put k v")), "executed@3[ false]", "expired@0[]")
}
