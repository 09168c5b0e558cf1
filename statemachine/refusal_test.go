package statemachine_test

import (
	"errors"
	"testing"

	"tagma/statemachine"
	"tagma/statemachine/memstore"
)

// door is a machine that refuses all clients except one, whose key begins with 1.
type door struct{}

func (door) Apply(tx statemachine.Txn, op []byte) []byte {
	if caller := tx.Client(); caller[0] != 1 {
		return statemachine.Refuse(uint32(caller[0]), "not you")
	}
	tx.Put(op, nil)
	return []byte("in")
}

func (door) Query(statemachine.Reader, []byte) []byte { return nil }

// Each operation sees the key of the client that signed its request, whatever clients called before in the same batch. A
// refusal is an error for the client.
func TestRefuse_AnApplicationKnowsWhoCallsAndSaysNo(t *testing.T) {
	s, err := statemachine.New(door{}, memstore.New(), statemachine.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	b := statemachine.Batch{Seq: 1, Time: 1}
	for _, client := range []byte{1, 7, 1, 9} {
		b.Requests = append(b.Requests, statemachine.Request{
			Client: [32]byte{client}, Session: 1, T: uint64(len(b.Requests)), Ops: [][]byte{[]byte("a"), []byte("b")},
		})
	}
	replies, err := s.Apply(b)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []uint32{0, 7, 0, 9} {
		for _, result := range replies[i].Results {
			why := statemachine.Failure(result)
			var refused *statemachine.Refusal
			switch {
			case want == 0 && (why != nil || string(result) != "in"):
				t.Errorf("request %d: %q, %v", i, result, why)
			case want != 0 && (!errors.As(why, &refused) || *refused != statemachine.Refusal{Code: want, Text: "not you"}):
				t.Errorf("request %d: %v, want a refusal with code %d", i, why, want)
			}
		}
	}
}

func TestFailure_OtherResultsAreNoRefusals(t *testing.T) {
	for _, result := range []string{"", "in", "\xfftagma?", "\xfftagma?abc"} {
		if err := statemachine.Failure([]byte(result)); err != nil {
			t.Errorf("%q: %v", result, err)
		}
	}
}
