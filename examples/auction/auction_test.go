package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"tagma/client"
	"tagma/statemachine"
	"tagma/tagmatest"
)

func TestDeterministic(t *testing.T) {
	var ops [][]byte
	for _, op := range []string{
		"show vase", "open vase 10 5", "open vase 1 1", "bid vase 12", // of one client
		"bid vase 11", "bid vase 13", "bid lamp 1", "open lamp 0 1", // of the next one, and so on
		"bid vase 14", "bid lamp 7", "show vase", "sell vase",
		"bid vase 15", "bid lamp 9", "show lamp", "bid vase -1",
		"bid vase 20", "open", "bid vase many", "show vase",
	} {
		ops = append(ops, []byte(op))
	}
	tagmatest.Deterministic(t, newHouse, ops)
}

func FuzzDeterministic(f *testing.F) {
	tagmatest.Fuzz(f, newHouse, []byte("open vase 10 60"), []byte("bid vase 12"), []byte("show vase"))
}

func TestSimulated(t *testing.T) {
	tagmatest.Simulate(t, newHouse, tagmatest.Workload{Next: func(r *rand.Rand) tagmatest.Op {
		switch item := r.IntN(3); r.IntN(4) {
		case 0:
			return tagmatest.Op{Bytes: fmt.Appendf(nil, "open item%d %d %d", item, r.IntN(10), r.IntN(20))}
		case 1:
			return tagmatest.Op{Bytes: fmt.Appendf(nil, "show item%d", item), Query: true}
		default:
			return tagmatest.Op{Bytes: fmt.Appendf(nil, "bid item%d %d", item, r.IntN(50))}
		}
	}}, 20)
}

// do sends an operation that is refused with a code, 0 if it is not.
func do(t *testing.T, c *client.Client, op string, code uint32) (a auction) {
	t.Helper()
	r, err := c.Do(t.Context(), []byte(op))
	if err != nil {
		t.Fatal(err)
	}
	var refused *statemachine.Refusal
	switch why := r.Err(0); {
	case code != 0 && (!errors.As(why, &refused) || refused.Code != code):
		t.Errorf("%s: %v, want a refusal with code %d", op, why, code)
	case code == 0 && why != nil:
		t.Errorf("%s: %v", op, why)
	case code == 0:
		if err := json.Unmarshal(r.Output(), &a); err != nil {
			t.Error(err)
		}
	}
	return a
}

func TestCluster(t *testing.T) {
	cluster := tagmatest.Start(t, newHouse)
	seller, ann, bob := cluster.ClientAs(0), cluster.ClientAs(1), cluster.ClientAs(2)
	do(t, seller, "open vase 10 100000", 0)
	do(t, ann, "open vase 1 1", itemExists)
	do(t, seller, "bid vase 12", ownItem)
	do(t, ann, "bid vase 9", bidTooLow)
	first := do(t, ann, "bid vase 12", 0)
	cluster.Malicious(1, "lying-reply")
	do(t, bob, "bid vase 12", bidTooLow)
	do(t, bob, "bid vase 13", 0)
	cluster.Crash(0, 2, 3)
	cluster.Restart(0, 2, 3)
	last := do(t, ann, "show vase", 0)
	if last.Bid != 13 || last.Bidder == first.Bidder || last.Seller != first.Seller || first.Bid != 12 {
		t.Errorf("%+v, after %+v", last, first)
	}
	do(t, seller, "open lamp 0 0", 0) // over as soon as it is opened
	do(t, bob, "bid lamp 1", auctionOver)
	do(t, bob, "bid chair 1", noSuchItem)
	do(t, bob, "steal vase", unknownOperation)
}
