package main

import (
	"encoding/hex"
	"errors"
	"strings"
	"tagma/client"
	"tagma/client/clienttest"
	"testing"
)

// A unit test of what an application does, without a cluster: the machine runs in memory, and fails as the test says.
func TestOutbid(t *testing.T) {
	isBid := func(op []byte) bool { return strings.HasPrefix(string(op), "bid") }
	for name, c := range map[string]struct {
		faults []clienttest.Fault
		want   int // the bid that stands
		err    error
	}{
		"all goes well":             {nil, 11, nil},
		"the answer is lost":        {[]clienttest.Fault{clienttest.UnknownExecuted}, 11, nil}, // it must not bid against itself
		"the bid is lost":           {[]clienttest.Fault{clienttest.Unknown, clienttest.Busy}, 11, nil},
		"the bid is not sent":       {[]clienttest.Fault{clienttest.NotSent}, 10, client.ErrNotSent},
		"the session is pushed out": {[]clienttest.Fault{clienttest.Expired}, 10, client.ErrExpired},
	} {
		t.Run(name, func(t *testing.T) {
			seller, ctx := clienttest.New("auction", newHouse()), t.Context()
			ann, bob := seller.As([32]byte{2}), seller.As([32]byte{3})
			for _, step := range []struct {
				by client.Interface
				op string
			}{{seller, "open vase 10 60"}, {bob, "bid vase 10"}} {
				if r, err := step.by.Do(ctx, []byte(step.op)); err != nil || r.Err(0) != nil {
					t.Fatal(err, r.Err(0))
				}
			}
			ann.Inject(isBid, c.faults...)
			key := ann.Key()
			leads, err := outbid(ctx, ann, hex.EncodeToString(key[:]), "vase", 20)
			a, lookErr := look(ctx, bob, "vase")
			if !errors.Is(err, c.err) || leads != (c.err == nil) || lookErr != nil || a.Bid != c.want {
				t.Errorf("leads: %v, %v; the bid is %d, %v", leads, err, a.Bid, lookErr)
			}
		})
	}
}

func TestOutbid_KeepsItsLimitAndTheAuctionsTime(t *testing.T) {
	seller, ctx := clienttest.New("auction", newHouse()), t.Context()
	ann := seller.As([32]byte{2})
	if _, err := seller.Do(ctx, []byte("open vase 10 60")); err != nil {
		t.Fatal(err)
	}
	if leads, err := outbid(ctx, ann, "ann", "vase", 9); leads || err != nil {
		t.Errorf("beyond its limit: %v, %v", leads, err)
	}
	seller.Pass(61e9)
	if leads, err := outbid(ctx, ann, "ann", "vase", 20); leads || !refusedWith(err, auctionOver) {
		t.Errorf("too late: %v, %v", leads, err)
	}
}
