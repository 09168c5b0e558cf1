package statemachine_test

import (
	"testing"

	"tagma/statemachine"
	"tagma/statemachine/memstore"
)

// voucher vouches for the value under a key.
type voucher struct{ script }

func (voucher) Attest(r statemachine.Reader, op []byte) ([]byte, bool) {
	if string(op) == "panic" {
		panic("the voucher says so")
	}
	value, found := r.Get(op)
	return append([]byte("value "), value...), found
}

// TX5: a machine vouches for what is executed, also before it is written to the storage; a panic and a machine that is no
// Attester vouch for nothing.
func TestTX5_AMachineVouchesForItsNewestExecutedState(t *testing.T) {
	s, err := statemachine.New(wrapped{voucher{}}, memstore.New(), statemachine.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	want := func(op, statement string, ok bool) {
		t.Helper()
		if got, is, err := s.Attest(nil, []byte(op)); err != nil || is != ok || is && string(got) != statement {
			t.Errorf("%s: %q, %t, %v; want %q, %t", op, got, is, err, statement, ok)
		}
	}
	want("a", "", false)
	for seq, op := range []string{"put a 1", "put a 2", "put b 3"} {
		if _, err := s.Apply(statemachine.Batch{Seq: uint64(seq) + 1, Time: 1, Requests: []statemachine.Request{ask(1, uint64(seq)+1, op)}}); err != nil {
			t.Fatal(err)
		}
		if seq == 1 {
			if err := s.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	want("a", "value 2", true)
	want("b", "value 3", true)
	want("c", "", false)
	want("panic", "", false)
	stopped := make(chan struct{})
	close(stopped)
	if _, ok, err := s.Attest(stopped, []byte("a")); ok || err == nil {
		t.Errorf("a question that was ended is answered: %t, %v", ok, err)
	}
	plain, err := statemachine.New(script{}, memstore.New(), statemachine.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok, err := plain.Attest(nil, []byte("a")); ok || err != nil {
		t.Errorf("a machine that is no Attester vouches: %t, %v", ok, err)
	}
}

// C2: a cached reply is found by its number alone, as it was given, until it is acknowledged or its session expires.
func TestC2_ACachedReplyIsFoundByItsNumber(t *testing.T) {
	r := newReplica(t, statemachine.Limits{Sessions: 1})
	first := r.batch(ask(1, 1, "put a 0", "get a"))[0]
	client := first.Client
	if got := r.Cached(client, 1, 1); show(got) != show(first) || got.Request != first.Request {
		t.Errorf("%+v, want %+v", got, first)
	}
	for name, got := range map[string]statemachine.Reply{
		"a number that was not used": r.Cached(client, 1, 2), "another session": r.Cached(client, 2, 1), "another client": r.Cached([32]byte{'z'}, 1, 1),
	} {
		if got.Outcome != 0 || len(got.Results) > 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
	second := ask(1, 2, "get a")
	second.AckedBelow = 2
	r.batch(second)
	if got := r.Cached(client, 1, 1); got.Outcome != statemachine.OutcomeExpired || len(got.Results) > 0 {
		t.Errorf("after it was acknowledged: %+v", got)
	}
	r.batch(ask(2, 1, "get a")) // pushes the first session out
	if got := r.Cached(client, 1, 2); got.Outcome != statemachine.OutcomeExpired {
		t.Errorf("after its session expired: %+v", got)
	}
}
