package main

import (
	"errors"
	"testing"

	"tagma/client"
	"tagma/client/clienttest"
)

// A unit test of application code, without a cluster: the machine runs in memory, and calls fail as the test says.
func TestOutbid(t *testing.T) {
	isBid := func(op []byte) bool { return op[0] == HouseBidOp("", 0)[0] }
	for name, c := range map[string]struct {
		faults []clienttest.Fault
		want   uint64 // the bid that stands
		err    error
	}{
		"all goes well": {nil, 11, nil},
		// The caller must not outbid its own bid.
		"the answer is lost":        {[]clienttest.Fault{clienttest.UnknownExecuted}, 11, nil},
		"the bid is lost":           {[]clienttest.Fault{clienttest.Unknown, clienttest.Busy}, 11, nil},
		"the bid is not sent":       {[]clienttest.Fault{clienttest.NotSent}, 10, client.ErrNotSent},
		"the session is pushed out": {[]clienttest.Fault{clienttest.Expired}, 10, client.ErrExpired},
	} {
		t.Run(name, func(t *testing.T) {
			seller, ctx := clienttest.New("auction", newHouse()), t.Context()
			ann, bob := seller.As([32]byte{2}), seller.As([32]byte{3})
			done(t)(HouseClient{Caller: seller}.Open(ctx, "vase", 10, 60))
			done(t)(HouseClient{Caller: bob}.Bid(ctx, "vase", 10))
			ann.Inject(isBid, c.faults...)
			leads, err := outbid(ctx, HouseClient{Caller: ann}, ann.Key(), "vase", 20)
			a := done(t)(HouseClient{Caller: bob}.Show(ctx, "vase"))
			if !errors.Is(err, c.err) || leads != (c.err == nil) || a.Bid != c.want {
				t.Errorf("leads: %v, %v; the bid is %d", leads, err, a.Bid)
			}
		})
	}
}

func TestOutbid_KeepsItsLimitAndTheAuctionsTime(t *testing.T) {
	seller, ctx := clienttest.New("auction", newHouse()), t.Context()
	ann := seller.As([32]byte{2})
	house := HouseClient{Caller: ann}
	done(t)(HouseClient{Caller: seller}.Open(ctx, "vase", 10, 60))
	if leads, err := outbid(ctx, house, ann.Key(), "vase", 9); leads || err != nil {
		t.Errorf("beyond its limit: %v, %v", leads, err)
	}
	seller.Pass(61e9)
	if leads, err := outbid(ctx, house, ann.Key(), "vase", 20); leads || !refusedWith(err, auctionOver) {
		t.Errorf("too late: %v, %v", leads, err)
	}
}
